"""What an owner can set for a Homevolt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.config.secret import Secret
from bridge.config.settings import DeviceSettings
from bridge.config.types import Interval, Name, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator


class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host, port, interval and timeout as every device.

    password: of the user admin, when the device asks for one. swap_energy: the charged and the
    discharged counter change places. timezone: IANA name of the zone the device is in (None: that
    of this machine). end_after: s after which the device ends a set-point by itself.
    """

    interval: Interval = 5.0
    timeout: Timeout = 5.0
    password: Secret | None = None
    swap_energy: bool = False
    timezone: Name | None = None
    end_after: Annotated[int, Meta(ge=60, le=3600)] = 300

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        try:
            _ = self.zone
        except (KeyError, ValueError, OSError):
            yield "timezone", "`timezone` is no name of a zone, such as Europe/Stockholm"

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of the device; None for that of this machine."""
        return None if self.timezone is None else ZoneInfo(self.timezone)
