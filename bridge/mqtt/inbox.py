"""A bounded inbox: the newest measurement per topic, every command in order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from bridge.mqtt.connection import Incoming

_MEASUREMENTS = 20_000
_COMMANDS = 1_000


class Inbox:
    """Between the reader, which must never wait, and the handlers, which may.

    A measurement waiting to be handled is replaced by a newer one of its topic and keeps its
    place. Commands are kept in order up to a bound; past it the newest is refused and counted.
    """

    def __init__(self) -> None:
        self._measurements: dict[str, tuple[Incoming, float]] = {}
        self._commands: deque[tuple[Incoming, float]] = deque()
        self._wake = anyio.Event()
        self.refused = 0

    def put(self, message: Incoming, at: float, *, command: bool) -> bool:
        """Add one message received at `at` (monotonic s); false when there is no room."""
        if command:
            if len(self._commands) >= _COMMANDS:
                self.refused += 1
                return False
            self._commands.append((message, at))
        else:
            waiting = self._measurements
            if message.topic not in waiting and len(waiting) >= _MEASUREMENTS:
                self.refused += 1
                return False
            # A retained copy never replaces a live message that waits: the live one is newer.
            if message.retained and message.topic in waiting:
                return True
            waiting[message.topic] = (message, at)
        self._wake.set()
        return True

    async def take(self) -> list[tuple[Incoming, float]]:
        """All that waits, commands first; waits until there is something."""
        while not (self._commands or self._measurements):
            self._wake = anyio.Event()
            await self._wake.wait()
        taken = [*self._commands, *self._measurements.values()]
        self._commands.clear()
        self._measurements.clear()
        return taken

    def __len__(self) -> int:
        return len(self._commands) + len(self._measurements)
