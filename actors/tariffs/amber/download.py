"""Many days in pieces of a week, with a progress bar for whoever sits before a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from actors.tariffs.amber.history import pieces
from bridge.cloud import BudgetSpent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from datetime import date, datetime

    from actors.tariffs.amber.interval import Interval
    from bridge.clock import Clock

_LONGEST_WAIT: Final = 900.0


async def download(
    ask: Callable[[date, date], Awaitable[list[Interval]]],
    start: date,
    end: date,
    *,
    clock: Clock,
    what: str,
) -> list[Interval]:
    """All intervals of the days, both inclusive, by channel and time. Raises DeviceError.

    When the budget of requests is spent, it waits for more, and says so.
    """
    found: dict[tuple[str, datetime], Interval] = {}
    wanted = pieces(start, end)
    with _progress(what, len(wanted)) as (step, say):
        for first, last in wanted:
            say(f"{what} {first} to {last}")
            for each in await _patiently(partial(ask, first, last), clock, say):
                found[each.channel, each.start] = each
            step()
    order = list(dict.fromkeys(channel for channel, _ in found))
    return sorted(found.values(), key=lambda each: (order.index(each.channel), each.start))


async def _patiently(
    ask: Callable[[], Awaitable[list[Interval]]], clock: Clock, say: Callable[[str], None]
) -> list[Interval]:
    waited = 0.0
    while True:
        try:
            return await ask()
        except BudgetSpent as error:
            waited += error.wait
            if waited > _LONGEST_WAIT:
                raise
            say(f"Amber must not be asked for {error.wait:.0f} s")
            await clock.sleep(error.wait)


@contextmanager
def _progress(what: str, count: int) -> Iterator[tuple[Callable[[], None], Callable[[str], None]]]:
    """What marks a step, and what says what is going on; on the standard error output."""
    if count < 2 or not sys.stderr.isatty():  # noqa: PLR2004 - one step needs no bar
        yield lambda: None, lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=count)
        yield (
            lambda: bar.advance(task),
            lambda text: bar.update(task, description=text),
        )
