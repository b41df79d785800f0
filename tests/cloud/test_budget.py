"""The arithmetic of a budget, over every pattern of asking that hypothesis can think of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cloud.budget import Limits, after, earliest
from bridge.errors import CurveError

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
SPRING = datetime(2026, 3, 28, 20, tzinfo=UTC).timestamp()
AUTUMN = datetime(2026, 10, 24, 20, tzinfo=UTC).timestamp()
ZONES = ("UTC", "Europe/Berlin", "Australia/Adelaide", "America/Santiago")

limits = st.builds(
    Limits,
    gap=st.sampled_from([0.0, 1.0, 10.0, 61.5]),
    windows=st.lists(
        st.tuples(st.integers(1, 5), st.sampled_from([5.0, 60.0, 300.0, 3600.0])), max_size=3
    ).map(tuple),
    per_day=st.none() | st.integers(1, 6),
    day_zone=st.sampled_from(ZONES),
)
pauses = st.lists(
    st.sampled_from([0.0, 0.0, 0.3, 2.0, 9.0, 55.0, 700.0, 8000.0, 50000.0]), max_size=40
)


def asked(rules: Limits, begin: float, waits: list[float]) -> list[float]:
    """When calls go out, each wanted some time after the one before was."""
    calls: list[float] = []
    now = begin
    for wait in waits:
        now += wait
        moment = earliest(rules, calls, now)
        assert moment >= now
        calls.append(moment)
        now = moment
    return calls


@given(limits, st.sampled_from([NOON, SPRING, AUTUMN, 5.0]), pauses)
def test_no_limit_is_ever_broken(rules: Limits, begin: float, waits: list[float]) -> None:
    calls = asked(rules, begin, waits)
    for first, second in pairwise(calls):
        assert second - first >= rules.gap - 1e-6
    for most, span in rules.windows:
        for index, call in enumerate(calls):
            inside = [other for other in calls[: index + 1] if other > call - span + 1e-6]
            assert len(inside) <= most
    if rules.per_day is not None:
        zone = ZoneInfo(rules.day_zone)
        days = [datetime.fromtimestamp(call, UTC).astimezone(zone).date() for call in calls]
        assert all(days.count(day) <= rules.per_day for day in days)


@given(limits, st.sampled_from([NOON, SPRING, AUTUMN]), pauses)
def test_nobody_waits_longer_than_a_limit_asks(
    rules: Limits, begin: float, waits: list[float]
) -> None:
    """One second earlier some limit would be broken: no call waits for nothing."""
    calls = asked(rules, begin, waits)
    moment = earliest(rules, calls, begin)
    before = moment - 1.0
    if before <= begin:
        return
    late = [before - calls[-1] < rules.gap]
    late += [sum(call > before - span for call in calls) >= most for most, span in rules.windows]
    if rules.per_day is not None:
        late.append(rules.on_day(calls, before) >= rules.per_day)
    late.append(before < calls[-1])
    assert any(late)


@given(limits, pauses)
def test_a_wait_has_a_bound(rules: Limits, waits: list[float]) -> None:
    calls = asked(rules, NOON, waits)
    last = calls[-1] if calls else NOON
    assert earliest(rules, calls, last) - last <= max(rules.horizon, 0.0)


def test_a_day_ends_at_midnight_of_its_own_zone() -> None:
    rules = Limits(per_day=2, day_zone="Europe/Berlin")
    begin = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()  # a day of 25 hours
    calls = [begin, begin + 60]
    found = datetime.fromtimestamp(earliest(rules, calls, begin + 120), UTC)
    assert found == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)


def test_a_day_resets_though_the_last_call_was_a_moment_ago() -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    rules = Limits(per_day=1)
    assert earliest(rules, [midnight - 1], midnight - 0.5) == midnight
    assert earliest(rules, [midnight - 1], midnight) == midnight
    assert earliest(rules, [midnight], midnight + 1) == midnight + 86400


def test_windows_slide() -> None:
    rules = Limits(windows=((2, 60.0),))
    assert earliest(rules, [0.0, 50.0], 55.0) == 60.0
    assert earliest(rules, [0.0, 50.0, 60.0], 61.0) == 110.0


def test_a_service_that_wants_to_be_left_alone_is() -> None:
    assert earliest(Limits(), [], 100.0, until=130.0) == 130.0
    assert earliest(Limits(gap=10), [125.0], 126.0, until=130.0) == 135.0


def test_those_who_wait_count() -> None:
    assert after(Limits(gap=10), [0.0], 0.0, 0, None) == 10.0
    assert after(Limits(gap=10), [0.0], 0.0, 3, None) == 40.0
    assert after(Limits(), [], 5.0, 3, None) == 5.0


def test_the_calls_of_a_day_are_counted() -> None:
    rules = Limits(per_day=10, day_zone="Europe/Berlin")
    midnight = datetime(2026, 11, 20, 23, tzinfo=UTC)
    calls = [(midnight + timedelta(hours=hours)).timestamp() for hours in (-1, 0, 1, 23, 24)]
    assert rules.on_day(calls, midnight.timestamp()) == 3


@pytest.mark.parametrize(
    "given_",
    [{"gap": -1}, {"windows": ((0, 60),)}, {"windows": ((1, 0),)}, {"per_day": 0}],
)
def test_limits_that_allow_nothing_are_refused(given_: dict) -> None:
    with pytest.raises(ValueError, match="at least one call"):
        Limits(**given_)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(CurveError):
        Limits(per_day=1, day_zone="Mars/Olympus")
