"""What is asked of each system, again and again, and what becomes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess import decode, periods, served, weekly
from actors.devices.alphaess.agenda import Job

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.devices.alphaess.actor import AlphaEss
    from actors.devices.alphaess.decode import Charger, System, Values
    from actors.devices.alphaess.periods import Fields, Side
    from actors.devices.alphaess.weekly import Plan

ROUNDS: Final = {
    "systems": 3600.0,
    "sums": 900.0,
    "charge": 300.0,
    "discharge": 300.0,
    "schedule": 300.0,
    "chargers": 3600.0,
    "current": 300.0,
    "status": 60.0,
}
"""s between two askings; the powers have the actor's interval."""

_SIDES: Final = {"charge": periods.CHARGE, "discharge": periods.DISCHARGE}
_PATIENCE: Final = 3.0
_NOTHING_THERE: Final = 3600.0
_ALWAYS: Final = frozenset({"PvPower", "LoadPower", "GridPower", "BatteryPower", "BatterySoc"})


class Rounds:
    """Everything that one actor knows of its systems."""

    def __init__(self, actor: AlphaEss) -> None:
        self._actor = actor
        self._systems: dict[str, System] = {}
        self._live: dict[str, Values] = {}
        # What was told aside from the powers, and when: (job, name) -> (monotonic s, value).
        self._aside: dict[tuple[Job, str], tuple[float, float | str | None]] = {}
        self._known: dict[str, set[str]] = {}
        self._empty: set[tuple[str, str]] = set()
        self._chargers: dict[str, tuple[Charger, ...]] = {}

    # ---------------------------------------------------------------- who is who

    def whose(self, device: str) -> tuple[str, str | None]:
        """The system that a device is or belongs to, and the charger that it is; '' for none."""
        names = self._actor.names
        for serial in names.systems:
            if names.device(serial) == device:
                return serial, None
            for each in self._chargers.get(serial, ()):
                if names.charger(each.serial) == device:
                    return serial, each.serial
        return "", None

    def devices(self, serial: str) -> tuple[str, ...]:
        """A system's device and those of its chargers."""
        names = self._actor.names
        chargers = self._chargers.get(serial, ())
        return (names.device(serial), *(names.charger(each.serial) for each in chargers))

    def only_scheduled(self, serial: str) -> bool:
        """True for a newer model, whose older settings are empty."""
        return all((serial, side) in self._empty for side in _SIDES)

    def absent(self, job: Job) -> None:
        """The account may not have this: what it would have told is no part of the system."""
        self._empty.add((job.system, job.what))

    # ---------------------------------------------------------------- what is asked

    async def begin(self, serial: str) -> None:
        """Ask for a system from now on, and serve its settings."""
        agenda, names = self._actor.agenda, self._actor.names
        agenda.add(Job("live", serial), self._actor.settings.interval, first=True)
        for what in ("sums", "charge", "discharge", "schedule", "chargers"):
            agenda.add(Job(what, serial), ROUNDS[what])
        await self._actor.desk.offer(*served.KEPT, device=names.device(serial))
        kept = (self._actor.state.load("plugs") or {}).get(serial)
        known = [each for each in (kept or []) if isinstance(each, str)]
        await self._begin_chargers(serial, tuple(decode.Charger(each) for each in known))

    async def _begin_chargers(self, serial: str, found: tuple[Charger, ...]) -> None:
        agenda, desk = self._actor.agenda, self._actor.desk
        self._chargers[serial] = found
        wanted = {Job("status", serial, each.serial) for each in found}
        for job in agenda.jobs():
            if job.what == "status" and job.system == serial and job not in wanted:
                agenda.drop(job)
        for each in found:
            agenda.add(Job("status", serial, each.serial), ROUNDS["status"])
            await desk.offer(served.ENABLE, device=self._actor.names.charger(each.serial))
        if found:
            agenda.add(Job("current", serial), ROUNDS["current"])
            await desk.offer(served.CURRENT, device=self._actor.names.device(serial))
        else:
            agenda.drop(Job("current", serial))

    async def ask(self, job: Job) -> None:
        """Ask for one thing and tell what came. Raises DeviceError."""
        asked: dict[str, Callable[[Job], Awaitable[None]]] = {
            "systems": self._ask_systems,
            "live": self._ask_live,
            "sums": self._ask_sums,
            "charge": self._ask_side,
            "discharge": self._ask_side,
            "schedule": self._ask_schedule,
            "chargers": self._ask_chargers,
            "current": self._ask_current,
            "status": self._ask_status,
        }
        await asked[job.what](job)

    async def _ask_systems(self, _: Job) -> None:
        found = await self._actor.find()
        present = {each.serial for each in found}
        for serial in set(self._systems) - present:
            await self._leave(serial)
        for each in found:
            if Job("live", each.serial) not in self._actor.agenda:
                await self.begin(each.serial)
            self._systems[each.serial] = each
            await self._actor.tell_info(each)

    async def _leave(self, serial: str) -> None:
        """A system that is no longer bound to the account."""
        for device in self.devices(serial):
            why = "it is no longer bound to the account"
            await self._actor.device_status("offline", why, device=device)
        for job in self._actor.agenda.jobs():
            if job.system == serial:
                self._actor.agenda.drop(job)
        self._systems.pop(serial, None)

    async def _ask_live(self, job: Job) -> None:
        self._live[job.system] = decode.live(await self._actor.client.live(job.system))
        device = self._actor.names.device(job.system)
        await self._actor.reading(self._values(job.system), device=device)
        for each in self._chargers.get(job.system, ()):
            name = self._actor.names.charger(each.serial)
            await self._actor.reading(self._of_charger(job.system, each), device=name)
            await self._actor.info("AlphaESS", each.model, each.serial, device=name)
        await self._actor.tell_roles()

    async def _ask_sums(self, job: Job) -> None:
        self._keep(job, decode.sums(await self._actor.client.sums(job.system)))

    async def _ask_side(self, job: Job) -> None:
        fields = _SIDES[job.what]
        found = await self._actor.steering.side(job.system, fields)
        if found is None:
            # A newer model has nothing there; an older one that only lacks an answer is seen again.
            agenda = self._actor.agenda
            agenda.rest(job, self._actor.clock.now() + _NOTHING_THERE)
            self._empty.add((job.system, job.what))
            return
        self._empty.discard((job.system, job.what))
        await self.tell_side(job.system, fields, found)

    async def _ask_schedule(self, job: Job) -> None:
        found = await self._actor.steering.plan(job.system)
        if found is not None:
            await self.tell_plan(job.system, found)

    async def _ask_chargers(self, job: Job) -> None:
        found = decode.chargers(await self._actor.client.chargers(job.system))
        await self._begin_chargers(job.system, found)
        kept = {
            serial: [each.serial for each in chargers]
            for serial, chargers in self._chargers.items()
            if chargers
        }
        if kept != (self._actor.state.load("plugs") or {}):
            self._actor.state.save("plugs", kept)

    async def _ask_current(self, job: Job) -> None:
        amperes = await self._actor.steering.current(job.system)
        self._keep(job, {"ChargingCurrent": amperes})
        device = self._actor.names.device(job.system)
        await self._actor.control_state(served.CURRENT, amperes, device=device)

    async def _ask_status(self, job: Job) -> None:
        status = await self._actor.steering.charger_status(job.system, job.charger)
        self._keep(job, {"VehicleState": decode.vehicle(status)})

    # ---------------------------------------------------------------- what is told

    def _keep(self, job: Job, values: Values) -> None:
        now = self._actor.clock.now()
        self._aside |= {(job, name): (now, value) for name, value in values.items()}

    def _recent(self, job: Job) -> Values:
        """What a job told last; unknown once it is too old."""
        now, agenda = self._actor.clock.now(), self._actor.agenda
        limit = _PATIENCE * agenda.pace(job) if job in agenda else 0.0
        return {
            name: value if now - at <= limit else None
            for (each, name), (at, value) in self._aside.items()
            if each == job
        }

    def _values(self, serial: str) -> Values:
        """The powers of now and the rest as it was told last, without what it never had."""
        system = self._systems.get(serial)
        values = self._live[serial] | self._recent(Job("sums", serial))
        values |= self._recent(Job("current", serial))
        if system is not None and system.capacity is not None:
            values["BatteryCapacity"] = system.capacity
        known = self._known.setdefault(serial, set(_ALWAYS))
        known |= {name for name, value in values.items() if value is not None}
        return {name: values.get(name) for name in sorted(known)}

    def _of_charger(self, serial: str, charger: Charger) -> Values:
        """Of several chargers nobody has said which power is whose."""
        values: Values = {"VehicleState": None}
        values |= self._recent(Job("status", serial, charger.serial))
        if len(self._chargers[serial]) == 1:
            values["Power"] = self._live[serial].get("ChargerPower")
        return values

    async def tell_side(self, serial: str, fields: Fields, side: Side) -> None:
        """What one side is set to."""
        await self._tell(serial, served.of_side(side, fields))

    async def tell_plan(self, serial: str, plan: Plan) -> None:
        """What the schedule is set to."""
        told = served.of_plan(plan, alone=self.only_scheduled(serial))
        device = self._actor.names.device(serial)
        long = f"{device}: its schedule is too long for a line: see `heliograph alphaess schedule`"
        await self._actor.warn(f"long {device}", long if told[served.SCHEDULE] is None else None)
        await self._tell(serial, told)

    async def _tell(self, serial: str, told: Any) -> None:
        for name, value in told.items():
            device = self._actor.names.device(serial)
            await self._actor.control_state(name, value or _empty(name, value), device=device)


def _empty(name: str, value: Any) -> Any:
    """A schedule without groups is shown as one that is off."""
    return weekly.NONE if name == served.SCHEDULE and value == "" else value
