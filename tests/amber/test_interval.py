"""What Amber tells of an interval: time, sign, and everything that may be missing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import actors.tariffs.amber as package
from actors.tariffs.amber.columns import interval_rows, total_of
from actors.tariffs.amber.curves import export_curve, import_curve, shortest
from actors.tariffs.amber.facts import facts
from actors.tariffs.amber.interval import (
    CONTROLLED,
    GENERAL,
    Band,
    interval_at,
    of_channel,
    read_intervals,
    read_renewables,
)
from actors.tariffs.amber.simulator.items import House, floor
from actors.tariffs.amber.simulator.market import Market
from bridge.errors import DeviceError, DeviceGarbled

SAMPLES = Path(package.__file__).parent / "samples"
FIVE = timedelta(minutes=5)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def item(**changes: Any) -> dict[str, Any]:
    found = {
        "type": "CurrentInterval",
        "duration": 5,
        "date": "2026-10-04",
        "startTime": "2026-10-04T02:00:01Z",
        "endTime": "2026-10-04T02:05:00Z",
        "nemTime": "2026-10-04T12:05:00+10:00",
        "perKwh": 24.5,
        "spotPerKwh": -3.25,
        "renewables": 45.5,
        "channelType": "general",
        "spikeStatus": "none",
        "descriptor": "extremelyLow",
        "estimate": True,
    }
    return {name: value for name, value in (found | changes).items() if value != "absent"}


# ---------------------------------------------------------------------------- time


def test_the_late_second_of_a_start_is_taken_off() -> None:
    (found,) = read_intervals([item()])
    assert found.start == datetime(2026, 10, 4, 2, 0, tzinfo=UTC)
    assert found.end == datetime(2026, 10, 4, 2, 5, tzinfo=UTC)
    assert (found.minutes, found.day) == (5, date(2026, 10, 4))


@pytest.mark.parametrize(
    ("missing", "length"),
    [(("startTime",), 5), (("endTime",), 5), (("endTime", "nemTime"), 5), (("duration",), 5)],
)
def test_a_time_that_is_missing_follows_from_the_others(
    missing: tuple[str, ...], length: int
) -> None:
    (found,) = read_intervals([item(**dict.fromkeys(missing, "absent"))])
    assert (found.start.minute, found.end.minute, found.minutes) == (0, 5, length)


@pytest.mark.parametrize(
    "wrong",
    [
        {"startTime": "absent", "duration": "absent"},
        {"startTime": "2026-10-04T02:05:00Z"},
        {"startTime": "yesterday"},
        {"endTime": 17},
        {"perKwh": "cheap"},
        {"perKwh": True},
    ],
)
def test_what_makes_no_sense_is_one_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(DeviceGarbled, match="Amber answers with an interval in which "):
        read_intervals([item(**wrong)])


@pytest.mark.parametrize("raw", [None, {}, "x", [1], [[]]])
def test_what_is_no_list_is_refused(raw: Any) -> None:
    for read in (read_intervals, read_renewables):
        with pytest.raises(DeviceGarbled, match="something else than a list"):
            read(raw)


def test_the_length_is_each_intervals_own_whatever_was_asked_for() -> None:
    raw = [
        item(startTime=f"2026-10-04T02:{m:02}:01Z", endTime=f"2026-10-04T02:{m + 5:02}:00Z")
        for m in (0, 5)
    ]
    raw.append(item(startTime="2026-10-04T02:10:01Z", endTime="2026-10-04T02:40:00Z", duration=5))
    found = read_intervals(raw)
    assert [each.minutes for each in found] == [5, 5, 30]
    assert shortest(found) == FIVE
    curve = import_curve(found, GENERAL, predicted=True)
    assert curve.covers(found[0].start, found[2].end)


def test_the_market_knows_no_daylight_saving() -> None:
    """On the day on which Sydney puts its clocks on, the market's day has 288 intervals."""
    house = House(length=5, late=0)
    start = datetime(2026, 10, 3, 14, tzinfo=UTC)  # the market's midnight
    raw = house.of_days(start, start + timedelta(days=1), start + timedelta(days=3), 5)
    found = of_channel(read_intervals(raw), GENERAL)
    assert len(found) == 288
    assert {each.day for each in found} == {date(2026, 10, 4)}
    curve = import_curve(found, GENERAL, predicted=True)
    assert curve.covers(start, start + timedelta(days=1))
    assert (curve.start, curve.end) == (start, start + timedelta(days=1))


