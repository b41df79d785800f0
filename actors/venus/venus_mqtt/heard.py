"""What a GX has said in this session: its values, and which GX it is. Pure: no I/O, no clock.

The portal id comes from the one topic that is retained; a second GX at the same broker is noted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.venus.venus_mqtt.decode import Found, parse
from actors.venus.venus_mqtt.paths import POWERS, SERIAL

if TYPE_CHECKING:
    from actors.venus.venus_mqtt.keepalive import Keepalive

_PORTAL: Final = re.compile(r"[0-9a-f]{12}\Z")
_MOST_VALUES: Final = 20_000
_MOST_OTHERS: Final = 5
_COUNT: Final = frozenset(POWERS)


class Heard:
    """values: by path; counts: how often each was told; portal: None until it is known.

    given: the owner's word for the portal id. Every message is a sign of life for `keepalive`.
    """

    def __init__(self, keepalive: Keepalive, given: str | None = None) -> None:
        self.values: dict[str, Found] = {}
        self.counts: dict[str, int] = {}
        self.portal, self.others = given, set[str]()
        self._keepalive, self._given = keepalive, given is not None

    def begin(self) -> None:
        """A new session: what was heard before may have changed, and the GX may be another."""
        self.values.clear()
        self.others.clear()
        if not self._given:
            self.portal = None

    def take(self, topic: str, payload: bytes, now: float, *, retained: bool) -> str | None:
        """Take one message; the path of the value that it told, None when it told none."""
        _, _, rest = topic.partition("/")
        portal, _, path = rest.partition("/")
        if path == SERIAL and portal != self.portal:
            self._serial(portal, payload)
        if portal != self.portal:
            return None
        keepalive = self._keepalive
        keepalive.heard(now, retained=retained, beat=path == "heartbeat")
        if path == "full_publish_completed":
            keepalive.completed(_echo(payload), now)
            return None
        if path == "heartbeat":
            return None
        if retained and path != SERIAL:
            keepalive.retained_value()
        elif path in _COUNT:
            keepalive.value(now)
        return None if path == "keepalive" else self._value(path, payload)

    def _value(self, path: str, payload: bytes) -> str | None:
        if path not in self.values and len(self.values) >= _MOST_VALUES:
            return None
        self.values[path] = parse(payload)
        self.counts[path] = self.counts.get(path, 0) + 1
        return path

    def _serial(self, portal: str, payload: bytes) -> None:
        if not _PORTAL.match(portal) or parse(payload) != portal:
            return
        if self.portal is None:
            self.portal = portal
        elif not self._given and len(self.others) < _MOST_OTHERS:
            self.others.add(portal)


def _echo(payload: bytes) -> str | None:
    try:
        found: Any = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return None
    echo = found.get("full-publish-completed-echo") if isinstance(found, dict) else None
    return echo if isinstance(echo, str) else None
