"""Energy of hours from readings, and what is made of them: pure, with properties."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.curve.power import added, energy
from bridge.forecast.accuracy import Accuracy, Hour, Meter, hour_of
from tests.forecast.service import HOUR, MIDNIGHT, days, hours

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def heard(powers: list[float | None], *, step: float = 10.0, start: datetime = NOON) -> Meter:
    meter = Meter()
    for count, power in enumerate(powers):
        meter.hear(500 + count * step, start + count * step * SECOND, power)
    return meter


def test_an_hour_of_one_power() -> None:
    ((start, mean),) = heard([640.0] * 361).over(NOON + HOUR)
    assert start == NOON
    assert mean == pytest.approx(640.0)


def test_a_ramp_has_the_mean_of_its_ends() -> None:
    ((_, mean),) = heard([count * 10.0 for count in range(61)], step=60).over(NOON + HOUR)
    assert mean == pytest.approx(300.0)


def test_an_hour_with_a_gap_or_unknown_readings_is_not_measured() -> None:
    assert heard([640.0] * 330 + [None] * 31).over(NOON + HOUR) == []
    assert heard([640.0] * 50, step=73).over(NOON + HOUR) == []
    ((_, mean),) = heard([640.0] * 347 + [None] * 14).over(NOON + HOUR)
    assert mean == pytest.approx(640)


def test_a_wall_clock_that_jumps_is_not_counted() -> None:
    meter = Meter()
    meter.hear(0, NOON, 500)
    meter.hear(10, NOON + 3600 * SECOND, 500)
    meter.hear(20, NOON + 10 * SECOND, 500)
    assert meter.over(NOON + 5 * HOUR) == []


@given(
    st.lists(st.floats(0, 20_000), min_size=2, max_size=40),
    st.floats(1, 60),
    st.integers(0, 3599),
)
def test_the_parts_of_hours_add_up_to_the_whole(
    powers: list[float], step: float, offset: int
) -> None:
    meter = heard([*powers], step=step, start=NOON + offset * SECOND)
    work = sum(part for part, _ in meter._hours.values())
    whole = sum((a + b) / 2 * step for a, b in itertools.pairwise(powers))
    assert work == pytest.approx(whole, rel=1e-6, abs=1e-3)
    assert sum(seconds for _, seconds in meter._hours.values()) == pytest.approx(
        step * (len(powers) - 1)
    )


values = st.lists(st.one_of(st.none(), st.floats(0, 20_000)), min_size=1, max_size=30)


@given(values, st.integers(0, 1800), st.integers(0, 1800), st.integers(0, 1800))
def test_energy_of_a_span_is_that_of_its_parts(
    powers: list[float | None], a: int, b: int, c: int
) -> None:
    curve = hours(NOON, *powers)
    start, middle, end = (NOON + timedelta(minutes=m) for m in sorted((a, b, c)))
    whole, first, rest = (
        energy(curve, x, y) for x, y in ((start, end), (start, middle), (middle, end))
    )
    if first is None or rest is None:
        assert whole is None
    else:
        assert whole == pytest.approx(first + rest, abs=1e-9)


@given(st.lists(values, min_size=1, max_size=4))
def test_planes_add_up_and_a_missing_one_makes_the_sum_unknown(
    planes: list[list[float | None]],
) -> None:
    total = added([hours(NOON, *plane) for plane in planes])
    for count in range(max(map(len, planes))):
        at = [plane[count] if count < len(plane) else None for plane in planes]
        known = [each for each in at if each is not None]
        found = total.at(NOON + count * HOUR)
        if len(known) == len(planes):
            assert found == pytest.approx(sum(known))
        else:
            assert found is None


# --------------------------------------------------------------------------------- comparing


def lived(accuracy: Accuracy, start: datetime, power: float, count: int) -> None:
    """So many hours of one measured power."""
    for number in range(count * 120 + 1):
        moment = start + number * 30 * SECOND
        accuracy.meter.hear(number * 30 + start.timestamp(), moment, power)
        if number % 10 == 0:
            accuracy.tick(moment)


def test_the_forecast_at_the_days_begin_counts_and_not_what_came_later() -> None:
    accuracy = Accuracy(BERLIN, 30)
    accuracy.renewed(days(3), MIDNIGHT - HOUR)
    accuracy.tick(MIDNIGHT)
    accuracy.renewed(days(3).map(lambda slot: slot.value * 2), MIDNIGHT + HOUR)
    lived(accuracy, MIDNIGHT + 9 * HOUR, 1500.0, 2)
    first, second = accuracy.hours.values()
    assert (first.day, first.hour) == (1000, None)
    assert (second.day, second.hour) == (1000, 2000)


def test_a_forecast_of_an_earlier_life_changes_nothing_of_today() -> None:
    accuracy = Accuracy(BERLIN, 30)
    accuracy.renewed(days(3), MIDNIGHT - HOUR)
    lived(accuracy, MIDNIGHT, 1500.0, 10)
    again = Accuracy(BERLIN, 30)
    again.hours, again.day = dict(accuracy.hours), accuracy.day
    again.morning, again.ahead = accuracy.morning, dict(accuracy.ahead)
    again.remembered(days(3).map(lambda slot: slot.value * 2), MIDNIGHT - HOUR)
    assert again.hours == accuracy.hours
    again.tick(MIDNIGHT + 10 * HOUR)
    assert again.hours == accuracy.hours
    assert again.morning == accuracy.morning
    # After a night without a bridge, what was known before it is what the day began with.
    late = Accuracy(BERLIN, 30)
    late.remembered(days(3), MIDNIGHT - HOUR)
    lived(late, MIDNIGHT + 9 * HOUR, 1500.0, 1)
    assert [each.day for each in late.hours.values()] == [1000]


def test_nothing_is_said_of_a_day_whose_begin_was_not_known() -> None:
    accuracy = Accuracy(BERLIN, 30)
    accuracy.renewed(days(3), MIDNIGHT + 8 * HOUR)
    lived(accuracy, MIDNIGHT + 9 * HOUR, 1500.0, 1)
    assert [each.day for each in accuracy.hours.values()] == [None]


def test_a_forecast_that_came_late_in_the_hour_is_none_of_an_hour_ahead() -> None:
    accuracy = Accuracy(BERLIN, 30)
    accuracy.renewed(days(3), MIDNIGHT + 8 * HOUR + 11 * 60 * SECOND)
    assert MIDNIGHT + 9 * HOUR not in accuracy.ahead
    other = Accuracy(BERLIN, 30)
    other.renewed(days(3), MIDNIGHT + 8 * HOUR + 9 * 60 * SECOND)
    assert other.ahead[MIDNIGHT + 9 * HOUR] == 1000


def filled(pairs: list[tuple[float, float]]) -> Accuracy:
    accuracy = Accuracy(BERLIN, 30)
    for number, (forecast, measured) in enumerate(pairs):
        start = 1000.0 + number
        accuracy.hours[start] = Hour(start, measured, forecast, None)
    return accuracy


def test_the_figures_by_hand() -> None:
    pairs = [(1000.0, 800.0)] * 6 + [(500.0, 600.0)] * 6 + [(0.0, 0.0)] * 10
    scores = filled(pairs).scores("day")
    assert scores is not None
    assert scores.hours == 12
    assert scores.mae == pytest.approx(150)
    assert scores.bias == pytest.approx(100 * (6 * 200 - 6 * 100) / 8400)
    assert scores.accuracy == pytest.approx(100 - 100 * 1800 / 8400)
    assert filled(pairs).scores("hour") is None


def test_too_little_tells_nothing() -> None:
    assert filled([(1000.0, 800.0)] * 11).scores("day") is None
    assert filled([(1000.0, 0.0)] * 20).scores("day") is None
    assert filled([(20_000.0, 1.0)] * 20).scores("day") is None


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(1, 1e4)), min_size=12, max_size=40))
def test_bias_never_exceeds_the_error_and_a_perfect_forecast_is_perfect(
    pairs: list[tuple[float, float]],
) -> None:
    scores = filled(pairs).scores("day")
    if scores is not None:
        total = sum(measured for _, measured in pairs)
        assert abs(scores.bias) <= 100 * scores.mae * len(pairs) / total + 1e-6
        assert 0 <= scores.accuracy <= 100
    perfect = filled([(measured, measured) for _, measured in pairs]).scores("day")
    assert perfect is not None
    assert (perfect.mae, perfect.bias, perfect.accuracy) == (0, 0, 100)


def test_old_hours_are_forgotten() -> None:
    accuracy = Accuracy(BERLIN, 2)
    accuracy.hours = {
        (NOON - timedelta(days=age)).timestamp(): Hour(
            (NOON - timedelta(days=age)).timestamp(), 1.0, 1.0, 1.0
        )
        for age in (1, 3)
    }
    accuracy.tick(NOON)
    assert list(accuracy.hours) == [(NOON - timedelta(days=1)).timestamp()]
    assert hour_of(NOON + 59 * 60 * SECOND) == NOON
