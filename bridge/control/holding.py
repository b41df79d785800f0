"""What a device is told of a control: a lease written and ended, a limit set and put back.

Whoever calls these does it for one control after the other. What each answers is one sentence when
a command was not followed, None when it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import msgspec

from bridge.control.entry import Mismatch
from bridge.control.lease import HELD_BY, Due
from bridge.control.teller import may_be_none
from bridge.errors import DeviceError, one_line

if TYPE_CHECKING:
    from bridge.contract import Command
    from bridge.control.entry import Entry
    from bridge.control.kept import Kept
    from bridge.control.lease import Value
    from bridge.control.teller import Teller
    from bridge.control.writer import Writer
    from bridge.device import Device

_FREE_WORD = "auto"
_SAFE_WRITE_LIMIT = 4.0


class Holding:
    """Follows commands on one actor's controls, and gives back what is owed."""

    def __init__(self, actor: Device, writer: Writer, kept: Kept, tell: Teller) -> None:
        self._actor, self._clock = actor, actor.clock
        self._writer, self._kept, self._tell = writer, kept, tell

    # ---------------------------------------------------------------- commands

    async def lend(self, entry: Entry, command: Command, received: float) -> str | None:
        """Follow a command on a leased control. Raises DeviceError."""
        if command.value == _FREE_WORD:
            command = msgspec.structs.replace(command, value=None)
        slot, before = entry.slot, entry.slot.lease
        if command.value is not None and (before is None or before.value != command.value):
            self._writer.daily.check(entry.name)
        verdict = slot.ask(command, self._clock.now(), received)
        if verdict.refused is not None:
            return verdict.refused
        await self._tell.ousted(entry, verdict, command)
        due = slot.due(self._clock.now())
        if due is Due.GIVE_BACK:
            return await self.give_back(entry)
        if due is Due.WRITE:
            return await self._write_lease(entry)
        return None

    async def keep(self, entry: Entry, command: Command) -> str | None:
        """Follow a command on a control that keeps its value. Raises DeviceError."""
        value, returns = command.value, self._actor.may_return(entry.name, entry.device)
        if value is None and not returns:
            return f"{entry.name} keeps its value and is not lent out, so it cannot be given back"
        if command.ttl is not None:
            return f"{entry.name} keeps its value, so it takes no ttl"
        holder = self._kept.holder(entry, command)
        if holder is not None:
            return f"{HELD_BY} {holder}"
        back = self._kept.returns(entry, command)
        self._kept.asking(entry, command, can_return=returns, read=self._was_read(entry, returns))
        if value is not None and not returns and self._writer.has(entry, value):
            self._kept.settle(entry, command)
            return None
        if not back:
            self._writer.daily.check(entry.name)
        owed = entry.slot.touched
        entry.slot.gave_back()  # this takes the place of what was owed
        try:
            found = await self._writer.write(entry, value, back=back)
        except DeviceError as error:
            entry.slot.touched = owed  # it has not
            if isinstance(error, Mismatch):
                await self._tell.warn(entry, str(error))
                await self._tell.show(entry, entry.state, unlimited=entry.unlimited)
            return str(error)
        self._kept.settle(entry, command)
        await self._tell.owed(entry, None)
        await self._tell.warn(entry, None)
        await self._show_limit(entry, value, found)
        return None

    async def _show_limit(self, entry: Entry, value: Value | None, found: Value | None) -> None:
        """Show what was read back; without a value only who asked for none has none."""
        none = value is None and may_be_none(self._actor, entry)
        await self._tell.show(entry, found, unlimited=none)

    def _was_read(self, entry: Entry, returns: bool) -> bool:
        """True once it is known what to put back, or certain that the device never tells it."""
        return entry.device in self._actor.known and (entry.told or not returns)

    # ---------------------------------------------------------------- writing

    async def attend(self, entry: Entry) -> None:
        """Do what is due now."""
        due = entry.slot.due(self._clock.now())
        if due is Due.GIVE_BACK:
            await self.give_back(entry)
        elif due is Due.WRITE:
            await self._refresh(entry)

    async def _write_lease(self, entry: Entry) -> str | None:
        """Write what the lease says; on any failure the device is given back."""
        try:
            await self._write(entry)
        except DeviceError as error:
            entry.slot.drop()
            await self.give_back(entry)
            if isinstance(error, Mismatch):
                await self._tell.warn(entry, f"{error}; it was given back")
            return str(error)
        return None

    async def _refresh(self, entry: Entry) -> None:
        """Feed the device's watchdog; a device that is away is tried again until the lease ends."""
        lease = entry.slot.lease
        assert lease is not None  # noqa: S101 - only a lease makes a write due
        try:
            await self._write(entry)
        except Mismatch as error:
            entry.slot.drop()
            await self.give_back(entry)
            await self._tell.warn(entry, f"{error}; it was given back")
            await self._tell.result(entry, lease.id, str(error))
        except DeviceError as error:
            entry.slot.failed(self._clock.now())
            await self._tell.warn(entry, f"{entry.name} cannot be refreshed: {error}")

    async def _write(self, entry: Entry) -> None:
        """Write what the lease says, and show what was read back. Raises DeviceError."""
        lease = entry.slot.lease
        assert lease is not None  # noqa: S101 - as above
        entry.slot.writing()
        self._writer.journal.lent(entry.device, entry.name)
        found = await self._writer.write(entry, lease.value)
        entry.slot.wrote(lease.value, self._clock.now())
        await self._tell.warn(entry, None)
        await self._tell.show(entry, found)

    async def give_back(self, entry: Entry) -> str | None:
        """Return the device to its own control; what fails stays owed and is tried again."""
        try:
            # The device first: telling may have to wait for a broker that takes nothing.
            if not entry.leased:
                await self._put_back(entry)
            elif not entry.slot.beginning or self._actor.may_hold(entry.name, entry.device):
                await self._writer.call(entry, None)
        except DeviceError as error:
            if entry.leased:
                await self._tell.show(entry, None)
            entry.slot.failed(self._clock.now())
            sentence = f"{entry.name} could not be given back yet: {error}"
            await self._tell.owed(entry, sentence)
            return sentence
        entry.slot.gave_back()
        if entry.leased:
            self._writer.journal.given_back(entry.device, entry.name)
            await self._tell.show(entry, None)
        await self._tell.owed(entry, None)
        return None

    async def _put_back(self, entry: Entry) -> None:
        """Give a limit what it was, unless somebody has set it since. Raises DeviceError."""
        loan = self._kept.of(entry)
        returns = self._actor.may_return(entry.name, entry.device)
        if loan is not None and not entry.told and not returns:
            raise DeviceError(f"{entry.device} does not tell what it has now")
        if loan is None or not self._kept.ours(entry):
            return
        found = await self._writer.write(entry, loan.original, back=True)
        self._kept.forget(entry)
        await self._show_limit(entry, loan.original, found)
        await self._tell.put_back(entry, loan)

    async def give_back_at_once(self, entry: Entry) -> None:
        """One try; whatever happens to it, the other controls get theirs."""
        entry.slot.drop()
        why = f"the device did not answer for {_SAFE_WRITE_LIMIT:g} s"
        try:
            with anyio.move_on_after(_SAFE_WRITE_LIMIT) as limit:
                await self.give_back(entry)
            if not limit.cancelled_caught:
                return
        except Exception as error:  # noqa: BLE001 - a fault of the actor is one control's alone
            why = one_line(f"{type(error).__name__}: {error}")
        self._actor.log.error(f"{entry.name} of {entry.device} was not given back: {why}")
