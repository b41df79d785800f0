"""Hold and charge by the backup reserve: the only way to steer this battery from outside.

An LG ESS takes no set-point. A reserve above the state of charge makes it stop discharging
(`hold`); the same with charging from the grid allowed makes it charge (`charge`). The device keeps
all three settings for ever, so what was found before is noted on disk first and put back
afterwards. After a hold the battery may stay asleep; a reserve of 100 % for 10 s wakes it, which is
done when there is time for it, and else at the next start.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from actors.devices.lg_ess import preferences
from actors.devices.lg_ess.client import BATTERY
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from actors.devices.lg_ess.client import Client
    from bridge.clock import Clock
    from bridge.state import StateFolder

HOLD: Final = "hold"
CHARGE: Final = "charge"
AUTO: Final = "auto"
MODES: Final = (AUTO, HOLD, CHARGE)
_FILE: Final = "reserve"
_KEYS: Final = {
    "BackupMode": "backupmode",
    "BackupReserve": "backup_soc",
    "GridCharge": "autocharge",
}
_OFF: Final = {"backupmode": "off", "autocharge": "0"}
_FULL: Final = 100
_WAKE: Final = 10.0
_AWAKE: Final = 120.0


class Reserve:
    """The three settings of one device. max_soc: % up to which `charge` charges.

    `lost`: an earlier life noted what it found, and the note cannot be read.
    """

    def __init__(self, client: Client, state: StateFolder, clock: Clock, *, max_soc: float) -> None:
        self._client, self._state, self._clock = client, state, clock
        self._max_soc = max_soc
        damaged = state.is_damaged(_FILE)
        noted = {} if damaged else state.load(_FILE) or {}
        self._found: dict[str, str] = _texts(noted.get("found"))
        self.lost = damaged or bool(noted.get("found") and not self._found)
        self._asleep = noted.get("asleep") is True
        self._lent: tuple[str, dict[str, str]] | None = None
        # An earlier life may have been killed in the middle of anything.
        self._touched = bool(self._found)
        self._woken = -math.inf

    @property
    def owes(self) -> bool:
        """True when an earlier life left something to put back or a battery to wake."""
        return bool(self._found) or self._asleep or self.lost

    @property
    def lent(self) -> bool:
        """True while the three settings are ours."""
        return bool(self._found)

    def mode(self, settings: dict[str, Any]) -> str | None:
        """The mode that is lent, as far as the device still has it; `auto` when it has not."""
        if self._lent is None:
            return None
        mode, wanted = self._lent
        return mode if _same(wanted, settings) else AUTO

    async def lend(self, mode: str, soc: float | None) -> str | None:
        """Hold or charge; the mode as read back. `soc`: % now. Raises DeviceError."""
        settings = await self._client.read(BATTERY)
        before = _current(settings)
        if before is None:
            raise DeviceRefused(f"{self._client.name} does not tell its backup reserve")
        if soc is None:
            raise DeviceRefused(f"{self._client.name} does not tell its state of charge")
        if not self._found:
            self._found, self._asleep, self.lost = before, False, False
            self._note()
        wanted = self._wanted(mode, soc)
        self._lent = (mode, wanted)
        if not _same(wanted, settings):
            self._touched, self._woken = True, -math.inf
            await self._client.write(BATTERY, wanted)
            settings = await self._client.read(BATTERY)
        return self.mode(settings)

    def _wanted(self, mode: str, soc: float) -> dict[str, str]:
        charge = mode == CHARGE
        # The next whole percent above: at the same figure it would go on discharging.
        reserve = self._max_soc if charge else min(math.floor(soc) + 1, _FULL)
        return {
            "backupmode": "on",
            "backup_soc": str(int(reserve)),
            "autocharge": "1" if charge else "0",
        }

    async def give_back(self, *, in_haste: bool) -> None:
        """Put back what was found; without a note nothing was written, and nothing is.

        With a note that cannot be read the reserve is switched off, so that nothing goes on.
        `in_haste`: at a stop, without waking. Raises DeviceError.
        """
        self._lent = None
        if self.lost:
            before = _current(await self._client.read(BATTERY))
            self._found = {} if before is None else before | _OFF
            self._touched, self.lost = bool(self._found), False
            self._note()
        if self._asleep and not self._found and not in_haste:
            # The settings are the owner's again since the last life; only waking is left to do.
            self._found = _current(await self._client.read(BATTERY)) or {}
            self._touched = bool(self._found)
            self._note()
        if self._found and self._touched:
            await self._put_back(in_haste=in_haste)
        if self._found:
            self._found, self._touched = {}, False
            self._note()

    async def _put_back(self, *, in_haste: bool) -> None:
        if not in_haste:
            await self._wake()
        await self._client.write(BATTERY, self._found)
        if not _same(self._found, await self._client.read(BATTERY)):
            raise DeviceRefused(f"{self._client.name} does not take its own settings back")
        self._asleep = self._clock.now() - self._woken > _AWAKE

    async def _wake(self) -> None:
        """A reserve of 100 % for 10 s, without the grid; not again so soon after it was done."""
        if self._clock.now() - self._woken <= _AWAKE:
            return
        full = {"backupmode": "on", "backup_soc": str(_FULL), "autocharge": "0"}
        await self._client.write(BATTERY, full)
        await self._clock.sleep(_WAKE)
        self._woken = self._clock.now()

    def _note(self) -> None:
        self._state.save(_FILE, {"found": self._found, "asleep": self._asleep})


def _current(settings: dict[str, Any]) -> dict[str, str] | None:
    """The three settings in the device's words for writing; None when one is not told."""
    found = preferences.read(settings)
    if not set(_KEYS) <= set(found):
        return None
    return {
        key: text
        for name in _KEYS
        for key, text in preferences.body(name, found[name], settings).items()
    }


def _same(wanted: dict[str, str], settings: dict[str, Any]) -> bool:
    current = _current(settings) or {}
    return all(current.get(key) == text for key, text in wanted.items())


def _texts(found: Any) -> dict[str, str]:
    """What was noted, as far as it is what we note."""
    pairs = found.items() if isinstance(found, dict) else ()
    good = {key: text for key, text in pairs if key in _KEYS.values() and isinstance(text, str)}
    return good if len(good) == len(_KEYS) else {}
