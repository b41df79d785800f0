"""Every kind of bad input: the curve is right or absent, never guessed."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.curve import Curve
from bridge.errors import CurveError, DeviceGarbled
from tests.curve.strategies import BEGIN, HOUR, QUARTER, at, same_each_time, shown, sound


def starts(*texts: str, step: float = 1) -> Curve:
    """A list that has only starts; values count up."""
    return Curve.of((at(f"21 {text}"), None, n * step) for n, text in enumerate(texts))


def spans(found: Curve) -> list[str]:
    return [f"{a}-{b}" for a, b, _ in shown(found)]


def full(text: str, value: float | None) -> tuple[datetime, datetime, float | None]:
    begin, _, end = text.partition("-")
    return at(f"21 {begin}"), at(f"21 {end}"), value


# ------------------------------------------------------------------------------- ends from starts


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["10:00", "11:00"], ["10:00-11:00", "11:00-12:00"]),
        (["10:00", "10:15", "10:30"], ["10:00-10:15", "10:15-10:30", "10:30-10:45"]),
        # hourly, then quarter-hourly, and back
        (
            ["10:00", "11:00", "12:00", "12:15", "12:30"],
            ["10:00-11:00", "11:00-12:00", "12:00-12:15", "12:15-12:30", "12:30-12:45"],
        ),
        (
            ["10:30", "10:45", "11:00", "12:00", "13:00"],
            ["10:30-10:45", "10:45-11:00", "11:00-12:00", "12:00-13:00", "13:00-14:00"],
        ),
        # a gap is not bridged: the slot before it is as long as its neighbours
        (
            ["10:00", "10:15", "11:15", "11:30"],
            ["10:00-10:15", "10:15-10:30", "11:15-11:30", "11:30-11:45"],
        ),
        (
            ["10:00", "11:00", "12:00", "15:00", "16:00"],
            ["10:00-11:00", "11:00-12:00", "12:00-13:00", "15:00-16:00", "16:00-17:00"],
        ),
        # one hour before quarters may as well be a gap: the quarter is right in either case
        (["10:00", "11:00", "11:15"], ["10:00-10:15", "11:00-11:15", "11:15-11:30"]),
        # two gaps of the same length are no hours, on the full hour or not
        (
            ["09:45", "10:00", "11:00", "12:00", "12:15"],
            ["09:45-10:00", "10:00-10:15", "11:00-11:15", "12:00-12:15", "12:15-12:30"],
        ),
        (
            ["10:05", "10:35", "11:05", "11:20"],
            ["10:05-10:20", "10:35-10:50", "11:05-11:20", "11:20-11:35"],
        ),
    ],
)
def test_ends_are_derived_from_the_other_starts(texts: list[str], wanted: list[str]) -> None:
    found = starts(*texts)
    assert spans(found) == wanted
    assert [slot.value for slot in found] == list(range(len(texts)))
    assert found.notes == ()


def test_a_null_ends_the_slot_before_it_and_is_a_hole() -> None:
    found = Curve.of(
        [(at("21 10:00"), None, 0.1), (at("21 10:15"), None, None), (at("21 10:30"), None, 0.3)]
    )
    assert shown(found) == [("10:00", "10:15", 0.1), ("10:30", "10:45", 0.3)]


def test_one_start_without_any_end_is_nothing_to_use() -> None:
    with pytest.raises(CurveError, match="1 of the rates have no end"):
        Curve.of([(BEGIN, None, 0.1)], what="rates")


def test_given_ends_help_the_last_one_that_has_none() -> None:
    found = Curve.of([full("10:00-10:30", 0.1), (at("21 10:30"), None, 0.2)])
    assert shown(found) == [("10:00", "10:30", 0.1), ("10:30", "11:00", 0.2)]


# ------------------------------------------------------------------------------------- mending


def test_nothing_is_nothing_and_nulls_are_holes() -> None:
    assert Curve.of([]) == Curve()
    assert Curve.of([full("10:00-11:00", None)]) == Curve()
    assert Curve.of([full("10:00-11:00", None), full("11:00-12:00", 1.0)]).slots[0].value == 1


def test_order_and_exact_duplicates_do_not_matter() -> None:
    rows = [full("10:00-10:15", 0.1), full("10:15-10:30", 0.2), full("11:00-11:15", 0.3)]
    wanted = Curve.of(rows)
    shuffled = rows * 3
    random.Random(5).shuffle(shuffled)
    assert Curve.of(shuffled) == wanted
    assert wanted.notes == ()


def test_a_value_beside_a_null_for_the_same_time_stands() -> None:
    found = Curve.of([full("10:00-10:15", None), full("10:00-10:15", 0.2)])
    assert shown(found) == [("10:00", "10:15", 0.2)]


def test_holes_of_a_second_are_closed() -> None:
    second = timedelta(seconds=1)
    begin = at("21 10:00")
    found = Curve.of(
        [
            (begin + second, begin + QUARTER, 0.1),
            (begin + QUARTER + second, begin + 2 * QUARTER, 0.2),
            (begin + 2 * QUARTER, begin + 3 * QUARTER - second, 0.3),
            (begin + 3 * QUARTER, begin + 4 * QUARTER - timedelta(milliseconds=1), 0.4),
        ]
    )
    assert found.covers(begin, begin + HOUR)
    assert spans(found) == ["10:00-10:15", "10:15-10:30", "10:30-10:45", "10:45-11:00"]


def test_a_hole_of_two_seconds_stays_one() -> None:
    begin = at("21 10:00")
    found = Curve.of(
        [(begin, begin + QUARTER, 0.1), (begin + QUARTER + timedelta(seconds=2), begin + HOUR, 0.2)]
    )
    assert found.at(begin + QUARTER + timedelta(seconds=1)) is None


def test_offsets_from_utc_are_understood() -> None:
    cet = timezone(HOUR)
    found = Curve.of([(datetime(2026, 11, 21, 11, tzinfo=cet), at("21 11:00"), 0.5)])
    assert shown(found) == [("10:00", "11:00", 0.5)]
    sound(found)


def test_two_values_for_one_time_leave_both_out_with_a_note() -> None:
    found = Curve.of(
        [full("10:00-10:15", 0.1), full("10:15-10:30", 0.2), full("10:15-10:30", 0.25)]
    )
    assert shown(found) == [("10:00", "10:15", 0.1)]
    (note,) = found.notes
    assert "10:15" in note
    assert "0.2 and 0.25" in note


def test_a_long_slot_that_is_contradicted_in_part_goes_as_a_whole() -> None:
    found = Curve.of([full("10:00-11:00", 0.1), full("10:30-10:45", 0.2), full("11:00-12:00", 0.3)])
    assert shown(found) == [("11:00", "12:00", 0.3)]
    assert "2 of them are left out" in found.notes[0]


def test_overlaps_that_agree_are_one() -> None:
    found = Curve.of([full("10:00-11:00", 0.1), full("10:30-11:30", 0.1), full("10:15-10:30", 0.1)])
    assert shown(found) == [("10:00", "11:00", 0.1), ("11:00", "11:30", 0.1)]
    assert found.notes == ()


def test_contradictions_everywhere_are_no_curve() -> None:
    with pytest.raises(CurveError, match="nothing of the prices can be used") as caught:
        Curve.of([full("10:00-11:00", 0.1), full("10:00-11:00", 0.2)])
    assert isinstance(caught.value, DeviceGarbled)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((datetime(2026, 11, 21), None, 0.1), "without an offset"),  # noqa: DTZ001 - the case
        ((BEGIN, datetime(2026, 11, 21), 0.1), "without an offset"),  # noqa: DTZ001 - the case
        ((BEGIN, BEGIN + HOUR, float("nan")), "not finite"),
        ((BEGIN, BEGIN + HOUR, float("inf")), "not finite"),
        ((BEGIN, BEGIN - HOUR, 0.1), "before its start"),
        ((BEGIN, BEGIN, 0.1), "before its start"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    row: tuple[datetime, datetime | None, float], words: str
) -> None:
    with pytest.raises(CurveError, match=words):
        Curve.of([row])


def test_endless_input_is_refused() -> None:
    def rows() -> object:
        moment = BEGIN
        while True:
            yield (moment, moment + QUARTER, 0.1)
            moment += QUARTER

    with pytest.raises(CurveError, match="more than 50000"):
        Curve.of(rows())  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------ properties

minutes = st.integers(0, 40).map(lambda n: BEGIN + n * QUARTER)
rows = st.lists(
    st.tuples(
        minutes,
        st.one_of(st.none(), st.sampled_from([QUARTER, HOUR, 2 * QUARTER])),
        st.one_of(st.none(), st.sampled_from([0.1, 0.2])),
    ),
    max_size=30,
)


@same_each_time
@given(rows, st.randoms(use_true_random=False))
def test_whatever_comes_the_curve_is_sound_and_says_only_what_came(
    drawn: list[tuple[datetime, timedelta | None, float | None]], dice: random.Random
) -> None:
    raw = [(start, None if n is None else start + n, value) for start, n, value in drawn]
    try:
        found = Curve.of(raw)
    except CurveError:
        assert raw
        return
    sound(found)
    again = list(raw) * 2
    dice.shuffle(again)
    assert Curve.of(again) == found
    for slot in found:
        moment = slot.start
        while moment < slot.end:
            told = {
                value
                for start, end, value in raw
                if value is not None and start <= moment and (end is None or moment < end)
            }
            assert slot.value in told
            certain = {v for s, e, v in raw if v is not None and e and s <= moment < e}
            assert certain <= {slot.value}
            moment += QUARTER


@same_each_time
@given(
    st.sampled_from([QUARTER, 2 * QUARTER, HOUR]),
    st.integers(2, 60),
    st.sets(st.integers(1, 58), max_size=8),
)
def test_missing_rows_are_holes_of_just_their_size(
    step: timedelta, count: int, missing: set[int]
) -> None:
    """At least one pair of neighbours shows the step; nothing longer is then invented."""
    kept = [n for n in range(count) if n not in missing]
    if not any(n + 1 in kept for n in kept):
        return
    runs = [b - a for a, b in itertools.pairwise(kept)]
    found = Curve.of([(BEGIN + n * step, None, n) for n in kept])
    for n in kept:
        slot = found.slot_at(BEGIN + n * step)
        assert slot is not None
        assert slot.value == n
        # Several equal gaps in a row at the edge look like a coarser resolution; else it is exact.
        if len([each for each in runs if each > 1]) < 2:
            assert slot.length == step


@same_each_time
@given(st.integers(2, 30), st.integers(1, 30))
def test_hours_then_quarters_have_no_hole(hours: int, quarters: int) -> None:
    """With one quarter after the hours there is one step of a quarter: the last slot."""
    begin = datetime(2026, 9, 30, 22, tzinfo=UTC)
    change = begin + hours * HOUR
    moments = [begin + n * HOUR for n in range(hours)]
    moments += [change + n * QUARTER for n in range(quarters + 1)]
    found = Curve.of((moment, None, 0.1) for moment in moments)
    assert found.covers(begin, change + (quarters + 1) * QUARTER)
    assert len(found) == len(moments)
