"""Tells what became of controls: their state, the results of commands, warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.lease import MANUAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.clock import Clock
    from bridge.contract import Command
    from bridge.control_entry import Entry
    from bridge.device import Device
    from bridge.kept import Loan
    from bridge.lease import Value, Verdict

RESULT = "Devices/{device}/{Control}/Result"
STATE = "Devices/{device}/{Control}"


class Teller:
    """Publishes for one actor; `appeared(device)` is called when a control is seen at first."""

    def __init__(self, actor: Device, appeared: Callable[[str], None]) -> None:
        self._actor, self._appeared = actor, appeared
        self._clock: Clock = actor.clock

    async def warn(self, entry: Entry, text: str | None, about: str = "control") -> None:
        """One control's warning; None takes it back."""
        key = f"{about} {entry.device} {entry.name}"
        await self._actor.warn(key, None if text is None else f"{entry.device}: {text}")

    async def owed(self, entry: Entry, text: str | None) -> None:
        """The warning that it could not be given back yet."""
        await self.warn(entry, text, about="back")

    async def show(self, entry: Entry, value: Value | None) -> None:
        """Publish a control's state where it changed."""
        entry.state, entry.known_at = value, self._clock.now()
        if entry.shown is ... or entry.shown != value:
            entry.shown = value
            shown, _ = self.in_force(entry)
            await self._actor.publish(STATE, shown, device=entry.device, Control=entry.name)
            if value is not None and not entry.visible:
                entry.visible = True
                self._appeared(entry.device)

    def in_force(self, entry: Entry) -> tuple[Value | None, str | None]:
        """What the device follows, and a sentence where that is not what was asked for."""
        if entry.state is None:
            return None, None
        return self._actor.in_force(entry.name, entry.state, device=entry.device)

    async def result(self, entry: Entry, name: str | None, error: str | None) -> None:
        """Publish what became of the command `name`; error None: it was followed."""
        value, why = self.in_force(entry)
        result = {"id": name, "ok": error is None, "value": value, "error": error}
        if why is not None:
            result["why"] = why
        await self._actor.publish(RESULT, result, device=entry.device, Control=entry.name)

    async def put_back(self, entry: Entry, loan: Loan) -> None:
        """Tell who had set a limit that it is what it was before."""
        what = f"{entry.name} of {entry.device}"
        self._actor.log.info(f"{what} is what it was before {loan.by} had set it")
        sentence = f"{what} was put back: the device's actor has started or stopped"
        await self.result(entry, loan.id, sentence)

    async def ousted(self, entry: Entry, verdict: Verdict, command: Command) -> None:
        """Tell who has lost the control to a person."""
        if verdict.ousted is not None:
            word = "gave it back" if command.value is None else "took over"
            await self.result(entry, verdict.ousted.id, f"{MANUAL} {word}")
