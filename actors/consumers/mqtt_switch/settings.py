"""What an owner can set for a switch behind MQTT topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from actors.consumers.mqtt_switch.presence import whole
from bridge.config.types import Delay, Interval, Timeout
from bridge.switching.finding import check_finding, check_off, unusable
from bridge.switching.settings import SwitchSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASKED = 3

Topic = Annotated[
    str,
    Meta(
        pattern=r"^[^#+\x00-\x1f\x7f]{1,500}\Z",
        extra={"words": "a topic without '#', '+' and control characters"},
    ),
]
Payload = Annotated[str, Meta(max_length=500)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]


class Settings(SwitchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`request` to `recheck` as every on/off consumer; the topics, as they are on the broker.

    on_value on on_topic switches it on, off_value on off_topic off; status_topic: tells whether it
    is on, where on_pattern is found or on_path is true; off_pattern: what must be found to be off
    (None: no on_pattern is off); power_topic: tells the W, group 1 of power_pattern or power_path;
    ask_topic, ask_value: makes it tell its status, each interval s; silence: s without a status
    after which it counts as away (0: only changes are told, or three unanswered questions);
    timeout: s for it to follow. online_topic: its last will; online_value: the regex that all of a
    payload matches while it is there (None: the usual words).
    """

    on_topic: Topic
    on_value: Payload
    off_topic: Topic
    off_value: Payload
    status_topic: Topic
    on_pattern: Text | None = None
    on_path: Text | None = None
    off_pattern: Text | None = None
    power_topic: Topic | None = None
    power_pattern: Text | None = None
    power_path: Text | None = None
    ask_topic: Topic | None = None
    ask_value: Payload = ""
    online_topic: Topic | None = None
    online_value: Text | None = None
    interval: Interval = 60.0
    silence: Delay = 0.0
    timeout: Timeout = 3.0

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        yield from self.check_switching()
        yield from check_finding(self, "status_topic", stem="on")
        yield from check_finding(self, "power_topic", stem="power", groups=1)
        yield from check_off(self)
        yield from self._check_online()
        if (self.on_topic, self.on_value) == (self.off_topic, self.off_value):
            yield "off_value", "`on_value` and `off_value` must differ on the same topic"
        if self.ask_topic is None and self.ask_value:
            yield "ask_value", "`ask_value` needs `ask_topic`"

    def _check_online(self) -> Iterator[tuple[str, str]]:
        for other in ("status_topic", "power_topic", "on_topic", "off_topic", "ask_topic"):
            if self.online_topic is not None and self.online_topic == getattr(self, other):
                yield "online_topic", f"`online_topic` must not be `{other}`"
        value = self.online_value
        if value is None:
            return
        if self.online_topic is None:
            yield "online_value", "`online_value` needs `online_topic`"
        yield from unusable("online_value", lambda: whole(value))

    @property
    def lasts(self) -> float:
        """S for which a status holds; 0: until it changes."""
        return self.silence or (_ASKED * self.interval if self.ask_topic is not None else 0.0)
