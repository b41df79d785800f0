"""What every device made of registers can be told by its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bridge.config.settings import DeviceSettings
from bridge.config.types import Host, Port

if TYPE_CHECKING:
    from collections.abc import Iterator

Unit = Annotated[int, Meta(ge=0, le=255)]
"""A Modbus unit id."""


class RegisterSettings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every device made of registers takes.

    transport: `modbus` (TCP), `rtu_over_tcp` (a gateway that passes frames on) or `serial` (then
    `tty` and `baudrate` instead of `host` and `port`); unit: Modbus unit id, None for the usual
    one; retries: how often a lost or garbled answer is asked for again; unconfirmed: read rows too
    that no second source confirms; daily_writes: most writes a day of each row kept in flash.
    """

    host: Host = ""
    port: Port = 502
    transport: Literal["modbus", "rtu_over_tcp", "serial"] = "modbus"
    tty: str | None = None
    baudrate: Annotated[int, Meta(ge=300, le=1_000_000)] = 9600
    unit: Unit | None = None
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    unconfirmed: bool = False
    daily_writes: Annotated[int, Meta(ge=1, le=100_000)] = 50

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        if self.transport == "serial":
            if self.tty is None:
                yield "transport", "transport: serial needs `tty`, such as /dev/ttyUSB0"
        elif not self.host:
            yield "host", "`host` is missing: the address of the device or its gateway"
