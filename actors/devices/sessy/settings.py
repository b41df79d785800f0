"""What an owner can set for a Sessy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.config.secret import Secret
from bridge.config.settings import DeviceSettings
from bridge.config.types import Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

Model = Literal["battery", "p1", "ct", "modbus"]


class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host, port, interval and timeout as every device.

    username, password: as printed on the device; device: what it is, where it does not say so
    itself; role: what a CT or Modbus meter measures (else as the site section says, else grid);
    invert: its clamps are mounted the other way; give_back: the strategy that a battery is left
    to when it was found under its API (else what was found).
    """

    timeout: Timeout = 5.0
    username: Annotated[str, Meta(pattern=r"^[^:\x00-\x1f]{1,64}\Z")] | None = None
    password: Secret | None = None
    device: Model | None = None
    role: Literal["grid", "pv", "load"] | None = None
    invert: bool = False
    give_back: Literal["self_consumption", "dynamic_prices", "eco", "idle", "sessy_connect"] = (
        "self_consumption"
    )

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        if (self.username is None) is not (self.password is None):
            yield "username", "'username' and 'password' belong together: both are on the device"
        if self.device in {"battery", "p1"} and (self.role not in {None, "grid"} or self.invert):
            yield "role", "'role' and 'invert' are of CT and Modbus meters"
