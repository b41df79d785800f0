"""The words that on/off consumers and the core share. Plain data: no I/O, no clock.

W and s; times are monotonic seconds. Consumption is positive. Unknown is None, never 0 or off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.consuming.request import Allowance, Request


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading: whether the device is on, what it draws where it is metered, and when it was."""

    on: bool | None
    power: float | None
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """What the device has confirmed, and when. until: when its own timer switches it off."""

    on: bool
    at: float
    until: float = math.inf


class Relay(Protocol):
    """A device that is on or off. `timer`: s of its own switch-off timer; None: it has none."""

    @property
    def timer(self) -> float | None:
        """How long it stays on unless it is told again."""

    async def read(self) -> Seen:
        """One reading straight from the device. Raises DeviceError with one plain sentence."""

    async def switch(self, *, on: bool, timer: float | None) -> bool | None:
        """Switch it (with `timer`: off by itself then) and read it back. Raises DeviceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The owner's choices; see the settings of the same names.

    request: W that it draws. hold: s after which what a person switched is taken back; None: it
    stays until it is given back.
    """

    request: float
    priority: float = 100.0
    priority_shift: float = 0.0
    ignore_reservation: bool = False
    min_on: float = 0.0
    min_off: float = 0.0
    start_delay: float = 0.0
    stop_delay: float = 0.0
    hold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a decision goes by.

    seen: the newest reading. told: what the device confirmed in this life; tried: what it was told
    since without an answer: it may have followed. misses, missed_at: how often in a row it was not
    switched on although it was told, and when last. stuck: it did not take the last word to be off.
    gone: it is known not to be there. released: somebody has just given it back to the automatic.
    silent_after: s until a reading is
    too old to go by.
    """

    plan: Plan
    seen: Seen | None = None
    allowance: Allowance | None = None
    distributor: bool = True
    told: Told | None = None
    tried: frozenset[bool] = frozenset()
    misses: int = 0
    missed_at: float = -math.inf
    stuck: bool = False
    gone: bool = False
    released: bool = False
    silent_after: float = 30.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows. on: what the device is to be; None = hands off, nothing is written to it.

    code: one word for the kind of situation; sentence: the same for people.
    """

    on: bool | None
    request: Request
    code: str
    sentence: str