# ---------------------------------------------------------------------------- sign


def test_prices_of_a_spike_have_our_signs() -> None:
    found = read_intervals(sample("current_30"))
    now = datetime(2026, 4, 4, 8, 30, 40, tzinfo=UTC)
    imports = import_curve(found, GENERAL, predicted=True)
    exports = export_curve(found, predicted=True)
    assert exports is not None
    assert imports.at(now) == pytest.approx(3.6138462)
    assert exports.at(now - timedelta(minutes=30)) == pytest.approx(16.2618987)
    assert facts(interval_at(of_channel(found, GENERAL), now)) == {
        "SpotPrice": pytest.approx(3.197053, abs=2e-6),
        "PriceEstimate": True,
        "PriceDescriptor": "spike",
        "SpikeStatus": "potential",
        "DemandWindow": True,
        "Renewables": 29.35,
    }


def test_exporting_at_a_negative_price_costs_money() -> None:
    found = read_intervals(sample("current_5"))
    now = datetime(2026, 10, 4, 2, 0, 31, tzinfo=UTC)
    exports = export_curve(found, predicted=True)
    assert exports is not None
    assert exports.at(now) == pytest.approx(-0.1025411)
    spot = facts(interval_at(of_channel(found, GENERAL), now))["SpotPrice"]
    assert spot == pytest.approx(-0.097356)


def test_a_channel_that_is_missing_is_no_error() -> None:
    found = read_intervals([item()])
    assert export_curve(found, predicted=True) is None
    assert not len(import_curve(found, CONTROLLED, predicted=True))
    assert len(import_curve(found, GENERAL, predicted=True)) == 1


def test_the_controlled_load_is_a_curve_of_its_own() -> None:
    found = read_intervals(sample("current_30"))
    now = datetime(2026, 4, 4, 8, 30, 40, tzinfo=UTC)
    general, controlled = (
        import_curve(found, channel, predicted=True).at(now) for channel in (GENERAL, CONTROLLED)
    )
    assert general is not None
    assert controlled is not None
    assert controlled < general


def test_a_forecast_is_the_prediction_where_there_is_one() -> None:
    band = {"low": 20, "predicted": 21.5, "high": 30}
    later = {"startTime": "2026-10-04T02:05:01Z", "endTime": "2026-10-04T02:10:00Z"}
    raw = [
        item(advancedPrice=band),
        item(type="ForecastInterval", advancedPrice=band, **later),
    ]
    found = read_intervals(raw)
    at = found[1].start
    assert import_curve(found, GENERAL, predicted=True).at(at) == 0.215
    assert import_curve(found, GENERAL, predicted=False).at(at) == 0.245
    # What is billed now is no prediction.
    assert import_curve(found, GENERAL, predicted=True).at(found[0].start) == 0.245
    raw[1]["advancedPrice"] = {"low": 1, "high": 2}
    found = read_intervals(raw)
    assert import_curve(found, GENERAL, predicted=True).at(at) == 0.245


def test_a_band_of_feeding_in_is_turned_around() -> None:
    raw = item(channelType="feedIn", advancedPrice={"low": 4.23, "predicted": 3.73, "high": 3.21})
    (found,) = read_intervals([raw])
    assert found.band == Band(3.21, 3.73, 4.23)
    (row,) = interval_rows([found], UTC)
    assert (row["low"], row["predicted"], row["high"]) == (-0.0423, -0.0373, -0.0321)
    assert row["price"] == -0.245


