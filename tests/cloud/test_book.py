"""What a wall clock that is set does to the calls written down: nothing."""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bridge.cloud.book import LONGEST_PAUSE, Book, Call, Moment, look
from bridge.cloud.budget import Limits, earliest

Y2026 = 1_795_000_000.0
FOREVER = 30 * 86400.0


def ask(book: Book, now: Moment, rules: Limits) -> float:
    """One call as early as it may be; gives how long it waited."""
    look(book, now, rules.horizon)
    moment = earliest(rules, book.times, now.wall, book.until)
    book.put(f"{len(book.calls)}-{now.steady}", moment)
    return moment - now.wall


steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 3.0, 40.0, 2000.0]),  # time that passes
        st.sampled_from([0.0, 0.0, 0.0, 0.7, -5.0, 3600.0, -3600.0, 1.7e9, -1.7e9]),  # a clock set
    ),
    min_size=1,
    max_size=30,
)


@given(steps, st.booleans())
def test_a_clock_that_is_set_breaks_no_limit(
    given_: list[tuple[float, float]], at_1970: bool
) -> None:
    """By a clock that never jumps, calls keep their gap and their window all the same."""
    rules = Limits(gap=10.0, windows=((3, 300.0),))
    book, steady, wall = Book(), 50.0, 50.0 if at_1970 else Y2026
    real: list[float] = []
    for passes, moved in given_:
        steady += passes
        wall += passes + moved
        waited = ask(book, Moment("a", steady, wall), rules)
        assert waited <= 300.0 + 1e-3
        steady += waited
        wall += waited
        real.append(steady)
    for first, second in pairwise(real):
        assert second - first >= 10.0 - 1e-3
    for first, fourth in zip(real, real[3:], strict=False):
        assert fourth - first >= 300.0 - 1e-3


@given(
    st.floats(-1e12, 1e12),
    st.lists(st.floats(-1e12, 1e12), max_size=6),
    st.floats(-1e12, 1e12),
    st.booleans(),
)
def test_whatever_was_written_blocks_for_a_day_at_most(
    wall: float, calls: list[float], until: float, same: bool
) -> None:
    book = Book([Call(at, str(at)) for at in calls], until, 0, 0.0, "a", 100.0, wall)
    rules = Limits(gap=10.0, windows=((2, 3600.0),), per_day=5)
    look(book, Moment("a" if same else "b", 200.0, Y2026), rules.horizon)
    wait = earliest(rules, book.times, Y2026, book.until) - Y2026
    assert 0 <= wait <= LONGEST_PAUSE + 3 * 3600


def test_a_computer_without_a_battery_remembers_over_a_power_cut() -> None:
    """It starts at 1970 and is set later: the calls of before the cut still count."""
    rules = Limits(windows=((2, 3600.0),))
    book = Book()
    ask(book, Moment("a", 10_000.0, Y2026), rules)
    ask(book, Moment("a", 10_010.0, Y2026 + 10), rules)
    # The power fails; the clock begins anew.
    look(book, Moment("b", 20.0, 20.0), rules.horizon)
    assert earliest(rules, book.times, 20.0) == 20.0 + 3590.0
    # NTP sets it a minute later.
    look(book, Moment("b", 80.0, Y2026 + 100), rules.horizon)
    assert earliest(rules, book.times, Y2026 + 100) == Y2026 + 100 + 3530.0


def test_calls_of_an_unset_clock_count_after_a_restart_with_the_right_one() -> None:
    rules = Limits(windows=((1, 3600.0),))
    book = Book()
    ask(book, Moment("a", 30.0, 30.0), rules)
    look(book, Moment("b", 15.0, Y2026), rules.horizon)
    assert earliest(rules, book.times, Y2026) == Y2026 + 3600.0


def test_a_pause_keeps_its_length_when_the_clock_is_set() -> None:
    book = Book(until=Y2026 + 600, boot="a", steady=5.0, wall=Y2026)
    look(book, Moment("a", 65.0, Y2026 + 60 - 7200), FOREVER)
    assert book.until == Y2026 - 7200 + 600
    look(book, Moment("a", 165.0, Y2026 + 1e6), FOREVER)
    assert book.until == Y2026 + 1e6 + 440
    look(book, Moment("a", 605.0, Y2026 + 1e6 + 440), FOREVER)
    assert book.until is None


def test_a_restart_counts_the_time_in_between() -> None:
    book = Book([Call(Y2026, "x")], boot="a", steady=5.0, wall=Y2026)
    look(book, Moment("b", 3.0, Y2026 + 500), FOREVER)
    assert book.times == [Y2026]


def test_what_cannot_matter_is_left_out() -> None:
    book = Book([Call(Y2026 - 100, "old"), Call(Y2026 - 5, "new")], boot="a", wall=Y2026)
    look(book, Moment("a", 0.0, Y2026), 10.0)
    assert [call.id for call in book.calls] == ["new"]


def test_another_program_with_longer_limits_finds_its_calls() -> None:
    book = Book(boot="a", wall=Y2026)
    look(book, Moment("a", 0.0, Y2026), 3600.0)
    book.put("x", Y2026)
    look(book, Moment("a", 600.0, Y2026 + 600), 10.0)
    assert book.times == [Y2026]


def test_a_book_is_written_and_read() -> None:
    book = Book([Call(Y2026, "x")], Y2026 + 5, 2, 60.0, "a", 7.0, Y2026)
    assert msgspec.json.decode(msgspec.json.encode(book), type=Book) == book


def test_two_books_become_one() -> None:
    book = Book([Call(1.0, "a"), Call(2.0, "b")], until=5.0)
    book.add(Book([Call(2.0, "b"), Call(3.0, "c")], until=9.0, strikes=1))
    assert (book.times, book.until, book.strikes) == ([1.0, 2.0, 3.0], 9.0, 1)
    assert book.before("b") == [1.0]
