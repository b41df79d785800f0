"""Steering a battery: lending it a set-point under its API strategy, and giving it back.

What was found is noted on disk before the first write, so that a bridge that was killed gives it
back at its next start.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from actors.devices.sessy.numbers import block, number, word
from actors.devices.sessy.words import API, NAMES, STRATEGIES
from bridge.errors import DeviceGarbled, DeviceRefused
from bridge.http import HttpRefused

if TYPE_CHECKING:
    from actors.devices.sessy.client import Client
    from bridge.clock import Clock
    from bridge.state import StateFolder

STATUS: Final = "/api/v1/power/status"
_STRATEGY: Final = "/api/v1/power/active_strategy"
_SETPOINT: Final = "/api/v1/power/setpoint"
_NOTE: Final = "strategy"
_LOOKS, _PAUSE = 6, 0.4


class Steering:
    """The strategy and the set-point of one battery.

    give_back: our word for what it is left to when it was found under its API.
    """

    def __init__(self, client: Client, state: StateFolder, clock: Clock, give_back: str) -> None:
        self._client, self._state, self._clock = client, state, clock
        self._default = NAMES[give_back]
        self._former = self._noted()

    def _noted(self) -> str | None:
        found = (self._state.load(_NOTE) or {}).get("former")
        return found if found in STRATEGIES and found != API else None

    @property
    def lent(self) -> bool:
        """True while the battery is, or may be, under our set-point."""
        return self._former is not None

    async def strategy(self) -> str:
        """The strategy in force, in the device's word. Raises DeviceError."""
        found = word(await self._client.get(_STRATEGY), "strategy")
        if found is None:
            raise DeviceGarbled(f"{self._client.name} does not tell its strategy")
        return found

    def shown(self, strategy: str) -> str:
        """Our word for what the battery follows by itself: while it is lent, what it returns to."""
        name = self._former if self._former is not None else strategy
        return STRATEGIES.get(name, name.removeprefix("POWER_STRATEGY_").lower())

    # ---------------------------------------------------------------- set-point

    async def lend(self, watts: float) -> float | None:
        """Let the battery follow `watts` (+ = discharge); as read back. Raises DeviceError."""
        whole = round(watts)
        before = await self.strategy()
        if self._former is None:
            self._note(before if before in STRATEGIES and before != API else self._default)
        if before != API:
            # First the set-point: under the API it would follow whatever was left there last.
            # It may take one only under that strategy; then the next one counts.
            with contextlib.suppress(HttpRefused):
                await self._client.post(_SETPOINT, {"setpoint": whole})
            await self._set(API)
        await self._client.post(_SETPOINT, {"setpoint": whole})
        return await self._read_back(whole)

    async def give_back(self) -> None:
        """Leave the battery to what was found. Raises DeviceError; it stays owed then."""
        strategy = await self.strategy()
        if self._former is None and strategy != API:
            return  # nothing was written yet, or all is given back
        if strategy == API:
            # Whoever takes the API strategy next must not meet our last set-point.
            await self._client.post(_SETPOINT, {"setpoint": 0})
        await self._set(self._former or self._default)
        self._note(None)

    async def leave_to(self, mode: str) -> str:
        """Set what the battery follows by itself; while it is lent, what it returns to."""
        if self._former is not None:
            self._note(NAMES[mode])
        else:
            await self._set(NAMES[mode])
        return mode

    async def _set(self, strategy: str) -> None:
        """Set a strategy and see that it is in force."""
        await self._client.post(_STRATEGY, {"strategy": strategy})
        for _ in range(_LOOKS):
            if await self.strategy() == strategy:
                return
            await self._clock.sleep(_PAUSE)
        wanted = STRATEGIES[strategy]
        raise DeviceRefused(f"{self._client.name} does not take the strategy {wanted}")

    async def _read_back(self, wanted: int) -> float | None:
        """The set-point that the device tells, once it is the one wanted or time is over."""
        found: float | None = None
        for _ in range(_LOOKS):
            found = setpoint(await self._client.get(STATUS))
            if found is not None and round(found) == wanted:
                break
            await self._clock.sleep(_PAUSE)
        return found

    def _note(self, former: str | None) -> None:
        if former != self._former:
            self._former = former
            self._state.save(_NOTE, {"former": former})


def setpoint(status: Any) -> float | None:
    """W of the set-point in `power/status`, + = discharge."""
    return number(block(status, "sessy"), "power_setpoint")
