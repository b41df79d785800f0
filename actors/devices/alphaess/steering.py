"""Writes of one account: whole sets are read, changed, sent and read back.

Not more than once a minute for each endpoint of a system, not when nothing would change, and only
what was looked at before: the service takes times that the inverter then ignores.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess import decode, periods, weekly
from actors.devices.alphaess.client import told
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.devices.alphaess.client import Client
    from actors.devices.alphaess.periods import Fields, Side
    from actors.devices.alphaess.weekly import Plan
    from bridge.clock import Clock
    from bridge.state import StateFolder

MINUTE: Final = 60.0
_FILE: Final = "writes_at"
MOST_CURRENT: Final = 80.0


class Steering:
    """clock, state: of whoever writes; rest: s between two writes to one endpoint of a system."""

    def __init__(
        self, client: Client, state: StateFolder, clock: Clock, *, rest: float = MINUTE
    ) -> None:
        self._client, self._state, self._clock, self._rest = client, state, clock, rest
        found = (state.load(_FILE) or {}).get("at")
        self._at: dict[str, float] = {
            str(name): float(at)
            for name, at in (found.items() if isinstance(found, dict) else ())
            if isinstance(at, (int, float))
        }

    async def _turn(self, endpoint: str, serial: str) -> None:
        """Wait until this may be written again; what the clock says counts over restarts."""
        name = f"{endpoint} {serial}"
        now = self._clock.utc().timestamp()
        left = self._at.get(name, -self._rest) + self._rest - now
        # A clock that was set back must not keep anybody waiting for longer than the rule.
        await self._clock.sleep(min(left, self._rest))
        self._at[name] = self._clock.utc().timestamp()
        self._state.save(_FILE, {"at": self._at})

    # ---------------------------------------------------------------- two periods and a level

    async def side(self, serial: str, fields: Fields) -> Side | None:
        """One side as it is set now; None where the system has none. Raises DeviceError."""
        charge = fields is periods.CHARGE
        ask = self._client.charging if charge else self._client.discharging
        try:
            return periods.read(await ask(serial), fields)
        except DeviceGarbled as error:
            raise told(error) from None

    async def change(self, serial: str, fields: Fields, change: Callable[[Side], Side]) -> Side:
        """Change one side and give it as read back. Raises DeviceError."""
        before = await self.side(serial, fields)
        if before is None:
            raise DeviceRefused(f"{serial} has no such settings: it has a schedule instead")
        wanted = change(before)
        if wanted == before:
            return before
        endpoint = "charge" if fields is periods.CHARGE else "discharge"
        send = (
            self._client.set_charging if fields is periods.CHARGE else self._client.set_discharging
        )
        await self._turn(endpoint, serial)
        await send(serial, periods.body(wanted, fields))
        found = await self.side(serial, fields)
        if found is None:
            raise DeviceGarbled(f"{serial} does not tell what was set any more")
        return found

    # ---------------------------------------------------------------- the newer schedule

    async def plan(self, serial: str) -> Plan | None:
        """The schedule as it is now; None where there is none. Raises DeviceError."""
        try:
            return weekly.read(await self._client.schedule(serial))
        except DeviceGarbled as error:
            raise told(error) from None

    async def change_plan(self, serial: str, change: Callable[[Plan], Plan]) -> Plan:
        """Change the schedule and give it as read back. Raises DeviceError."""
        before = await self.plan(serial) or weekly.Plan(())
        wanted = change(before)
        if wanted == before:
            return before
        weekly.check(wanted.groups)
        await self._turn("schedule", serial)
        await self._client.set_schedule(serial, weekly.body(wanted))
        found = await self.plan(serial)
        if found is None:
            raise DeviceGarbled(f"{serial} does not tell its schedule any more")
        # Its word on the two switches is not to be relied on: they are what they were set to.
        return replace(found, charge=wanted.charge, discharge=wanted.discharge)

    # ---------------------------------------------------------------- chargers

    async def current(self, serial: str) -> float | None:
        """The current of the chargers (A). Raises DeviceError."""
        try:
            return decode.current(await self._client.charger_current(serial))
        except DeviceGarbled as error:
            raise told(error) from None

    async def set_current(
        self, serial: str, amperes: float, *, before: float | None = None
    ) -> float | None:
        """Set it, unless it is so already; as read back. `before`: what was read just now."""
        if not 0 < amperes <= MOST_CURRENT:
            raise DeviceRefused(f"{amperes:g} A is not above 0 and {MOST_CURRENT:g} A at most")
        if before is None:
            before = await self.current(serial)
        if before == amperes:
            return before
        await self._turn("current", serial)
        await self._client.set_charger_current(serial, amperes)
        return await self.current(serial)

    async def charger(self, serial: str, charger: str, *, start: bool) -> None:
        """Start or stop one charger. Raises DeviceError."""
        await self._turn(f"charger {charger}", serial)
        await self._client.control_charger(serial, charger, start=start)

    async def charger_status(self, serial: str, charger: str) -> int | None:
        """What a charger does, as a number of the service. Raises DeviceError."""
        try:
            return decode.charger_status(await self._client.charger_status(serial, charger))
        except DeviceGarbled as error:
            raise told(error) from None


def with_groups(text: str) -> Callable[[Plan], Plan]:
    """A change of the groups; switches nobody has set are switched on. Raises DeviceRefused."""
    groups, named = weekly.parse(text)

    def changed(plan: Plan) -> Plan:
        if (named, frozenset(groups)) == plan.same:
            return plan
        on: Any = {
            name: True if getattr(plan, name) is None else getattr(plan, name)
            for name in ("charge", "discharge")
        }
        return replace(plan, groups=groups, weekly=named, **on)

    return changed
