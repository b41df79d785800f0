"""When a GX must be asked to go on publishing, and how. Pure: no I/O; times are monotonic s.

A GX with Venus OS 3.20 or later (`flashmq`) publishes changes for 60 s after a keepalive, knows an
echo, and forgets to answer the fourth request within a second. Before that (`dbus-mqtt`) all values
are retained, and only an empty payload is understood.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Final

EVERY: Final = 30.0
AGAIN: Final = 1.5
TELLING: Final = 2.5
"""s without a new value until one is asked for: heartbeats alone do not say that values live."""
_TRIES_BEFORE_PLAIN: Final = 2
SUPPRESS: Final = b'{"keepalive-options":["suppress-republish"]}'
PLAIN: Final = b""


def full(echo: str) -> bytes:
    """The payload that has everything published, with `echo` in the word that ends it."""
    return json.dumps({"keepalive-options": [{"full-publish-completed-echo": echo}]}).encode()


@dataclass(slots=True)
class Keepalive:
    """What to send, and whether everything that was asked for has come.

    old: it turned out to be dbus-mqtt (None: not known yet). complete: the full publish of this
    session has ended. seen: the last sign of life. told: the last value of those that count.
    """

    silence: float = 10.0
    old: bool | None = None
    complete: bool = False
    seen: float = -math.inf
    told: float = -math.inf
    echo: str = ""
    _session: int = 0
    _due: float = math.inf
    _tries: int = 0
    _beats: bool = False
    _asked: float = -math.inf

    def connected(self, now: float) -> None:
        """A new session: nothing that was heard before is known to be true."""
        self._session += 1
        self.old, self.complete, self.seen = None, False, -math.inf
        self.told = self._asked = now
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._due, self._tries, self.complete = now, 0, False

    def heard(self, now: float, *, retained: bool, beat: bool = False) -> None:
        """Something was published by the GX; `beat` is its heartbeat, which dbus-mqtt lacks."""
        if retained:
            return
        if now - self.seen > self.silence and self.seen > -math.inf:
            self._begin(now)  # it was away: what changed meanwhile was not told
        self.seen = now
        self._beats = self._beats or beat

    def value(self, now: float) -> None:
        """A value that counts was published, of its own accord or as an answer."""
        self.told = now

    def question_due(self, now: float) -> bool:
        """True when it is time to ask for a value, because none has come for long."""
        if now - max(self.told, self._asked) < TELLING:
            return False
        self._asked = now
        return True

    def retained_value(self) -> None:
        """A value came with the retain flag: only dbus-mqtt does that."""
        if self.old is None:
            self.old, self._due = True, -math.inf

    def completed(self, echo: str | None, now: float) -> None:
        """A full publish has ended; ours when it has our echo, or when we asked without one."""
        self.old = False
        if echo == self.echo or (echo is None and self._tries > _TRIES_BEFORE_PLAIN):
            self.complete, self._tries = True, 0
            self._due = now + EVERY

    def due(self, now: float) -> bytes | None:
        """The payload to send now; None when it is not time yet."""
        if now < self._due:
            return None
        if self.complete:
            self._due = now + EVERY
            return SUPPRESS
        if self.old:
            self._due = now + EVERY
            return PLAIN
        self._tries += 1
        self._due = now + min(AGAIN * self._tries, EVERY)
        if self._tries > _TRIES_BEFORE_PLAIN and not self._beats:
            return PLAIN  # perhaps an old one, to which an echo is a filter that matches nothing
        self.echo = f"heliograph-{self._session}-{self._tries}"
        return full(self.echo)

    def age(self, now: float) -> float:
        """Seconds since the last sign of life."""
        return now - self.seen

    def mute(self, now: float) -> float:
        """Seconds since the last value that counts, or since the session began."""
        return now - self.told
