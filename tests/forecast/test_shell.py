"""What a forecast publishes and when, under virtual time; it is noon in UTC, 13:00 in Berlin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bridge.forecast import ForecastSettings, Outlook
from bridge.forecast.view import view
from tests.forecast.service import (
    DOWN,
    HOUR,
    MIDNIGHT,
    NOON,
    Scripted,
    days,
    down,
    hours,
    living,
)
from tests.runtime.virtual import VIRTUAL, context

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module", params=[VIRTUAL], ids=["virtual"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


async def test_it_publishes_power_energies_and_the_curve(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        assert box.value("PvPower") == "1000"
        assert box.value("EnergyToday") == "8"
        assert box.value("EnergyRemaining") == "3"  # 13:00 to 16:00 in Berlin
        assert box.value("EnergyTomorrow") == "8"
        assert box.value("Accuracy") == ""
        curve = box.curve()
        assert curve is not None
        assert curve[0] == {
            "start": "2026-11-20T23:00:00Z",
            "end": "2026-11-21T00:00:00Z",
            "power": 0,
        }
        assert len(curve) == 48
        assert box.error() is None


async def test_power_changes_exactly_at_the_border_of_a_slot(tmp_path: Path) -> None:
    answer = hours(NOON, 100.0, 200.0, 300.0, 400.0, step=timedelta(minutes=15))
    async with living(tmp_path, answer=answer) as box:
        await box.until(NOON + 61 * MINUTE)
        sent: list[tuple[float, bytes]] = []
        for moment, where, payload in box.wire.sent:
            if where == "Forecasts/dut/PvPower" and (not sent or sent[-1][1] != payload):
                sent.append((round(moment - 1000, 6), payload))
        assert sent[-5:] == [
            (0.0, b"100"),
            (900.0, b"200"),
            (1800.0, b"300"),
            (2700.0, b"400"),
            (3600.0, b""),
        ]


async def test_the_remaining_energy_falls_as_time_goes_on(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        await box.until(NOON + 30 * MINUTE)
        assert box.value("EnergyRemaining") == "2.5"
        await box.until(NOON + 4 * HOUR)
        assert box.value("EnergyRemaining") == "0"


async def test_an_energy_is_unknown_where_any_part_of_its_time_is(tmp_path: Path) -> None:
    answer = hours(NOON, *([500.0] * 4 + [None] + [0.0] * 6))  # until midnight in Berlin
    async with living(tmp_path, answer=answer) as box:
        for name in ("EnergyToday", "EnergyRemaining", "EnergyTomorrow"):
            assert box.value(name) == "", name
        assert box.value("PvPower") == "500"
        await box.until(NOON + 4 * HOUR + MINUTE)
        assert box.value("PvPower") == ""
        assert (box.error() or "").startswith("the forecast for now is unknown until 2026-11-21 18")
        await box.until(NOON + 5 * HOUR + MINUTE)
        assert box.value("EnergyRemaining") == "0"


async def test_a_range_stands_beside_the_power(tmp_path: Path) -> None:
    power = days(1)
    answer = Outlook(power, power.map(lambda slot: slot.value / 2), None)
    async with living(tmp_path, answer=answer) as box:
        curve = box.curve()
        assert curve is not None
        assert curve[9] | {"start": "", "end": ""} == {
            "start": "",
            "end": "",
            "power": 1000,
            "p10": 500,
        }


async def test_what_is_known_stays_valid_while_the_service_is_down_for_a_day(
    tmp_path: Path,
) -> None:
    async with living(tmp_path) as box:
        box.actor.answer = down()
        await box.until(NOON + DAY)
        assert box.value("PvPower") == "1000"
        assert box.value("EnergyToday") == "8"
        assert box.value("EnergyTomorrow") == ""
        assert box.error() == f"{DOWN}; the forecast is known until 2026-11-23 00:00"
        assert len(box.actor.asked) < 30
        await box.until(NOON + 2 * DAY)
        assert box.value("PvPower") == ""
        assert box.curve() is None
        assert box.error() == f"no forecast is known any more since 2026-11-23 00:00: {DOWN}"
        box.actor.answer = days(start=MIDNIGHT + 2 * DAY)
        await box.until(NOON + 2 * DAY + 2 * HOUR)
        assert box.error() is None
        assert box.value("EnergyToday") == "8"


async def test_a_restart_shows_what_is_known_and_asks_nothing(tmp_path: Path) -> None:
    async with living(tmp_path, pause=7200.0) as box:
        curve = box.curve()
    async with living(tmp_path, answer=down(), pause=7200.0) as box:
        assert box.curve() == curve
        assert box.actor.asked == []
        await box.until(NOON + 2 * HOUR + MINUTE)
        assert len(box.actor.asked) == 1


async def test_what_was_asked_for_another_roof_is_forgotten(tmp_path: Path) -> None:
    async with living(tmp_path):
        pass
    text = (tmp_path / "dut" / "forecast.json").read_text()
    (tmp_path / "dut" / "forecast.json").write_text(text.replace('"source":"', '"source":"x'))
    async with living(tmp_path, answer=down()) as box:
        assert box.curve() is None
        assert box.error() == DOWN


async def test_an_old_forecast_is_refused(tmp_path: Path) -> None:
    async with living(tmp_path, answer=hours(NOON - 5 * HOUR, 1.0, 2.0)) as box:
        assert box.error() == "the service answers, but has no forecast for now or later"
        assert box.value("PvPower") == ""


async def test_a_power_that_no_house_has_is_left_out(tmp_path: Path) -> None:
    async with living(tmp_path, answer=hours(NOON, 100.0, 2e6, 300.0)) as box:
        curve = box.curve()
        assert [point["power"] for point in curve or ()] == [100, 300]
        assert "2e+06 W" in (box.wire.last("Actors/dut/Messages/Warning") or "")


async def test_the_days_when_clocks_change_have_23_and_25_hours(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    for start, count in (
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
    ):
        found = Outlook(hours(start, *[1000.0] * (count + 24)))
        shown = view(found, start, zone, limit=65536)
        assert (shown.today, shown.remaining, shown.tomorrow) == (count, count, 24)
        short = Outlook(hours(start, *[1000.0] * (count - 1)))
        assert view(short, start, zone, limit=65536).remaining is None


async def test_the_curve_is_cut_where_a_message_takes_no_more() -> None:
    found = Outlook(days(2))
    shown = view(found, NOON, ZoneInfo("Europe/Berlin"), limit=2000)
    assert shown.curve is not None
    assert 20 < len(shown.curve) < 48
    assert shown.until == found.power.slots[len(shown.curve)].start


# ------------------------------------------------------------------------------ how right it was


async def test_accuracy_of_a_day_over_mqtt(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        await box.until(MIDNIGHT + DAY)
        box.actor.answer = days(3).map(lambda slot: slot.value * 0.9)
        await box.until(MIDNIGHT + DAY + 7 * HOUR)
        await box.shine(800.0, MIDNIGHT + DAY + 16 * HOUR + MINUTE)
        assert box.value("Accuracy") == ""  # nine hours tell nothing yet
        await box.until(MIDNIGHT + 2 * DAY + 7 * HOUR)
        await box.shine(800.0, MIDNIGHT + 2 * DAY + 17 * HOUR + MINUTE)
        # 8 h of 1000 W and 8 h of 900 W were expected at the days' begins, 3 h of 0 W
        assert box.value("MeanAbsoluteError") == str(round((8 * 200 + 8 * 100 + 3 * 800) / 19, 1))
        assert box.value("Bias") == str(round(100 * (1600 + 800 - 2400) / (19 * 800), 1) or 0)
        wrong = 100 * (1600 + 800 + 2400) / (19 * 800)
        assert box.value("Accuracy") == str(round(100 - wrong, 1))
        # An hour before, the second answer was known on both days.
        assert box.value("AccuracyHourAhead") == str(
            round(100 - 100 * (16 * 100 + 3 * 800) / (19 * 800), 1)
        )


async def test_retained_and_unknown_power_never_count(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        await box.shine(800.0, NOON + 2 * HOUR, retained=True)
        await box.shine(None, NOON + 4 * HOUR)
        assert box.actor.accuracy.hours == {}
        await box.shine(800.0, NOON + 5 * HOUR + MINUTE)
        (hour,) = box.actor.accuracy.hours.values()
        assert hour.measured == pytest.approx(800)


async def test_a_house_without_measured_pv_compares_nothing(tmp_path: Path) -> None:
    async with living(tmp_path, site=False) as box:
        await box.shine(800.0, NOON + 2 * HOUR)
        assert box.actor.accuracy.hours == {}


async def test_what_was_compared_outlives_a_restart(tmp_path: Path) -> None:
    async with living(tmp_path, pause=86400.0) as box:
        await box.shine(800.0, NOON + 3 * HOUR + MINUTE)
        before = dict(box.actor.accuracy.hours)
        assert len(before) == 3
    # The forecast in use is older than these hours, and yet they are kept.
    about = context(tmp_path, settings=ForecastSettings(timezone="Europe/Berlin"))
    actor = Scripted(about)
    assert actor.known is not None
    assert actor.accuracy.hours == before
    actor.accuracy.tick(NOON + 3 * HOUR + MINUTE)
    assert actor.accuracy.hours == before
    other = context(tmp_path, settings=ForecastSettings(timezone="Europe/Berlin", measured="roof"))
    assert Scripted(other).accuracy.hours == {}
