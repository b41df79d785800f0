"""Writes are few, never in the unsafe direction, and never more than the day allows."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.pace import Pace

moves = st.lists(
    st.tuples(
        st.floats(0.5, 4000), st.one_of(st.none(), st.floats(0, 12000).map(lambda x: round(x, 1)))
    ),
    min_size=1,
    max_size=80,
)


@pytest.mark.parametrize("urgent", ["down", "up", "both", "none"])
@given(moves=moves, writes=st.sampled_from([0, 3, 10]))
def test_bounds_pauses_and_budget(urgent: str, moves: list, writes: int) -> None:
    pace = Pace(250.0, 60.0, writes, urgent)  # type: ignore[arg-type]
    now, before, changed_at = 0.0, None, -1e9
    changes: list[float] = []
    for seconds, wanted in moves:
        now += seconds
        held = pace.follow(wanted, now)
        if wanted is None:
            assert held is None, "giving back never waits"
        elif held is not None:
            assert held % 250 == 0
            if urgent == "down":
                assert held <= wanted
            if urgent == "up":
                assert held >= wanted
            if urgent == "both":
                assert abs(held - wanted) < 250
        if held != before:
            calm = before is None or held is None
            if held is not None:
                changes.append(now)
                forced = (urgent in {"down", "both"} and before is not None and held < before) or (
                    urgent in {"up", "both"} and before is not None and held > before
                )
                assert forced or now - changed_at >= 60, (calm, before, held)
            changed_at = now
        if writes:
            assert sum(each > now - 86400 for each in changes) <= writes
        before = held


def test_a_breath_around_an_edge_is_one_write() -> None:
    pace = Pace(500.0, 60.0, 0, "down")
    assert pace.follow(2010, 0) == 2000
    assert pace.follow(1990, 1) == 1500
    for second in range(2, 1000):
        assert pace.follow(1990 + second % 2 * 20, second) == 1500
    assert pace.follow(2200, 1001) == 2000


def test_the_pause_grows_as_the_day_is_used_up() -> None:
    pace = Pace(1.0, 60.0, 10, "none")
    times, last = [], None
    for second in range(20_000):
        held = pace.follow(float(second // 10), second)
        if held != last:
            times.append(second)
            last = held
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) == 10
    assert gaps == sorted(gaps)
    assert gaps[0] < 90
    assert gaps[-1] > 600
    assert pace.exhausted
    assert pace.held == last, "nothing urgent: what stands may stand"
    assert pace.follow(None, 20_000) is None
    assert pace.follow(5.0, 21_000) is None
    assert pace.follow(5.0, 200_000) == 5.0


def test_without_writes_left_the_urgent_way_is_to_give_back() -> None:
    pace = Pace(100.0, 0.0, 1, "down")
    assert pace.follow(1000, 0) == 1000
    assert pace.follow(2000, 10) == 1000
    assert pace.follow(900, 20) is None
    assert pace.exhausted


def test_what_was_never_written_is_no_change() -> None:
    pace = Pace(1, 300, 40)
    assert pace.follow(60, 0) == 60
    pace.undo()
    assert (pace.held, pace.used(0)) == (None, 0)
    assert pace.follow(None, 1) is None
    assert pace.follow(60, 2) == 60, "nothing was given back a moment ago"
