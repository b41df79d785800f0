"""The calls of one account as they are written down, and what a jumping clock does to them.

Everything is in seconds since 1970 by the wall clock. Beside them stands when the book was last
looked at, by the wall clock and by a clock that never jumps: the difference of the two is how far
the wall clock was moved since, and the calls are moved with it. So a clock that is set neither
forgets a call nor puts one into a far future.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

LONGEST_PAUSE: Final = 86400.0
"""However long a service wants to be left alone (s), a day later it is asked again."""
_AHEAD: Final = 3600.0
# A wall clock before 2025 was never set: a computer without a battery begins at 1970.
_NEVER_SET: Final = 1735689600.0
_MOST_CALLS: Final = 20_000


class Call(msgspec.Struct):
    """One call, made or (a short time ahead) reserved. `id`: whose it is."""

    at: float
    id: str


class Book(msgspec.Struct):
    """What is known of an account.

    calls: in the order of their turns; until: it is left alone until then (None: it is not);
    strikes: how often in a row it was asked too often; keep: for how long (s) calls are kept; boot,
    steady, wall: when it was last looked at (see the module).
    """

    calls: list[Call] = []
    until: float | None = None
    strikes: int = 0
    keep: float = 0.0
    boot: str = ""
    steady: float = 0.0
    wall: float = 0.0

    @property
    def times(self) -> list[float]:
        """When it was asked, ascending."""
        return sorted(call.at for call in self.calls)

    def before(self, turn: str) -> list[float]:
        """When it was asked by those whose turn came before `turn`, ascending."""
        found = []
        for call in self.calls:
            if call.id == turn:
                break
            found.append(call.at)
        return sorted(found)

    def drop(self, turn: str) -> None:
        """Forget a call that was never made."""
        self.calls = [call for call in self.calls if call.id != turn]

    def put(self, turn: str, at: float) -> None:
        """Write a call down, or move the one that is there."""
        for call in self.calls:
            if call.id == turn:
                call.at = at
                return
        self.calls.append(Call(at, turn))

    def stop(self, until: float | None) -> None:
        """Leave the account alone until then, or longer where that was said before."""
        if until is not None and (self.until is None or until > self.until):
            self.until = until

    def add(self, other: Book) -> None:
        """Take over what only `other`, of the same start of the computer, knows."""
        known = {call.id for call in self.calls}
        self.calls += [call for call in other.calls if call.id not in known]
        self.stop(other.until)
        self.strikes = max(self.strikes, other.strikes)


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by three clocks. boot: what `steady` counts from; steady: never jumps; wall: may."""

    boot: str
    steady: float
    wall: float


def look(book: Book, now: Moment, horizon: float) -> None:
    """Bring a book up to `now`: move it with the wall clock, leave out what cannot matter.

    horizon: for how long (s) calls matter to who looks.
    """
    moved = _moved(book, now)
    book.boot, book.steady, book.wall = now.boot, now.steady, now.wall
    book.keep = min(max(book.keep, horizon), 40 * 86400.0)
    for call in book.calls:
        call.at = min(call.at + moved, now.wall + _AHEAD)
    book.calls = [call for call in book.calls if call.at > now.wall - book.keep][-_MOST_CALLS:]
    if book.until is not None:
        until = min(book.until + moved, now.wall + LONGEST_PAUSE)
        book.until = until if until > now.wall else None


def _moved(book: Book, now: Moment) -> float:
    """How far the wall clock was set since the book was last looked at."""
    if book.boot == now.boot and now.steady >= book.steady:
        return (now.wall - book.wall) - (now.steady - book.steady)
    # Nothing that never jumps links this start of the computer with the one before. A clock that
    # went back, or was never set then, says nothing: it counts as if no time had passed.
    if now.wall < book.wall or book.wall < _NEVER_SET <= now.wall:
        return now.wall - book.wall
    return 0.0
