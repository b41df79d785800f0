"""GoeDevice: what go-e chargers and the Wattpilot do alike, whichever way they are spoken to.

A kind brings the keys as they are now (`keys_now`) and sets one (`set_key`); what is written when,
what is put back and how often the EEPROM may be written is here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.charging.device import ChargerDevice
from bridge.charging.goe_keys import EXTRAS, MODES, decode
from bridge.charging.goe_recipe import keep, put_back, reading_of, writes
from bridge.charging.wear import Wear
from bridge.errors import DeviceError, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bridge.actor import Context
    from bridge.charging.goe_keys import Decoded
    from bridge.charging.model import ChargerReading, ChargerWish

_BEFORE = "before"
_WORDS = {word: number for number, word in MODES.items()}
_EEPROM = "amp"


class GoeDevice(ChargerDevice):
    """In its eco mode the sun decides, in the others people do. `called`: its make in sentences."""

    quantities: ClassVar[tuple[str, ...]] = (*ChargerDevice.quantities, *EXTRAS)
    manual_modes: ClassVar[frozenset[str]] = frozenset({"default", "next_trip", "other"})
    called: ClassVar[str] = "a go-e charger"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.wear = Wear(self.state, self.clock, self.settings.daily_writes)
        self._before: dict[str, Any] = self.state.load(_BEFORE) or {}

    # ---------------------------------------------------------------- to implement

    async def keys_now(self) -> Mapping[str, Any]:
        """All keys as they are now. Raises DeviceError."""
        raise NotImplementedError

    async def set_key(self, key: str, value: Any) -> None:
        """Set one key, until it is seen to be so. Raises DeviceError."""
        raise NotImplementedError

    # ---------------------------------------------------------------- reading

    async def read_charger(self) -> ChargerReading:
        """One reading, from the keys as they are now. Raises DeviceError."""
        return self.reading_from(await self.decoded())

    async def decoded(self) -> Decoded:
        """The keys as they are now, decoded. Raises DeviceError."""
        return decode(await self.keys_now())

    def reading_from(self, found: Decoded) -> ChargerReading:
        """The same in the words of every charger, with the limit that its EEPROM sets."""
        reading = reading_of(found)
        if found.volatile or found.stored is None or not self.wear.spent:
            return reading
        # The EEPROM has been written often enough today: the current can only be lowered.
        most = found.stored if reading.max_current is None else reading.max_current
        return replace(reading, max_current=min(most, found.stored))

    # ---------------------------------------------------------------- control

    async def obey(self, wish: ChargerWish) -> None:
        """Write what differs, phases first, then current, then on. Raises DeviceError."""
        found = await self.decoded()
        todo = writes(wish, found, self._before)
        self._keep(found, {key for key, _ in todo})
        for key, value in todo:
            if key == _EEPROM and wish.current is not None:
                self._spend(found, value)
            await self.set_key(key, value)
        self._forget(put_back(wish))

    def _spend(self, found: Decoded, value: int) -> None:
        """Count a write to the EEPROM; what lowers the current is never refused."""
        if self.wear.spent and (found.stored is None or value > found.stored):
            limit = self.wear.limit
            raise DeviceError(f"the current was written {limit} times today, which is its limit")
        self.wear.count()

    async def set_mode(self, mode: str | None) -> str | None:
        """Set eco, default or next_trip; None puts back what was found. Raises DeviceError."""
        found = await self.decoded()
        number = self._before.get("lmo") if mode is None else _WORDS.get(mode)
        if mode is not None and number is None:
            raise DeviceRefused(f"{self.called} has no mode {mode}: it has {', '.join(_WORDS)}")
        if mode is not None and found.mode_number is None:
            raise DeviceRefused(f"{self.id} has no modes that could be set to {mode}")
        if mode is not None:
            self._keep(found, {"lmo"})
        if number is not None and number != found.mode_number:
            await self.set_key("lmo", number)
        if mode is None:
            self._forget({"lmo"})
        return MODES.get(found.mode_number or 0) if number is None else MODES.get(number)

    def _keep(self, found: Decoded, keys: set[str]) -> None:
        """Note on the disk what is about to be changed, before it is."""
        kept = keep(found, self._before, keys)
        if kept != self._before:
            self._before = kept
            self.state.save(_BEFORE, kept)

    def _forget(self, keys: Collection[str]) -> None:
        """What was put back needs no note any more."""
        left = {key: value for key, value in self._before.items() if key not in keys}
        if left != self._before:
            self._before = left
            self.state.save(_BEFORE, left)