def test_unknown_is_unknown() -> None:
    gone = ("perKwh", "spotPerKwh", "renewables", "spikeStatus", "descriptor", "estimate")
    (found,) = read_intervals([item(**dict.fromkeys(gone, None))])
    assert set(facts(found).values()) == {None}
    assert set(facts(None).values()) == {None}
    assert set(facts(None)) == set(facts(found))
    (row,) = interval_rows([found], UTC)
    assert (row["price"], row["spot"], row["renewables"]) == (None, None, None)


def test_words_and_shares_that_nobody_knows_do_not_reach_a_topic() -> None:
    (found,) = read_intervals([item(spikeStatus="panic", renewables=140, descriptor="a/b #")])
    told = facts(found)
    assert (told["SpikeStatus"], told["Renewables"], told["PriceDescriptor"]) == (None, None, None)


def test_numbers_as_texts_are_numbers() -> None:
    (found,) = read_intervals([item(perKwh="24.5", renewables="45.5")])
    assert (found.price, found.renewables) == (24.5, 45.5)


def test_usage_is_as_the_meters_count() -> None:
    found = read_intervals(sample("usage"))
    fed = of_channel(found, "feedIn")[0]
    assert (fed.kwh, fed.meter, fed.quality) == (-1.1, "B1", "estimated")
    (row,) = interval_rows([fed], UTC)
    assert row["cost"] == pytest.approx(-0.016882)
    assert row["price"] == pytest.approx(0.0153475)
    total = total_of(found)
    assert total["energy"] == pytest.approx(-2.0)
    assert total_of([])["energy"] is None
    (unknown,) = read_intervals([item(type="Usage")])
    assert total_of([*found, unknown]) == {"energy": None, "cost": None}


def test_renewables_are_read() -> None:
    found = read_renewables(sample("renewables"))
    assert [each.kind for each in found] == ["actual", "current", "forecast"]
    assert found[1].renewables == 29.35


# ---------------------------------------------------------------------------- all of it


@given(
    length=st.sampled_from([5, 30]),
    order=st.sampled_from(["documented", "reversed", "mixed"]),
    day=st.sampled_from(["usual", "negative", "spike", "flat"]),
    second=st.integers(0, 365 * 86400),
    before=st.integers(0, 6),
    after=st.integers(0, 12),
    settled=st.sampled_from([None, 45.0]),
)
def test_whatever_the_order_the_curves_have_no_hole_and_our_signs(
    length: int,
    order: str,
    day: str,
    second: int,
    before: int,
    after: int,
    settled: float | None,
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    house = House(
        length=length,
        channels=("general", "controlledLoad", "feedIn"),
        order=order,
        settled=settled,
        market=Market(days=(day,)),
    )
    raw = house.current(now, length, before, after)
    found = read_intervals(raw)
    shown = floor(now - timedelta(seconds=house.late), length).astimezone(UTC)
    step = timedelta(minutes=length)
    imports = import_curve(found, GENERAL, predicted=False)
    exports = export_curve(found, predicted=False)
    assert exports is not None
    for curve in (imports, exports):
        assert len(curve) == before + after + 1
        assert (curve.start, curve.end) == (shown - before * step, shown + (after + 1) * step)
        assert curve.covers(shown - before * step, shown + (after + 1) * step)
        assert curve.notes == ()
        for slot in curve:
            assert slot.start.second == slot.end.second == 0
    told = {each["nemTime"]: each["perKwh"] for each in raw if each["channelType"] == "feedIn"}
    for slot in exports:
        market = (slot.end + timedelta(hours=10)).strftime("%Y-%m-%dT%H:%M:%S+10:00")
        assert slot.value == pytest.approx(-told[market] / 100, abs=1e-6)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(list(item())), inner, max_size=8)
        ),
        max_leaves=20,
    )
)
def test_nonsense_is_refused_in_one_sentence_or_read(raw: Any) -> None:
    refused = 0
    for candidate in (raw, [raw], [item(), raw]):
        for read in (read_intervals, read_renewables):
            sentence = ""
            try:
                found = read(candidate)
            except DeviceError as error:
                found, sentence = [], str(error)
                refused += 1
            assert sentence.isprintable()
            assert all(each.start < each.end for each in found)
    assert refused >= 2 or isinstance(raw, (dict, list))
