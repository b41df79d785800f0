"""Controls: commands in, one after the other; each gets its result once the device was read back.

What is decided about leases is in `bridge/control/lease.py`, what a device is told of them in
`bridge/control/holding.py`. One is given back when it lapses, on each stop and crash and, after a
`kill -9`, at the next start: what is lent out is kept in the state folder. The same goes for limits
that actors have set: `bridge/control/kept.py`.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import anyio

from bridge.control.entry import (
    Entries,
    Entry,
    Job,
    Outcome,
    as_message,
    check_range,
    default_tolerance,
    id_of,
)
from bridge.control.holding import Holding
from bridge.control.kept import Kept
from bridge.control.lease import Slot
from bridge.control.teller import RESULT, STATE, Teller
from bridge.control.writer import Writer
from bridge.errors import ContractError, DeviceError

if TYPE_CHECKING:
    from bridge.bus import Message
    from bridge.contract import Command
    from bridge.control.lease import Value
    from bridge.device import Device

_SET = "Devices/{device}/{Control}/Set"
_QUEUE = 100
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
        self._holding = Holding(actor, self._writer, self._kept, self._tell)
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
        self,
        control: str,
        value: Value | None,
        *,
        device: str | None = None,
        unlimited: bool = False,
    ) -> None:
        """Take what a reading says about a control; see `Device.control_state`.

        A control that is not a lease shows it. A leased one that differs from what its owner set
        is written again; when it differs twice in a row it is given back, with a Warning.
        """
        device = device or self._actor.id
        if (device, control) not in self._entries:
            await self.offer(control, device=device)
        entry = self._entries[device, control]
        if not entry.leased:
            await self._tell.show(entry, value, unlimited=unlimited)
            if self._doing is None or self._doing.entry is not entry:
                self._kept.seen(entry)
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
            for each in list(self._entries.values()):
                await self._holding.attend(each)
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
                    await self._holding.give_back_at_once(entry)
            for entry in entries:
                if entry.leased:
                    await self._tell.show(entry, None)
        finally:
            # Also when the time for the above is over: who asked must not wait in vain.
            if self._doing is not None:
                await self._answer(self._doing, error=_CUT_SHORT)
            while self._queue:
                await self._answer(self._queue.popleft(), error=_STOPS)

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
                    error = await self._holding.lend(entry, command, job.message.at)
                else:
                    error = await self._holding.keep(entry, command)
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
            await self._tell.result(job.entry, name, error, self._kept.of(job.entry))
            return
        result = {"id": name, "ok": False, "value": None, "error": error}
        try:
            await self._actor.publish(RESULT, result, **message.params)
        except ContractError:
            # Nobody knows this control, so it has no Result topic either.
            await self._actor.warn("unknown control", error)
