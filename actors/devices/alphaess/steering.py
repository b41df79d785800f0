"""Writes of one account: whole sets are read, changed, sent and read back.

Not more than once a minute for each endpoint of a system, not when nothing would change, and only
what was looked at before: the service takes times that the inverter then ignores.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess import decode, periods, weekly
from actors.devices.alphaess.client import told
from bridge.cloud.budget import BudgetSpent
from bridge.cloud.words import duration
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.devices.alphaess.client import Client
    from actors.devices.alphaess.periods import Fields, Side
    from actors.devices.alphaess.weekly import Plan
    from bridge.clock import Clock
    from bridge.cloud.ledger import Ledger
    from bridge.state import StateFolder

MINUTE: Final = 60.0
MOST_CURRENT: Final = 80.0
_SWITCHES: Final = "switches"
_A_WHILE: Final = 1.0


class Steering:
    """state, clock: of whoever writes; rest: s between two writes to one endpoint of a system.

    patient: wait for the rest to be over; else what comes too early is refused.
    """

    def __init__(
        self, client: Client, state: StateFolder, clock: Clock, *, rest: float = MINUTE
    ) -> None:
        self._client, self._state, self._clock, self._rest = client, state, clock, rest
        self._books: dict[str, Ledger] = {}
        self.patient = True

    async def _turn(self, endpoint: str, serial: str) -> bool:
        """Wait until this may be written again, whichever program wrote it last.

        True when that took a while, so that somebody may have changed it. Raises DeviceRefused.
        """
        name = f"{endpoint} {serial}"
        if name not in self._books:
            self._books[name] = self._client.book(name, gap=self._rest)
        since = self._clock.now()
        try:
            await self._books[name].turn(self._rest if self.patient else 0.0)
        except BudgetSpent as spent:
            sentence = f"{serial} was set a moment ago: set this again in {duration(spent.wait)}"
            raise DeviceRefused(sentence) from None
        return self._clock.now() - since > _A_WHILE

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
        before = await self._own_side(serial, fields)
        wanted = change(before)
        if wanted == before:
            return before
        charge = fields is periods.CHARGE
        if await self._turn("charge" if charge else "discharge", serial):
            before = await self._own_side(serial, fields)
            wanted = change(before)
            if wanted == before:
                return before
        send = self._client.set_charging if charge else self._client.set_discharging
        await send(serial, periods.body(wanted, fields))
        found = await self.side(serial, fields)
        if found is None:
            raise DeviceGarbled(f"{serial} does not tell what was set any more")
        return found

    async def _own_side(self, serial: str, fields: Fields) -> Side:
        found = await self.side(serial, fields)
        if found is None:
            raise DeviceRefused(f"{serial} has no such settings: it has a schedule instead")
        return found

    # ---------------------------------------------------------------- the newer schedule

    async def plan(self, serial: str) -> Plan | None:
        """The schedule as it is now; None where there is none. Raises DeviceError."""
        found = await self._told_plan(serial)
        return None if found is None else self._believed(serial, found)

    async def _told_plan(self, serial: str) -> Plan | None:
        try:
            return weekly.read(await self._client.schedule(serial))
        except DeviceGarbled as error:
            raise told(error) from None

    def _believed(self, serial: str, plan: Plan) -> Plan:
        """With the two switches as they were set, until the service's word on them changes."""
        kept = (self._state.load(_SWITCHES) or {}).get(serial)
        if not isinstance(kept, dict) or kept.get("told") != [plan.charge, plan.discharge]:
            return plan
        match kept.get("set"):
            case [bool() | None as charge, bool() | None as discharge]:
                return replace(plan, charge=charge, discharge=discharge)
        return plan

    def _keep_switches(self, serial: str, wanted: Plan, found: Plan) -> None:
        kept = self._state.load(_SWITCHES) or {}
        kept[serial] = {
            "set": [wanted.charge, wanted.discharge],
            "told": [found.charge, found.discharge],
        }
        self._state.save(_SWITCHES, kept)

    async def change_plan(self, serial: str, change: Callable[[Plan], Plan]) -> Plan:
        """Change the schedule and give it as read back. Raises DeviceError."""
        before = await self.plan(serial) or weekly.Plan(())
        wanted = change(before)
        if wanted == before:
            return before
        weekly.check(wanted.groups)
        if await self._turn("schedule", serial):
            before = await self.plan(serial) or weekly.Plan(())
            wanted = change(before)
            if wanted == before:
                return before
            weekly.check(wanted.groups)
        await self._client.set_schedule(serial, weekly.body(wanted))
        found = await self._told_plan(serial)
        if found is None:
            raise DeviceGarbled(f"{serial} does not tell its schedule any more")
        # Its word on the two switches is not to be relied on: they are what they were set to.
        self._keep_switches(serial, wanted, found)
        return replace(found, charge=wanted.charge, discharge=wanted.discharge)

    # ---------------------------------------------------------------- chargers

    async def current(self, serial: str) -> float | None:
        """The current of the chargers (A). Raises DeviceError."""
        try:
            return decode.current(await self._client.charger_current(serial))
        except DeviceGarbled as error:
            raise told(error) from None

    async def set_current(
        self, serial: str, amperes: float, *, before: float | None = None, hurry: bool = False
    ) -> float | None:
        """Set it, unless it is so already; as read back. `before`: what was read just now.

        hurry: it is given back, which must not wait for anything. Raises DeviceError.
        """
        check_current(amperes)
        if not hurry:
            if before is None:
                before = await self.current(serial)
            if before == amperes:
                return before
            await self._turn("current", serial)
        await self._client.set_charger_current(serial, amperes)
        return await self.current(serial)

    async def charger(self, serial: str, charger: str, *, start: bool, hurry: bool = False) -> None:
        """Start or stop one charger. hurry: without a rest before. Raises DeviceError."""
        if not hurry:
            await self._turn(f"charger {charger}", serial)
        await self._client.control_charger(serial, charger, start=start)

    async def charger_status(self, serial: str, charger: str) -> int | None:
        """What a charger does, as a number of the service. Raises DeviceError."""
        try:
            return decode.charger_status(await self._client.charger_status(serial, charger))
        except DeviceGarbled as error:
            raise told(error) from None


def check_current(amperes: float) -> None:
    """Raise DeviceRefused for what no charger is set to."""
    if not 0 < amperes <= MOST_CURRENT:
        raise DeviceRefused(f"{amperes:g} A is not above 0 and {MOST_CURRENT:g} A at most")


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
