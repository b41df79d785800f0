"""Carries wishes to the device: noted before, told once, renewed where it has a timer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import anyio

from bridge.consuming.journal import Journal
from bridge.errors import DeviceError
from bridge.switching.core import SETTLED
from bridge.switching.model import Told

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bridge.consuming.journal import Pressed
    from bridge.device import Device
    from bridge.switching.model import Relay, Seen

_JOURNAL, _KEY = "switching", "switching"
_LIMIT, _SAFE_LIMIT = 20.0, 4.0
_RETRY, _LONGEST_RETRY = 2.0, 15.0
_EARLY: Final = 2.0
"""S that the device's own timer may be ahead of ours."""
_RENEWALS: Final = 3


class Errand:
    """What the device was told. `told`: the last word that it confirmed in this life.

    `tried`, `misses`, `missed_at`, `stuck`: see model.Inputs. `journal.held`: it may be on by our
    word; what a killed process left so (`leftover`) is switched off before anything else.
    """

    def __init__(self, actor: Device, relay: Relay) -> None:
        self._actor, self._relay, self._clock = actor, relay, actor.clock
        self._log: FilteringBoundLogger = actor.log
        self.journal = Journal(actor.state, _JOURNAL)
        self.leftover = self.journal.held
        self.told: Told | None = None
        self.tried: frozenset[bool] = frozenset()
        self.misses, self.missed_at, self.stuck = 0, -math.inf, False
        self._renew_at = math.inf
        self._failures, self._retry_at = 0, -math.inf
        self._failed: bool | None = None

    def needed(self, wish: bool | None, seen: Seen | None) -> bool:
        """Whether there is something to tell now."""
        now = self._clock.now()
        if wish is None or (wish is self._failed and now < self._retry_at):
            return False
        known = seen.on if seen is not None else None
        if self.told is None and not self.tried and not wish and known is False:
            # It is as it should be, and nobody had to tell it.
            self.told = Told(on=False, at=now)
            return False
        if self.told is None or self.tried or self.told.on is not wish:
            return True
        if wish and now >= self._renew_at:
            return True
        settled = seen is not None and seen.at >= self.told.at + SETTLED
        return settled and known is (not wish)

    async def run(self, wish: bool) -> None:
        """Tell it. What fails is tried again after a while; off is never given up."""
        try:
            await self._tell(wish)
        except DeviceError as error:
            await self.failed(wish, str(error))
            return
        self._failed, self.stuck = None, False
        if wish:
            self.misses = 0
        if not self.misses:
            await self._actor.warn(_KEY, None)

    async def failed(self, wish: bool, why: str) -> None:
        """Note that it did not follow. A lease that could only not be renewed still runs."""
        now = self._clock.now()
        renewal = wish and self.told is not None and self.told.on and now < self.told.until
        if wish and not renewal:
            self.misses, self.missed_at = self.misses + 1, now
        self.stuck = not wish
        self._failures = self._failures + 1 if wish is self._failed else 0
        self._failed = wish
        self._retry_at = now + min(_RETRY * 2 ** min(self._failures, 8), _LONGEST_RETRY)
        word = "on" if wish else "off"
        await self._actor.warn(_KEY, f"{self._actor.id} could not be switched {word}: {why}")

    async def _tell(self, wish: bool, limit: float = _LIMIT) -> None:
        if wish:
            # On disk before the first switch-on: a killed process leaves word of it.
            self.journal.note(held=True, by_hand=None)
        renewed = self.told if wish and self.told is not None and self.told.on else None
        self.tried |= {wish}
        timer = self._relay.timer if wish else None
        sent = self._clock.now()
        found: bool | None = None
        with anyio.move_on_after(limit) as scope:
            for _ in range(2):
                found = await self._relay.switch(on=wish, timer=timer)
                if found is wish:
                    break
        if scope.cancelled_caught:
            raise DeviceError(f"it did not answer for {limit:g} s")
        if found is not wish:
            raise DeviceError(f"it was told so twice and {_state(found)}")
        self.tried = frozenset()
        until = math.inf if timer is None else sent + timer - _EARLY
        self._renew_at = math.inf if timer is None else sent + timer / _RENEWALS
        at = renewed.at if renewed is not None else self._clock.now()
        self.told = Told(wish, at, until)
        if not wish:
            self.journal.freed(self._clock.utc())

    async def by_person(self, wish: bool) -> bool | None:
        """Switch for a person: without a timer, for it is not on by a lease."""
        return await self._relay.switch(on=wish, timer=None)

    def let_go(self, by_hand: Pressed | None, wanted: bool) -> None:
        """Follow who has the say: what a person has taken over is not ours to switch any more."""
        if by_hand is not None:
            self.told, self.tried, self.stuck = None, frozenset(), False
            self.journal.note(held=False, by_hand=by_hand, wanted=wanted)
        elif self.journal.by_hand is not None:
            self.told = None
            self.journal.note(held=False, by_hand=None)

    def forgive(self) -> None:
        """Somebody wants it to be tried again now."""
        self.misses, self._retry_at = 0, -math.inf

    async def return_leftover(self) -> bool:
        """Switch off what a former life may have left on; true once there is nothing of that."""
        now = self._clock.now()
        if not self.leftover or now < self._retry_at:
            return not self.leftover
        try:
            await self._tell(wish=False)
        except DeviceError as error:
            self._failures += 1
            self._retry_at = now + min(_RETRY * 2 ** min(self._failures, 8), _LONGEST_RETRY)
            words = "could not be switched off yet after the last run"
            await self._actor.warn(_KEY, f"{self._actor.id} {words}: {error}")
            return False
        self.leftover = False
        self._failures, self._retry_at = 0, -math.inf
        await self._actor.warn(_KEY, None)
        return True

    async def off_at_once(self) -> None:
        """One try, for a stop or a crash; what fails stays noted for the next start."""
        if not self.journal.held:
            return
        why = None
        try:
            await self._tell(wish=False, limit=_SAFE_LIMIT)
        except DeviceError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stop must go on
            why = f"{type(error).__name__}: {error}"
        if why is not None:
            self._log.error(f"{self._actor.id} was not switched off: {why}")


def _state(found: bool | None) -> str:
    if found is None:
        return "does not say what it is"
    return "is on" if found else "is off"
