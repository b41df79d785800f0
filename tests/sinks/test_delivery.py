"""Finding bad lines, and waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sinks.delivery import Backoff, BadLines, Refused, RefusedAll, Undelivered, sift

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence


class Taker:
    """Takes batches without a bad line and of at most so many lines."""

    def __init__(self, bad: set[bytes] = frozenset(), most: int = 10**9) -> None:  # type: ignore[assignment]
        self.bad, self.most = bad, most
        self.taken: set[bytes] = set()
        self.calls = 0

    async def __call__(self, lines: Sequence[bytes]) -> None:
        self.calls += 1
        if self.bad & set(lines) or len(lines) > self.most:
            raise BadLines("the server refuses it")
        self.taken |= set(lines)


def finish(work: Coroutine[Any, Any, list[Refused]]) -> list[Refused]:
    """Run what never really waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as end:
        found: list[Refused] = end.value
        return found
    raise AssertionError("it waits")


LINES = [b"%d" % number for number in range(1000)]


async def test_a_good_batch_goes_at_once() -> None:
    taker = Taker()
    assert await sift(LINES, taker) == []
    assert (taker.calls, len(taker.taken)) == (1, 1000)


async def test_one_bad_line_is_found_and_all_others_are_kept() -> None:
    taker = Taker({b"617"})
    refused = await sift(LINES, taker)
    assert [each.line for each in refused] == [b"617"]
    assert refused[0].why == "the server refuses it"
    assert taker.taken == set(LINES) - {b"617"}
    assert taker.calls <= 22


@given(count=st.integers(2, 60), data=st.data(), most=st.sampled_from([1, 7, 1000]))
@settings(max_examples=150, deadline=None)
def test_whatever_is_bad_the_rest_is_kept(count: int, data: st.DataObject, most: int) -> None:
    lines = LINES[:count]
    bad = set(data.draw(st.lists(st.sampled_from(lines), max_size=count - 1, unique=True)))
    taker = Taker(bad, most)
    try:
        refused = finish(sift(lines, taker))
    except RefusedAll:  # too many refusals before the first line that is taken
        assert taker.taken == set()
        refused = finish(sift(lines, taker, sure=True))
    assert {each.line for each in refused} == bad
    assert taker.taken == set(lines) - bad


@pytest.mark.parametrize("count", [1, 2, 1000])
async def test_where_not_one_line_is_taken_none_is_bad(count: int) -> None:
    taker = Taker(set(LINES))
    with pytest.raises(RefusedAll) as caught:
        await sift(LINES[:count], taker)
    assert caught.value.mend
    assert taker.calls <= 64
    assert len(await sift(LINES[:count], taker, sure=True)) == count


async def test_a_failure_between_ends_it() -> None:
    calls = 0

    async def send(lines: Sequence[bytes]) -> None:
        nonlocal calls
        calls += 1
        if len(lines) == 1000:
            raise BadLines("no")
        raise Undelivered("it went away")

    with pytest.raises(Undelivered, match="went away"):
        await sift(LINES, send)
    assert calls == 2


def test_waiting_grows_and_begins_anew() -> None:
    backoff = Backoff()
    pauses = [backoff.failed(Undelivered("x")) for _ in range(9)]
    for pause, wanted in zip(pauses, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert 0.8 * wanted <= pause <= 1.2 * wanted
    backoff.succeeded()
    assert backoff.failed(Undelivered("x")) <= 1.2


def test_the_wish_of_the_server_is_kept_within_reason() -> None:
    backoff = Backoff()
    assert 7 <= backoff.failed(Undelivered("x", retry_after=7)) <= 7.7
    assert backoff.failed(Undelivered("x", retry_after=1e9)) <= 3960
    assert backoff.failed(Undelivered("x", mend=True)) >= 24


def test_a_server_in_no_hurry_to_be_left_alone_is_left_alone() -> None:
    backoff = Backoff()
    pauses = [backoff.failed(Undelivered("busy", retry_after=0.0)) for _ in range(7)]
    assert pauses[0] >= 0.8
    assert pauses[-1] >= 48
    assert backoff.failed(Undelivered("no", retry_after=0.0, mend=True)) >= 24
