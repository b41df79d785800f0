"""Whose turn it is to ask an account: one order for all actors and programs of an installation.

The calls stand in `{state folder}/.cloud/{mark}.json`, under a lock that the kernel ends with its
holder. Where nothing can be written or locked they are counted for this process alone, and one line
says so.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakValueDictionary

import anyio
import msgspec

from bridge.clock import Clock
from bridge.cloud.book import LONGEST_PAUSE, Book, Moment, look
from bridge.cloud.budget import BudgetSpent, after, earliest
from bridge.cloud.files import place, prepare, set_aside, write
from bridge.cloud.words import duration
from bridge.log import Outage, get_logger
from bridge.state import give_to_owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.cloud.budget import Limits

T = TypeVar("T")

_SLACK: Final = 0.5  # of patience: an estimate is not refused for a moment more
_EXACT: Final = 0.001
_ROUNDS: Final = 20
_LOCK_PATIENCE: Final = 2.0
_WORTH_A_SYNC: Final = 600.0
_FIRST_STRIKE: Final = 60.0
_LONGEST_STRIKE: Final = 3600.0


class _Queue:
    """Who waits in this process for one account, and what was last known of it."""

    def __init__(self) -> None:
        self.lock = anyio.Lock()
        self.waiting = 0
        self.reserved = False
        self.book = Book()


_queues: WeakValueDictionary[tuple[Path, str], _Queue] = WeakValueDictionary()


class Ledger:
    """The calls of one account.

    folder: the state folder; mark: the account's name in it, which tells nothing; name: the
    service, for sentences.
    """

    def __init__(self, folder: Path, mark: str, *, name: str, limits: Limits, clock: Clock) -> None:
        self.name, self.limits, self.clock = name, limits, clock
        self._root = folder
        self._path = place(folder) / f"{mark}.json"
        self._log = get_logger()
        self._outage = Outage(self._log, f"the shared budget of calls of {name}")
        key = (folder.absolute(), mark)
        self._queue = _queues.setdefault(key, _Queue())
        self._boot = _boot() if type(clock) is Clock else f"{_boot()}-{id(clock)}"
        # Without limits there is nothing to count, only to stay away when told.
        self._counts = limits.horizon > 0

    async def turn(self, patience: float) -> str:
        """Wait for a turn to ask now, at most `patience` s; give its id.

        Those of one process are served in the order they come. Who is cancelled leaves nothing
        behind. Raises BudgetSpent, at once where it is clear already.
        """
        queue = self._queue
        deadline = self.clock.now() + patience
        if queue.waiting:
            ahead = queue.waiting - (1 if queue.reserved else 0)

            def estimate(book: Book, now: float) -> float:
                return after(self.limits, book.times, now, ahead, book.until) - now

            wait = await self._change(estimate, keep=False)
            if wait > patience + _SLACK:
                raise self._spent(wait)
        queue.waiting += 1
        try:
            async with queue.lock:
                return await self._reserve(deadline)
        finally:
            queue.waiting -= 1

    async def give_back(self, turn: str) -> None:
        """The call was never sent: it does not count."""
        if not self._counts:
            return
        with anyio.CancelScope(shield=True):
            await self._change(lambda book, _: book.drop(turn))

    async def late(self, turn: str, seconds: float) -> None:
        """The call went out so many seconds after its turn had come."""

        def move(book: Book, now: float) -> None:
            for call in book.calls:
                if call.id == turn:
                    call.at = min(call.at + seconds, now)

        if not self._counts:
            return
        with anyio.CancelScope(shield=True):
            await self._change(move)

    async def pause(self, seconds: float | None) -> float:
        """Nobody asks for so long (None: longer each time in a row); give how long, in s."""

        def stop(book: Book, now: float) -> float:
            wait = seconds
            if wait is None:
                book.strikes = min(book.strikes + 1, 20)
                wait = min(_FIRST_STRIKE * 2.0 ** (book.strikes - 1), _LONGEST_STRIKE)
            wait = min(max(wait, 0.0), LONGEST_PAUSE)
            book.stop(now + wait)
            return wait

        with anyio.CancelScope(shield=True):
            found = await self._change(stop, sync=True)
        return found  # noqa: RET504 - a shielded scope is left by its end only

    async def answered(self) -> None:
        """It answered: being asked too often is over."""
        if self._queue.book.strikes:
            await self._change(lambda book, _: setattr(book, "strikes", 0))

    async def left_today(self) -> int | None:
        """How many calls the day still has; None without a limit for the day."""
        limit = self.limits.per_day
        if limit is None:
            return None

        def count(book: Book, now: float) -> int:
            return limit - self.limits.on_day(book.times, now)

        return max(0, await self._change(count, keep=False))

    # ---------------------------------------------------------------- inside

    async def _reserve(self, deadline: float) -> str:
        """Write the next free moment down as ours, and wait for it."""
        turn, queue = secrets.token_hex(8), self._queue

        def claim(book: Book, now: float) -> float:
            """Seconds to wait; what came before may have moved since the last time."""
            mine = any(call.id == turn for call in book.calls)
            others = book.before(turn) if mine else book.times
            wait = earliest(self.limits, others, now, book.until) - now
            if wait > deadline - self.clock.now() + _SLACK:
                book.drop(turn)
                raise self._spent(wait)
            if self._counts:
                book.put(turn, now + max(wait, 0.0))
            return wait

        try:
            for _ in range(_ROUNDS):
                wait = await self._change(claim, keep=self._counts)
                if wait <= _EXACT:
                    break
                queue.reserved = True
                await self.clock.sleep(wait + _EXACT)  # rather late than a rounding too early
        except BudgetSpent:
            raise
        except BaseException:
            await self.give_back(turn)
            raise
        finally:
            queue.reserved = False
        return turn

    def _spent(self, wait: float) -> BudgetSpent:
        book = self._queue.book
        why = (
            f"{self.name} wants to be left alone"
            if book.until is not None
            else f"the calls that {self.name} allows are used up"
        )
        return BudgetSpent(f"{why}: it can be asked again in {duration(wait)}", wait)

    async def _change(
        self, change: Callable[[Book, float], T], *, keep: bool = True, sync: bool = False
    ) -> T:
        """Look at the book under the lock, and write it down again (`keep`)."""
        descriptor = await self._locked()
        try:
            book = self._read(fresh=descriptor is not None)
            look(book, self._moment(), self.limits.horizon)
            self._queue.book = book
            try:
                return change(book, book.wall)
            finally:
                if keep and descriptor is not None:
                    self._write(book, sync=sync or self.limits.horizon >= _WORTH_A_SYNC)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    async def _locked(self) -> int | None:
        """A descriptor that holds the lock; None where there can be none."""
        path = self._path.with_suffix(".lock")
        try:
            prepare(self._root, path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            give_to_owner(self._root, path)
        except OSError as error:
            self._outage.gone(f"{path}: {error.strerror}")
            return None
        give_up = time.monotonic() + _LOCK_PATIENCE
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return descriptor
                except BlockingIOError:
                    # Nobody holds it for longer than it takes to write a small file.
                    if time.monotonic() > give_up:
                        raise
                    await anyio.sleep(0.005)
        except OSError as error:
            os.close(descriptor)
            self._outage.gone(f"{path}: {error.strerror}")
            return None
        except BaseException:
            os.close(descriptor)
            raise

    def _read(self, *, fresh: bool) -> Book:
        if not fresh:
            return self._queue.book
        try:
            book = msgspec.json.decode(self._path.read_bytes(), type=Book)
        except FileNotFoundError:
            # The first call of all, or somebody has cleared the folder: what we know still holds.
            return self._queue.book
        except msgspec.MsgspecError:
            set_aside(self._path, self._log)
        except OSError as error:
            self._outage.gone(f"{self._path}: {error.strerror}")
        else:
            if self._outage.lost:
                book.add(self._queue.book)
            return book
        return self._queue.book

    def _write(self, book: Book, *, sync: bool) -> None:
        try:
            write(self._root, self._path, msgspec.json.encode(book), sync=sync)
        except OSError as error:
            self._outage.gone(f"{self._path}: {error.strerror}")
        else:
            self._outage.back()

    def _moment(self) -> Moment:
        wall = self.clock.utc().timestamp()
        if type(self.clock) is Clock:
            return Moment(self._boot, _steady(), wall)
        return Moment(self._boot, self.clock.now(), wall)


def _steady() -> float:
    """Seconds of a clock that never jumps and, where there is one, goes on in a suspended state."""
    kind = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if kind is None else time.clock_gettime(kind)


@cache
def _boot() -> str:
    """What the steady clock of this computer counts from, as a name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return "unknown"
