"""Which device an actor's settings name, so that no second actor controls it too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from bridge.modbus.stream import join_host, split_host

if TYPE_CHECKING:

    class _Place(Protocol):
        @property
        def transport(self) -> str: ...
        @property
        def host(self) -> str: ...
        @property
        def tty(self) -> str | None: ...
        @property
        def unit(self) -> int | None: ...


def identity(settings: _Place, usual: int, port: int) -> str:
    """`192.168.1.20:502, unit 1`: equal for all spellings of one device.

    usual: the unit that is asked when the settings name none; port: the TCP or UDP port that is
    used. How it is spoken to does not matter: behind one port there is one device of a unit.
    """
    if settings.transport == "serial":
        where = os.path.realpath(settings.tty or "")
    else:
        where = join_host(*split_host(settings.host, port))
    return f"{where}, unit {usual if settings.unit is None else settings.unit}"
