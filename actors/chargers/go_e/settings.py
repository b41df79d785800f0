"""What an owner can set for a go-e charger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.charging.settings import ChargerSettings
from bridge.config.types import Host, Levels, Port, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

Serial = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Za-z]{1,32}\Z",
        extra={"words": "the serial number that stands on the charger, such as '012345'"},
    ),
]


class Settings(ChargerSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every charger, and the way on which it is spoken to.

    api: `v2` and `v1` are HTTP, `auto` finds out which, `mqtt` hears what the charger publishes on
    our broker; host: for HTTP; serial and topic: for MQTT, where it publishes (`topic/serial/key`);
    daily_writes: how often a day the current may be written into the EEPROM of a charger that has
    no volatile one.
    """

    host: Host | None = None  # type: ignore[assignment]
    port: Port = 80
    timeout: Timeout = 5.0
    api: Literal["auto", "v2", "v1", "mqtt"] = "auto"
    serial: Serial | None = None
    topic: Levels = "go-eCharger"
    daily_writes: Annotated[int, Meta(ge=50, le=100_000)] = 1000

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        yield from super().check()
        if self.api == "mqtt" and self.serial is None:
            yield "serial", "`api: mqtt` needs the `serial` under which the charger publishes"
        if self.api != "mqtt" and self.host is None:
            yield "host", "`host` is missing: the address of the charger"
