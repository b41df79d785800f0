"""What a charger was set to before it was lent out: noted on disk first, put back afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess import decode
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from actors.devices.alphaess.steering import Steering
    from bridge.state import StateFolder

_FILE: Final = "chargers"


class Lending:
    """The two leases: whether a charger charges, and the current of a system's chargers."""

    def __init__(self, steering: Steering, state: StateFolder) -> None:
        self._steering, self._state = steering, state
        self._before: dict[str, Any] = dict(state.load(_FILE) or {})

    def _note(self, name: str, value: float | bool) -> None:
        if name not in self._before:
            self._before[name] = value
            self._state.save(_FILE, self._before)

    def _forget(self, name: str) -> None:
        if self._before.pop(name, None) is not None:
            self._state.save(_FILE, self._before)

    async def enable(self, serial: str, charger: str, value: bool | None) -> bool | None:
        """Start or stop a charger (None: as it was found). Raises DeviceError.

        The service's yes is the confirmation: a car takes its time to follow. Without a note
        nothing is put back, because the maker names no state that a charger returns to.
        """
        name = f"enable {charger}"
        wanted = self._before.get(name) if value is None else value
        if wanted is None:
            return None
        now = decode.started(await self._steering.charger_status(serial, charger))
        if value is not None:
            self._note(name, now)
        if now is not bool(wanted):
            await self._steering.charger(serial, charger, start=bool(wanted))
        if value is None:
            self._forget(name)
        return value

    async def current(self, serial: str, amperes: float | None) -> float | None:
        """Set the current of a system's chargers in A (None: as it was found)."""
        name = f"current {serial}"
        if amperes is not None:
            before = await self._steering.current(serial)
            if before is None:
                raise DeviceRefused(f"{serial} does not tell the current of its chargers")
            self._note(name, before)
            return await self._steering.set_current(serial, amperes, before=before)
        if (was := self._before.get(name)) is not None:
            await self._steering.set_current(serial, float(was))
            self._forget(name)
        return None
