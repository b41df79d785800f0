"""What a charger was set to before it was lent out: noted on disk first, put back afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actors.devices.alphaess import decode
from actors.devices.alphaess.steering import check_current
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from actors.devices.alphaess.steering import Steering
    from bridge.state import StateFolder

_FILE: Final = "chargers"


class Note(msgspec.Struct):
    """before: as it was found; changed: something else may have been sent since."""

    before: bool | float
    changed: bool = False


class Lending:
    """The two leases: whether a charger charges, and the current of a system's chargers.

    What is given back is sent at once and without a look before: a stop has little time.
    """

    def __init__(self, steering: Steering, state: StateFolder) -> None:
        self._steering, self._state = steering, state
        try:
            self._notes = msgspec.convert(state.load(_FILE) or {}, dict[str, Note])
        except msgspec.ValidationError:
            self._notes = {}

    @property
    def out(self) -> bool:
        """True while something is lent out, or still to be put back."""
        return bool(self._notes)

    def _note(self, name: str, before: bool | float, wanted: bool | float) -> None:
        note = self._notes.get(name)
        if note is None:
            note = self._notes[name] = Note(before)
        elif note.changed or wanted == note.before:
            return
        note.changed = wanted != note.before
        self._save()

    def _forget(self, name: str) -> None:
        if self._notes.pop(name, None) is not None:
            self._save()

    def _save(self) -> None:
        self._state.save(_FILE, msgspec.to_builtins(self._notes))

    async def enable(self, serial: str, charger: str, value: bool | None) -> bool | None:
        """Start or stop a charger (None: as it was found). Raises DeviceError.

        The service's yes is the confirmation: a car takes its time to follow. Without a note
        nothing is put back, because the maker names no state that a charger returns to.
        """
        name = f"enable {charger}"
        if value is None:
            if (note := self._notes.get(name)) is not None and note.changed:
                start = bool(note.before)
                await self._steering.charger(serial, charger, start=start, hurry=True)
            self._forget(name)
            return None
        now = decode.started(await self._steering.charger_status(serial, charger))
        if now is None and value:
            sentence = f"the charger {charger} does not tell what it does, so it is not started"
            raise DeviceRefused(sentence)
        if now is not None:
            self._note(name, now, value)
        if now is not value:
            # Who wants it to stop does not wait for a rest.
            await self._steering.charger(serial, charger, start=value, hurry=not value)
        return value

    async def current(self, serial: str, amperes: float | None) -> float | None:
        """Set the current of a system's chargers in A (None: as it was found)."""
        name = f"current {serial}"
        if amperes is None:
            if (note := self._notes.get(name)) is not None and note.changed:
                await self._steering.set_current(serial, float(note.before), hurry=True)
            self._forget(name)
            return None
        check_current(amperes)
        before = await self._steering.current(serial)
        if before is None:
            raise DeviceRefused(f"{serial} does not tell the current of its chargers")
        self._note(name, before, amperes)
        return await self._steering.set_current(serial, amperes, before=before)
