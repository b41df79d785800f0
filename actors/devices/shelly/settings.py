"""What an owner can set for a Shelly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bridge.config.address import parse_listen

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.config.secret import Secret
from bridge.config.types import Host, Interval, Port, Timeout
from bridge.switching.settings import SwitchSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST_TIMEOUT = 0.5
_INTERVALS = 3

ChannelNumber = Annotated[int, Meta(ge=0, le=99)]

Listen = Annotated[
    str,
    Meta(
        pattern=r"^.{1,64}:[0-9]{1,5}\Z",
        extra={"words": "an address of this machine and a port, such as 0.0.0.0:8123"},
    ),
]
Prefix = Annotated[
    str,
    Meta(
        pattern=r"^[^#+\s\x00-\x1f]{1,128}\Z",
        extra={"words": "the topic prefix that is set in the device, without '#', '+' and blanks"},
    ),
]


class Settings(SwitchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host, port, interval and timeout as every device; `request` to `recheck` as on/off consumers.

    username: of the first generation (later ones know only admin); password: a Secret.
    role: grid, pv, load or device; else what the `site` section says of this device, else grid
    for a meter with clamps and device for a plug or relay. channel: number of the meter or relay,
    or all for clamps that are the phases of one line. phase: where a single-phase meter is.
    metering: gross (the device's own counters) or net (phases summed first; grid only).
    invert: the clamp is mounted the other way. push: how the device tells changes by itself: over
    a WebSocket that we open, or over one that it opens to `listen` (address:port). mqtt: its topic
    prefix on our broker, heard instead. With either, `interval` only checks, each 5 s at most.
    """

    host: Host
    port: Port = 80
    interval: Interval = 1.0
    timeout: Timeout = 3.0
    username: str = "admin"
    password: Secret | None = None
    role: Literal["grid", "pv", "load", "device"] | None = None
    channel: ChannelNumber | Literal["all"] | None = None
    phase: Literal[1, 2, 3] | None = None
    metering: Literal["gross", "net"] = "gross"
    invert: bool = False
    push: Literal["off", "websocket", "outbound"] = "off"
    listen: Listen | None = None
    mqtt: Prefix | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        yield from self.check_switching()
        if self.mqtt is not None and self.push != "off":
            yield "mqtt", "`mqtt` and `push` are two ways to hear the same: choose one"
        if self.mqtt is not None and self.mqtt.strip("/") != self.mqtt:
            yield "mqtt", "`mqtt` begins and ends without '/'"
        if (self.push == "outbound") is not (self.listen is not None):
            yield "listen", "`push: outbound` and `listen: 0.0.0.0:8123` belong together"
        if self.listen is not None:
            try:
                parse_listen(self.listen)
            except ValueError as error:
                yield "listen", f"`listen` {error}"

    @property
    def patience(self) -> float:
        """Seconds for one answer: `timeout`, but never more than three intervals (0.5 s at least).

        A meter that is asked each second must not be waited for so long that nobody hears in time
        that it is gone.
        """
        return min(self.timeout, max(_SHORTEST_TIMEOUT, _INTERVALS * self.interval))
