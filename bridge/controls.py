"""Controls: commands in, one after the other; each gets its result once the device was read back.

What is decided about leases is in `bridge/lease.py`. One is given back when it lapses, on each stop
and crash and, after a `kill -9`, at the next start: what is lent out is kept in the state folder.
The same goes for limits that actors have set: `bridge/kept.py`.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import anyio
import msgspec

from bridge.control_entry import (
    Entries,
    Entry,
    Job,
    Mismatch,
    Outcome,
    as_message,
    check_range,
    default_tolerance,
    id_of,
)
from bridge.control_teller import RESULT, STATE, Teller
from bridge.control_writer import Writer
from bridge.errors import ContractError, DeviceError, one_line
from bridge.kept import Kept
from bridge.lease import Due, Slot

if TYPE_CHECKING:
    from bridge.bus import Message
    from bridge.contract import Command
    from bridge.device import Device
    from bridge.lease import Value

_SET = "Devices/{device}/{Control}/Set"
_FREE_WORD = "auto"
_QUEUE = 100
_SAFE_WRITE_LIMIT = 4.0
_STOPS = "this was not done: the actor stops or starts again"
_CUT_SHORT = "this was cut short: the actor stops or starts again"


class ControlDesk(Entries):
    """Serves every control of one actor's devices; `run` is part of the actor's life.

    It writes through `actor.write_control`, one at a time, beside the actor's own reading.
    """

    def __init__(self, actor: Device) -> None:
        super().__init__(actor.id)
        self._actor = actor
        self._clock = actor.clock
        self._queue: deque[Job] = deque()
        self._doing: Job | None = None
        self._wake = anyio.Event()
        self._heard: set[str] = set()
        self._closed = False
        self._writer = Writer(actor)
        self._kept = Kept(actor.state)
        self._tell = Teller(actor, self._announce)
        self.writes = self._writer.daily
        actor.bus.announcers.append(self._clear_what_is_not_lent)

    # ---------------------------------------------------------------- what there is

    async def offer(self, *controls: str, device: str | None = None) -> None:
        """Serve these controls of a device from now on; naming one again changes nothing."""
        device = device or self._actor.id
        for name in controls:
            if (device, name) in self._entries:
                continue
            control = self._actor.control_entry(name, device)
            slot = Slot(
                watchdog=self._actor.watchdog.get(name),
                touched=self._writer.journal.holds(device, name),
            )
            tolerance = self._actor.tolerance.get(name, default_tolerance(control))
            entry = self._entries[device, name] = Entry(device, control, slot, tolerance)
            if entry.leased:
                await self._tell.show(entry, None)
        self._announce(device)
        if device not in self._heard:
            self._heard.add(device)
            await self._actor.subscribe(_SET, self._on_set, command=True, device=device)
        self._wake.set()

    async def observed(
        self, control: str, value: Value | None, *, device: str | None = None
    ) -> None:
        """Take what a reading says about a control.

        A control that is not a lease shows it. A leased one that differs from what its owner set
        is written again; when it differs twice in a row it is given back, with a Warning.
        """
        device = device or self._actor.id
        if (device, control) not in self._entries:
            await self.offer(control, device=device)
        entry = self._entries[device, control]
        if not entry.leased:
            await self._tell.show(entry, value)
            entry.slot.touched = entry.slot.touched or self._kept.left(entry)
        elif entry.slot.contradicts(value, self._clock.now(), entry.tolerance):
            lease = entry.slot.lease
            entry.slot.drop()
            sentence = f"{control} does not keep what was set and was given back"
            await self._tell.warn(entry, sentence)
            if lease is not None:
                await self._tell.result(entry, lease.id, sentence)
        self._wake.set()

    def there(self, control: str, device: str) -> None:
        """Show a control although its value is unknown: the device has what it is kept in."""
        if (entry := self._entries.get((device, control))) and not entry.visible:
            entry.visible = True
            self._announce(device)

    def device_back(self, device: str) -> None:
        """Give back what is owed, and write running leases again: it may have forgotten them."""
        for entry in self._entries.values():
            if entry.device == device:
                entry.slot.rewrite()
                entry.slot.retry()
        self._wake.set()

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Serve commands in order, refresh and end leases, until cancelled."""
        for device, controls in self._actor.controls_at_start().items():
            await self.offer(*controls, device=device)
        while True:
            self._wake = anyio.Event()
            await self._attend()
            if self._queue:
                await self._serve(self._queue.popleft())
                continue
            until = min((each.slot.next_due() for each in self._entries.values()), default=math.inf)
            with anyio.move_on_after(max(0.0, until - self._clock.now())):
                await self._wake.wait()

    async def safe(self) -> None:
        """Give every lease back and answer what still waits; used on every stop and crash."""
        self._closed = True
        entries = self._entries.values()
        try:
            for entry in entries:
                if entry.slot.touched or self._kept.ours(entry):
                    await self._give_back_at_once(entry)
            for entry in entries:
                if entry.leased:
                    await self._tell.show(entry, None)
        finally:
            # Also when the time for the above is over: who asked must not wait in vain.
            if self._doing is not None:
                await self._answer(self._doing, error=_CUT_SHORT)
            while self._queue:
                await self._answer(self._queue.popleft(), error=_STOPS)

    async def _give_back_at_once(self, entry: Entry) -> None:
        """One try; whatever happens to it, the other controls get theirs."""
        entry.slot.drop()
        why = f"the device did not answer for {_SAFE_WRITE_LIMIT:g} s"
        try:
            with anyio.move_on_after(_SAFE_WRITE_LIMIT) as limit:
                await self._give_back(entry)
            if not limit.cancelled_caught:
                return
        except Exception as error:  # noqa: BLE001 - a fault of the actor is one control's alone
            why = one_line(f"{type(error).__name__}: {error}")
        self._actor.log.error(f"{entry.name} of {entry.device} was not given back: {why}")

    async def _attend(self) -> None:
        for entry in list(self._entries.values()):
            due = entry.slot.due(self._clock.now())
            if due is Due.GIVE_BACK:
                await self._give_back(entry)
            elif due is Due.WRITE:
                await self._refresh(entry)

    # ---------------------------------------------------------------- commands

    async def _on_set(self, message: Message) -> None:
        device, name = message.params["device"], message.params["Control"]
        entry = self._entries.get((device, name))
        key = f"retained {device} {name}"
        if message.retained:
            if message.payload:
                sentence = f"a retained message on {message.address} was refused: clear it there"
                self._actor.log.warning(sentence)
                await self._actor.warn(key, sentence)
            return
        await self._actor.warn(key, None)
        if entry is not None:
            await self._actor.warn("unknown control", None)
        await self._enqueue(Job(message, entry))

    async def submit(self, control: str, payload: bytes, *, device: str | None = None) -> Outcome:
        """Follow `payload` in its turn as if it had come on the control's `Set`, beside `run`."""
        device = device or self._actor.id
        channel = self._actor.contract.channel(_SET, device=device, Control=control)
        message = as_message(channel, payload, self._clock.now())
        job = Job(message, self._entries.get((device, control)))
        await self._enqueue(job)
        await job.done.wait()
        return Outcome(job.error, *(self._tell.in_force(job.entry) if job.entry else (None, None)))

    async def _enqueue(self, job: Job) -> None:
        if self._closed:
            await self._answer(job, error=_STOPS)
        elif len(self._queue) >= _QUEUE:
            await self._answer(job, error=f"{_QUEUE} commands wait already")
        else:
            self._queue.append(job)
            self._wake.set()

    async def _serve(self, job: Job) -> None:
        error: str | None
        entry, self._doing = job.entry, job
        if entry is None:
            error = self._nobody(job.message.params["device"], job.message.params["Control"])
        elif job.message.error is not None:
            error = job.message.error
        else:
            command: Command = job.message.value
            try:
                check_range(self._actor.control_entry(entry.name, entry.device), command.value)
                if entry.leased:
                    error = await self._lend(entry, command, job.message.at)
                else:
                    error = await self._keep(entry, command)
            except DeviceError as refused:
                error = str(refused)
            except Exception:
                await self._answer(job, error="this failed, and the actor starts again")
                raise
        await self._answer(job, error=error)

    def _nobody(self, device: str, control: str) -> str:
        if self._entries or device in self._actor.known:
            return f"{device} has no control {control}"
        return f"{device} was not read yet, so {control} cannot be set"

    async def _lend(self, entry: Entry, command: Command, received: float) -> str | None:
        """Follow a command on a leased control; one sentence when it was not followed."""
        if command.value == _FREE_WORD:
            command = msgspec.structs.replace(command, value=None)
        slot, before = entry.slot, entry.slot.lease
        if command.value is not None and (before is None or before.value != command.value):
            self.writes.check(entry.name)
        verdict = slot.ask(command, self._clock.now(), received)
        if verdict.refused is not None:
            return verdict.refused
        await self._tell.ousted(entry, verdict, command)
        due = slot.due(self._clock.now())
        if due is Due.GIVE_BACK:
            return await self._give_back(entry)
        if due is Due.WRITE:
            return await self._write_lease(entry)
        return None

    async def _keep(self, entry: Entry, command: Command) -> str | None:
        """Follow a command on a control that keeps its value."""
        value, returns = command.value, self._actor.may_return(entry.name, entry.device)
        if value is None and not returns:
            return f"{entry.name} keeps its value and is not lent out, so it cannot be given back"
        if command.ttl is not None:
            return f"{entry.name} keeps its value, so it takes no ttl"
        back = self._kept.returns(entry, command)
        self._kept.asking(entry, command, can_return=returns)
        if value is not None and not returns and self._writer.has(entry, value):
            self._kept.settle(entry, command)
            return None
        if not back:
            self.writes.check(entry.name)
        entry.slot.gave_back()  # this takes the place of what was owed
        try:
            found = await self._writer.write(entry, value, back=back)
        except Mismatch as mismatch:
            await self._tell.warn(entry, str(mismatch))
            await self._tell.show(entry, entry.state)
            return str(mismatch)
        self._kept.settle(entry, command)
        await self._tell.owed(entry, None)
        await self._tell.warn(entry, None)
        await self._tell.show(entry, found)
        return None

    # ---------------------------------------------------------------- writing

    async def _write_lease(self, entry: Entry) -> str | None:
        """Write what the lease says; on any failure the device is given back."""
        lease = entry.slot.lease
        assert lease is not None  # noqa: S101 - only a lease makes a write due
        entry.slot.writing()
        self._writer.journal.lent(entry.device, entry.name)
        try:
            found = await self._writer.write(entry, lease.value)
        except DeviceError as error:
            entry.slot.drop()
            await self._give_back(entry)
            if isinstance(error, Mismatch):
                await self._tell.warn(entry, f"{error}; it was given back")
            return str(error)
        entry.slot.wrote(lease.value, self._clock.now())
        await self._tell.warn(entry, None)
        await self._tell.show(entry, found)
        return None

    async def _refresh(self, entry: Entry) -> None:
        """Feed the device's watchdog; a device that is away is tried again until the lease ends."""
        lease = entry.slot.lease
        assert lease is not None  # noqa: S101 - as above
        entry.slot.writing()
        self._writer.journal.lent(entry.device, entry.name)
        try:
            found = await self._writer.write(entry, lease.value)
        except Mismatch as error:
            entry.slot.drop()
            await self._give_back(entry)
            await self._tell.warn(entry, f"{error}; it was given back")
            await self._tell.result(entry, lease.id, str(error))
        except DeviceError as error:
            entry.slot.failed(self._clock.now())
            await self._tell.warn(entry, f"{entry.name} cannot be refreshed: {error}")
        else:
            entry.slot.wrote(lease.value, self._clock.now())
            await self._tell.warn(entry, None)
            await self._tell.show(entry, found)

    async def _give_back(self, entry: Entry) -> str | None:
        """Return the device to its own control; what fails stays owed and is tried again."""
        try:
            # The device first: telling may have to wait for a broker that takes nothing.
            if not entry.leased:
                await self._put_back(entry)
            elif not entry.slot.beginning or self._actor.may_hold(entry.name, entry.device):
                await self._writer.call(entry, None)
        except DeviceError as error:
            await self._tell.show(entry, None if entry.leased else entry.state)
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
        if loan is None or not self._kept.ours(entry):
            return
        found = await self._writer.write(entry, loan.original, back=True)
        self._kept.forget(entry)
        await self._tell.show(entry, found)
        await self._tell.put_back(entry, loan)

    # ---------------------------------------------------------------- telling

    async def _clear_what_is_not_lent(self) -> None:
        """After each connect: an earlier life may have left a state that nobody holds any more."""
        for entry in self._entries.values():
            if entry.leased and entry.shown is None:
                await self._actor.publish(STATE, None, device=entry.device, Control=entry.name)

    def _announce(self, device: str) -> None:
        """Discovery shows leases at once, others when the device turned out to have them."""
        shown = [
            entry.control
            for entry in self._entries.values()
            if entry.device == device and (entry.leased or entry.visible)
        ]
        if shown:
            self._actor.discovery.controls(device, shown)

    async def _answer(self, job: Job, *, error: str | None) -> None:
        """Publish the result of one command."""
        if job is self._doing:
            self._doing = None
        job.error = error
        job.done.set()
        message = job.message
        name = id_of(message)
        if job.entry is not None:
            await self._tell.result(job.entry, name, error)
            return
        result = {"id": name, "ok": False, "value": None, "error": error}
        try:
            await self._actor.publish(RESULT, result, **message.params)
        except ContractError:
            # Nobody knows this control, so it has no Result topic either.
            await self._actor.warn("unknown control", error)
