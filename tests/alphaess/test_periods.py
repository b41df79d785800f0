"""Two periods and a level, and the newer schedule: what is written and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.devices.alphaess import periods, weekly
from actors.devices.alphaess.periods import CHARGE, DISCHARGE, Side
from actors.devices.alphaess.steering import with_groups
from actors.devices.alphaess.weekly import Group, Plan
from bridge.errors import DeviceGarbled, DeviceRefused

RAW = {
    "gridCharge": 1,
    "timeChaf1": "01:00",
    "timeChae1": "05:15",
    "timeChaf2": "00:00",
    "timeChae2": "00:00",
    "batHighCap": 90.0,
}
LINE = "charge 01:00-05:00 mon-fri 3000W 90%; discharge 17:00-21:00 mon-fri 3000W 20%"


def test_a_side_is_read_and_written_whole() -> None:
    side = periods.read(RAW, CHARGE)
    assert side == Side(on=True, stop=90, periods=((60, 315), (0, 0)))
    assert periods.body(side, CHARGE) == RAW | {"batHighCap": 90}
    assert side.text == "01:00-05:15"
    assert set(periods.body(side, DISCHARGE)) == {
        *("ctrDis", "batUseCap", "timeDisf1", "timeDise1", "timeDisf2", "timeDise2")
    }


@pytest.mark.parametrize("empty", [None, {}, [], dict.fromkeys(RAW), dict.fromkeys(RAW, "")])
def test_a_newer_model_has_no_sides(empty: object) -> None:
    assert periods.read(empty, CHARGE) is None


@pytest.mark.parametrize(
    "change", [{"batHighCap": None}, {"timeChaf1": "25:00"}, {"gridCharge": "x"}]
)
def test_half_a_side_is_garbled(change: dict[str, object]) -> None:
    with pytest.raises(DeviceGarbled):
        periods.read(RAW | change, CHARGE)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("off", ((0, 0), (0, 0))),
        ("1:00-5:15", ((60, 315), (0, 0))),
        ("01:00-05:15, 13:00-15:00", ((60, 315), (780, 900))),
        ("23:00-05:00; 05:00-06:00", ((1380, 300), (300, 360))),
        ("01:00-01:00", ((60, 60), (0, 0))),
    ],
)
def test_periods_are_typed(text: str, found: object) -> None:
    assert periods.periods(text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("01:05-02:00", "no quarter hour: the inverter would ignore it"),
        ("01:00-02:59", "no quarter hour"),
        ("01:00-24:00", "no time of day"),
        ("01:00-03:00, 02:45-04:00", "overlap"),
        ("23:00-02:00, 01:00-03:00", "overlap"),
        ("01:00-02:00, 03:00-04:00, 05:00-06:00", "two periods, not 3"),
        ("", "missing"),
        ("now", "no period"),
    ],
)
def test_periods_that_make_no_sense_are_refused(text: str, why: str) -> None:
    with pytest.raises(DeviceRefused, match=why):
        periods.periods(text)


@pytest.mark.parametrize("level", [0.9, 0.01, 0.5])
def test_a_level_between_0_and_1_is_refused_with_the_reason(level: float) -> None:
    with pytest.raises(DeviceRefused, match=f"write {level * 100:g} for {level * 100:g} %"):
        periods.stop_level(level)


def test_levels_are_whole_percent() -> None:
    assert [periods.stop_level(each) for each in (0, 1, 90.0, 100)] == [0, 1, 90, 100]
    for bad in (-1, 101, 55.5):
        with pytest.raises(DeviceRefused):
            periods.stop_level(bad)


def test_the_order_of_periods_is_no_change() -> None:
    side = Side(on=True, stop=90, periods=((60, 315), (780, 900)))
    assert side.with_periods("13:00-15:00, 01:00-05:15") is side
    assert side.with_periods("13:00-15:00") != side


# -------------------------------------------------------------------------------- the schedule


def raw() -> dict[str, object]:
    def group(sort: int, begin: str, end: str, limit: float) -> dict[str, object]:
        told = {"executeCycleType": 1, "strategyType": sort, "sort": 1, "weeks": [1, 2, 3, 4, 5]}
        return told | {
            "beginTime": begin,
            "endTime": end,
            "chargePower": 3000,
            "chargeLimit": limit,
        }

    return {
        "sysSn": "AL1",
        "executeCycleType": 1,
        "gridChargeCycle": 1,
        "ctrDisCycle": 0,
        "chargeTimeList": [group(0, "01:00", "05:00", 90.0)],
        "dischargeTimeList": [group(1, "17:00", "21:00", 20.0)],
    }


def test_a_schedule_in_one_line_and_back() -> None:
    plan = weekly.read(raw())
    assert plan is not None
    assert plan.text == LINE
    assert weekly.parse(LINE) == (plan.groups, True)
    assert (plan.charge, plan.discharge) == (True, False)
    assert weekly.read(None) is None


def test_what_is_written_has_nothing_that_only_reads_have() -> None:
    plan = weekly.read(raw())
    assert plan is not None
    body = weekly.body(plan)
    assert body["chargeTimeList"] == [
        {
            "beginTime": "01:00",
            "endTime": "05:00",
            "weeks": [1, 2, 3, 4, 5],
            "chargePower": 3000,
            "chargeLimit": 90,
        }
    ]
    assert (body["executeCycleType"], body["gridChargeCycle"], body["ctrDisCycle"]) == (1, 1, 0)
    daily = weekly.body(Plan((Group(charge=True, when=(60, 120), level=90),)))
    assert "weeks" not in daily["chargeTimeList"][0]
    assert "chargePower" not in daily["chargeTimeList"][0]
    assert daily["executeCycleType"] == 0


def test_a_change_keeps_the_switches_that_are_set() -> None:
    plan = weekly.read(raw())
    assert plan is not None
    changed = with_groups("charge 02:00-03:00 80%; discharge 18:00-19:00 15%")(plan)
    assert (changed.weekly, changed.charge, changed.discharge) == (False, True, False)
    assert with_groups(LINE)(plan) is plan
    fresh = with_groups(LINE)(replace(plan, groups=(), charge=None, discharge=None))
    assert (fresh.charge, fresh.discharge) == (True, True)


BOTH = "; discharge 17:00-21:00 20%"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("charge 01:00-05:00 90%", "needs a group with 'discharge'"),
        ("discharge 01:00-05:00 90%", "needs a group with 'charge'"),
        ("charge 01:05-05:00 90%" + BOTH, "no quarter hour"),
        ("charge 01:00-05:00 0.9%" + BOTH, "from 10 to 100"),
        ("charge 01:00-05:00 9%" + BOTH, "from 10 to 100"),
        ("charge 01:00-01:00 90%" + BOTH, "ends when it begins"),
        ("charge 01:00-05:00 xyz 90%" + BOTH, "xyz is none of"),
        ("charge 01:00-05:00 0W 90%" + BOTH, "1 W at least"),
        ("hold 01:00-05:00 90%" + BOTH, "no group of a schedule"),
        ("charge 16:00-18:00 90%" + BOTH, "overlap"),
        ("charge 23:00-01:00 sun 90%; discharge 00:00-01:00 mon 20%", "overlap"),
        (
            "; ".join(f"charge {h:02}:00-{h:02}:30 90%" for h in range(6)) + BOTH,
            "6 groups at most, mon has 7",
        ),
        ("", "needs a group"),
    ],
)
def test_schedules_that_the_service_would_not_take_are_refused(text: str, why: str) -> None:
    with pytest.raises(DeviceRefused, match=why):
        weekly.parse(text)


def test_more_than_28_groups_are_refused() -> None:
    parts = [
        f"{'charge' if n % 2 else 'discharge'} {n:02}:00-{n:02}:15 {day} 50%"
        for day in weekly.DAYS
        for n in range(5)
    ]
    with pytest.raises(DeviceRefused, match="28 groups at most, not 35"):
        weekly.parse("; ".join(parts))


def test_groups_that_touch_or_have_other_days_do_not_overlap() -> None:
    text = "charge 01:00-05:00 sat,sun 90%; discharge 05:00-06:00 sun 20%"
    groups, named = weekly.parse(text)
    assert named
    assert [each.days for each in groups] == [(6, 7), (7,)]
    weekly.parse("charge 01:00-05:00 sat-mon 90%; discharge 01:00-05:00 tue-fri 20%")
    assert weekly.days_text((1, 6, 7)) == "mon,sat-sun"


@pytest.mark.parametrize("change", [{"beginTime": None}, {"chargeLimit": None}, {"weeks": [9]}])
def test_half_a_schedule_is_garbled(change: dict[str, object]) -> None:
    found = raw()
    found["chargeTimeList"] = [found["chargeTimeList"][0] | change]  # type: ignore[index]
    with pytest.raises(DeviceGarbled):
        weekly.read(found)
