"""What an owner can set for a Shelly."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.config.secret import Secret
from bridge.config.settings import DeviceSettings
from bridge.config.types import Interval, Port

_SHORTEST_TIMEOUT = 0.5
_INTERVALS = 3

ChannelNumber = Annotated[int, Meta(ge=0, le=99)]


class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host, port, interval and timeout as every device.

    username: of the first generation (later ones know only admin); password: a Secret.
    role: grid, pv, load or device; else what the `site` section says of this device, else grid
    for a meter with clamps and device for a plug or relay. channel: number of the meter or relay,
    or all for clamps that are the phases of one line. phase: where a single-phase meter is.
    metering: gross (the device's own counters) or net (phases summed first; grid only).
    invert: the clamp is mounted the other way.
    """

    port: Port = 80
    interval: Interval = 1.0
    username: str = "admin"
    password: Secret | None = None
    role: Literal["grid", "pv", "load", "device"] | None = None
    channel: ChannelNumber | Literal["all"] | None = None
    phase: Literal[1, 2, 3] | None = None
    metering: Literal["gross", "net"] = "gross"
    invert: bool = False

    @property
    def patience(self) -> float:
        """Seconds for one answer: `timeout`, but never more than three intervals (0.5 s at least).

        A meter that is asked each second must not be waited for so long that nobody hears in time
        that it is gone.
        """
        return min(self.timeout, max(_SHORTEST_TIMEOUT, _INTERVALS * self.interval))
