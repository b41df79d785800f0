"""Writes a control of a device and reads it back: counted, limited, timed, noted for a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from bridge.control_entry import Mismatch, text_of
from bridge.daily import DailyWrites, Journal
from bridge.errors import DeviceError
from bridge.lease import same

if TYPE_CHECKING:
    from bridge.control_entry import Entry
    from bridge.device import Device
    from bridge.lease import Value

# How long a state that was read is trusted enough not to write the same value again (s).
_TRUST, _TRUST_PERSISTENT = 2.0, 60.0


class Writer:
    """The writes of one actor: `daily` counts them, `journal` knows what is lent out."""

    def __init__(self, actor: Device) -> None:
        self._actor = actor
        self.daily = DailyWrites(actor)
        self.journal = Journal(actor.state)

    def has(self, entry: Entry, value: Value) -> bool:
        """True when the device was seen with this value so lately that writing it is needless."""
        if self._actor.compares:
            return False
        trust = _TRUST_PERSISTENT if self.daily.limited(entry.name) else _TRUST
        young = self._actor.clock.now() - entry.known_at <= trust
        return young and same(value, entry.state, entry.tolerance)

    async def write(self, entry: Entry, value: Value | None, *, back: bool = False) -> Value | None:
        """Write and compare with what is read back, twice at most. Raises DeviceError.

        None gives the control back; what it has then is no matter. back: `value` is what it was.
        """
        if value is None:
            return await self.call(entry, None)
        found: Value | None = None
        for _ in range(2):
            self.daily.count(entry.name)
            found = await self.call(entry, value, back=back)
            entry.state, entry.known_at = found, self._actor.clock.now()
            if found is not None and same(value, found, entry.tolerance):
                return found
        raise Mismatch(
            f"{entry.name} was set to {text_of(value)}, but the device has {text_of(found)}"
        )

    async def call(self, entry: Entry, value: Value | None, *, back: bool = False) -> Value | None:
        """Tell the device (None = give back), in the time it may take; as read back.

        Raises DeviceError.
        """
        limit, actor = self._actor.slowest_write, self._actor
        write = actor.put_back if back else actor.write_control
        with anyio.move_on_after(limit):
            return await write(entry.name, value, device=entry.device)
        raise DeviceError(f"{entry.device} did not answer for {limit:g} s")
