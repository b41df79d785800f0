"""What a switch has said on its topics, and how old that is. No I/O.

A retained message has no known age. It counts until the first live one of this life, and then no
more: whoever believes it later may overwrite what is true.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from actors.consumers.mqtt_switch.presence import Presence
from bridge.errors import DeviceGarbled
from bridge.switching.finding import Finder
from bridge.switching.model import Seen

if TYPE_CHECKING:
    from actors.consumers.mqtt_switch.settings import Settings

POWER_LASTS: Final = 600.0
"""S for which a power holds; telling it each 300 s is usual."""


class Told:
    """The newest words of one switch. Times are monotonic seconds.

    live, heard_at: its last live status; old: a retained one. taken: it was told to be off before
    it had said anything, and counts as that. gone: its last will says so; until it is back, nothing
    counts that seems to come from it (a gateway may tell what it remembers). back_at: since when it
    is back. garbled, power_garbled, online_garbled: what is wrong with its words.
    """

    def __init__(self, settings: Settings) -> None:
        name = f"the switch on {settings.status_topic}"
        self.name = name
        self._lasts = settings.lasts
        self._state = Finder(name, settings.on_pattern, settings.on_path, settings.off_pattern)
        self._power = Finder(name, settings.power_pattern, settings.power_path, None)
        self._online_topic = settings.online_topic
        self._presence = Presence(settings.online_value)
        self.gone = False
        self.back_at = -math.inf
        self.online_garbled: str | None = None
        self.live: bool | None = None
        self.old: bool | None = None
        self.taken = False
        self.heard_at = -math.inf
        self.garbled: str | None = None
        self.power_garbled: str | None = None
        self._changed_at = -math.inf
        self._watts: float | None = None
        self._watts_at = -math.inf

    def status(self, payload: bytes, *, retained: bool, at: float) -> None:
        """It has said on its status topic whether it is on."""
        if not payload or self.gone or (retained and self.live is not None):
            return
        try:
            found = self._state.state(payload.decode("utf-8", "replace"))
        except DeviceGarbled as error:
            self.garbled = str(error)
            return
        self.garbled = None
        if found is not self.known:
            self._changed_at = at
        if retained:
            self.old = found
            return
        self.live, self.heard_at = found, at

    def power(self, payload: bytes, *, retained: bool, at: float) -> None:
        """It has said what it draws."""
        if not payload or self.gone or retained:
            return
        try:
            self._watts = self._power.number(payload.decode("utf-8", "replace"))
            self.power_garbled = None
        except DeviceGarbled as error:
            self._watts, self.power_garbled = None, str(error)
        self._watts_at = at

    def online(self, payload: bytes, *, at: float) -> bool:
        """Its last will, or its word that it is back; true where that is news.

        A retained one is as good as a live one: the broker keeps what holds.
        """
        if not payload:
            return False
        here = self._presence.here(payload.decode("utf-8", "replace"))
        if here is None:
            self.online_garbled = f"{self._online_topic} says neither online nor offline"
            return False
        self.online_garbled = None
        if here is not self.gone:
            return False
        self.gone = not here
        if here:
            self.back_at = at
        self._forget()
        return True

    @property
    def absence(self) -> str:
        """The sentence for one that is gone."""
        return f"{self.name} is offline: {self._online_topic} says so"

    def refused_will(self, payload: bytes) -> str | None:
        """One sentence about a payload that does not say that it is there."""
        self.online(payload, at=0.0)
        return self.online_garbled or (self.absence if self.gone else None)

    def _forget(self) -> None:
        """What it was before tells nothing of what it is when it comes back."""
        self.live = self.old = self.garbled = self.power_garbled = self._watts = None
        self.taken = False
        self.heard_at = self._watts_at = self._changed_at = -math.inf

    @property
    def known(self) -> bool | None:
        """On or off as it was said last, however old that is."""
        if self.live is not None:
            return self.live
        if self.old is not None:
            return self.old
        return False if self.taken else None

    def seen(self, now: float) -> Seen | None:
        """What holds now; None when nothing is known or it has been silent for too long."""
        if self.known is None or self.garbled is not None:
            return None
        if self.live is not None and self._lasts and now > self.heard_at + self._lasts:
            return None
        return Seen(self.known, self.watts(now), now)

    def watts(self, now: float) -> float | None:
        """W, if that was said lately and since it was switched."""
        if now > self._watts_at + POWER_LASTS or self._watts_at < self._changed_at:
            return None
        return self._watts
