"""Inputs: there is no way to read a value without learning how old it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.bus import Message
    from bridge.clock import Clock


@dataclass(frozen=True, slots=True)
class Reading:
    """A value and its age in seconds; age is infinite before the first live message."""

    value: Any
    age: float
    max_age: float

    @property
    def fresh(self) -> bool:
        """True while the value is known and young enough to decide upon."""
        return self.value is not None and self.age <= self.max_age


class Input:
    """The last good value of one address, with the monotonic time it was received.

    A refused payload changes nothing: the last good value stays and keeps ageing. A retained one
    is kept as a value of unknown age and never counts as fresh.
    """

    def __init__(self, clock: Clock, max_age: float) -> None:
        self._clock = clock
        self.max_age = max_age
        self.value: Any = None
        self.error: str | None = None
        self._at: float | None = None

    def take(self, message: Message) -> bool:
        """Keep what a message brings; true when it is a live, good value."""
        if message.error is not None:
            self.error = message.error
            return False
        if message.retained:
            if self._at is None:
                self.value = message.value
            return False
        self.value, self._at, self.error = message.value, message.at, None
        return True

    def read(self) -> Reading:
        """Value and age, now."""
        age = math.inf if self._at is None else self._clock.now() - self._at
        return Reading(self.value, age, self.max_age)
