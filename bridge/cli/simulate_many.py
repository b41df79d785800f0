"""Many days at once: each core plays its share, with a progress bar for who waits before it."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing import active_children
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import ProcessPoolExecutor

    from bridge.simulate.runner import Job, Played

What = TypeVar("What")
Found = TypeVar("Found")


def play_all(jobs: Sequence[Job], processes: int = 0) -> Iterator[Played]:
    """Play the jobs, in order, with so many processes (0 = one for each core)."""
    from bridge.simulate.runner import run_job

    return each(run_job, jobs, processes)


def each(
    work: Callable[[What], Found], parts: Sequence[What], processes: int = 0
) -> Iterator[Found]:
    """What `work` makes of each part, in order; 0 = a process for each core.

    Raises what `work` raises; ScenarioError when a process is ended from outside.
    """
    processes = min(len(parts), processes or os.cpu_count() or 1)
    if processes <= 1:
        return map(work, parts)
    from concurrent.futures import ProcessPoolExecutor

    # All are started here, before anybody starts the thread of a progress bar.
    others = {one.pid for one in active_children()}
    pool = ProcessPoolExecutor(processes, initializer=_leave_it_to_the_parent)
    return _gathered(pool, pool.map(work, parts), others)


def _gathered(
    pool: ProcessPoolExecutor, results: Iterator[Found], others: set[int | None]
) -> Iterator[Found]:
    from concurrent.futures.process import BrokenProcessPool

    from bridge.simulate.scenario import ScenarioError

    try:
        yield from results
    except BrokenProcessPool as error:
        raise ScenarioError(
            "a process was ended from outside, perhaps for want of memory: try --jobs 1"
        ) from error
    finally:
        # Nothing is left to do, or nobody waits for it any more: a day can take half a minute.
        for child in active_children():
            if child.pid not in others:
                child.terminate()
        pool.shutdown(cancel_futures=True)


def _leave_it_to_the_parent() -> None:
    """Ctrl-C reaches all processes of a terminal; one of them says what happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def watched(played: Iterator[Found], total: int, what: str = "days") -> Iterator[Found]:
    """The same, with a progress bar for who sits before a terminal."""
    if total == 1 or not sys.stderr.isatty():
        yield from played
        return
    from rich.console import Console
    from rich.progress import Progress

    # What is printed meanwhile is a result: it goes where it was sent, not above the bar.
    with Progress(
        console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        yield from bar.track(played, total=total, description=what)
