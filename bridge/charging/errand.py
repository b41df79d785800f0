"""Carries wishes to the charger: once each, again where it forgot, noted before the first one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import anyio

from bridge.charging.model import GIVE_BACK, ChargerWish, Told
from bridge.consuming.journal import Journal
from bridge.errors import DeviceError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bridge.charging.model import ChargerReading
    from bridge.clock import Clock
    from bridge.consuming.journal import Pressed
    from bridge.state import StateFolder

MISSES = 2
"""How often in a row a charger may lose what it confirmed."""
_JOURNAL = "charging"
_LIMIT, _SAFE_LIMIT = 20.0, 4.0
_RETRY, _LONGEST_RETRY, _LONGEST_STOP_RETRY = 2.0, 30.0, 5.0
_SETTLING, _LONGEST_SETTLING = 10.0, 600.0
_IN_A_ROW = 60.0


class Charger(Protocol):
    """What an errand needs of its actor."""

    id: str
    clock: Clock
    state: StateFolder
    log: FilteringBoundLogger

    async def obey(self, wish: ChargerWish) -> None:
        """See ChargerDevice.obey."""

    async def warn(self, key: str, text: str | None) -> None:
        """See Device.warn."""


class Errand:
    """What the charger was told. `told`: the last wish that it confirmed in this life.

    `tried`: each `on` that it was told since and did not confirm, for its answer may be lost.
    `astray`: it lost the same wish again and again.

    `held`: true from before the first write of ours until the charger confirmed that it was given
    back. It is kept on disk, so that what a killed process left behind (`leftover`) is put back
    before anything else. `by_hand`: what a person pressed; the charger is theirs then, not ours.
    """

    def __init__(self, charger: Charger) -> None:
        self._charger = charger
        self.told: Told | None = None
        self.tried: frozenset[bool | None] = frozenset()
        self._journal = Journal(charger.state, _JOURNAL)
        self.leftover = self.held
        self._retry_at = -math.inf
        self._failures = 0
        self._repeats = self._misses = 0
        self._failed: ChargerWish | None = None

    @property
    def held(self) -> bool:
        """Whether the charger may have something of ours."""
        return self._journal.held

    @property
    def by_hand(self) -> Pressed | None:
        """What a person pressed, this one or the life before."""
        return self._journal.by_hand

    @property
    def astray(self) -> bool:
        """Whether the charger keeps going back to something else."""
        return self._misses >= MISSES

    async def run(
        self,
        wish: ChargerWish | None,
        reading: ChargerReading | None,
        read_at: float,
        *,
        strict: bool = False,
    ) -> None:
        """Tell the charger what it does not know yet. `strict` tries now and raises DeviceError."""
        now = self._charger.clock.now()
        if wish is None or not self._needed(wish, reading, read_at, now):
            return
        # What is new is tried at once, all the more a stop; the same again only after a while.
        if wish == self._failed and now < self._retry_at and not strict:
            return
        try:
            await self._tell(wish)
        except DeviceError as error:
            self._failures = 0 if wish != self._failed else self._failures + 1
            self._failed = wish
            longest = _LONGEST_RETRY if wish.on else _LONGEST_STOP_RETRY
            self._retry_at = now + min(_RETRY * 2 ** min(self._failures, 8), longest)
            await self._charger.warn("charging", f"{self._charger.id} did not follow: {error}")
            if strict:
                raise
            return
        self._failed = None
        await self._charger.warn("charging", None)

    def _needed(
        self, wish: ChargerWish, reading: ChargerReading | None, read_at: float, now: float
    ) -> bool:
        if wish == GIVE_BACK and not self.held:
            return False
        if self.told is None or self.told.wish != wish or self.tried:
            self._repeats = self._misses = 0
            return True
        patience = min(_SETTLING * 2 ** min(self._repeats, 8), _LONGEST_SETTLING)
        if reading is None or min(now, read_at) < self.told.at + patience:
            return False
        if not wish.contradicted_by(reading):
            return False
        # What the charger does not keep is repeated less and less often.
        self._repeats += 1
        self._misses = self._misses + 1 if now < self.told.at + _IN_A_ROW else 1
        return True

    async def _tell(self, wish: ChargerWish, limit: float = _LIMIT) -> None:
        if wish != GIVE_BACK:
            self._journal.note(held=True, by_hand=None)
        self.tried |= {wish.on}
        with anyio.move_on_after(limit) as scope:
            await self._charger.obey(wish)
        if scope.cancelled_caught:
            raise DeviceError(f"it did not answer for {limit:g} s")
        self.told, self.tried = Told(wish, self._charger.clock.now()), frozenset()
        if wish == GIVE_BACK:
            self._journal.note(held=False, by_hand=None)

    def let_go(self, by_hand: Pressed | None) -> None:
        """A person has taken the charger over: nothing of it is ours to give back any more."""
        if by_hand is not None:
            self._journal.note(held=False, by_hand=by_hand)

    async def return_leftover(self) -> bool:
        """Give back what a former life was still holding; true once there is nothing of that."""
        now = self._charger.clock.now()
        if not self.leftover or now < self._retry_at:
            return not self.leftover
        try:
            await self._tell(GIVE_BACK)
        except DeviceError as error:
            self._retry_at = now + _RETRY
            sentence = f"{self._charger.id} could not be given back yet: {error}"
            await self._charger.warn("charging", sentence)
            return False
        self.leftover = False
        # What is told from here on is new: this was nobody's wish in this life.
        await self._charger.warn("charging", None)
        return True

    async def give_back_at_once(self) -> None:
        """One try, for a stop or a crash; what fails stays noted for the next start."""
        if not self.held:
            return
        why = None
        try:
            await self._tell(GIVE_BACK, _SAFE_LIMIT)
        except DeviceError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stop must go on
            why = f"{type(error).__name__}: {error}"
        if why is not None:
            self._charger.log.error(f"{self._charger.id} was not given back: {why}")
