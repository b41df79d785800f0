"""A simulated SunSpec device: several makers' chains of models around one house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from actors.devices.sunspec import shows
from actors.devices.sunspec.profiles import profiles, unit_of
from bridge.simulators.device import FAULTS as COMMON_FAULTS
from bridge.simulators.device import RegisterSimulator
from bridge.simulators.plant import Plant
from bridge.simulators.server import ModbusServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.devices.sunspec.profiles import Slot
    from bridge.simulators.bank import Unit
    from bridge.simulators.device import Front

FAULTS: Final = {
    **COMMON_FAULTS,
    "no_marker": "answers with something else than the mark of SunSpec",
    "gone": "has a chain without models",
}
_SMALL: Final = 3000.0
_OWN: Final = frozenset(FAULTS) - frozenset(COMMON_FAULTS)


class Simulator(RegisterSimulator):
    """`profile` is one of `profiles()`; `profile_name` says which. Time runs at `speed`.

    Limits and setpoints expire as their reversion times say. `delay`: s before each answer.
    """

    faults: Mapping[str, str] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        profile: str = "fronius_gen24",
        plant: Plant | None = None,
        transport: Literal["modbus", "rtu_over_tcp"] | str = "modbus",  # noqa: PYI051 - as the base
        speed: float = 1.0,
        delay: float = 0.0,
    ) -> None:
        if profile not in profiles():
            raise ValueError(f"{profile} is not one of {', '.join(profiles())}")
        self.profile_name, self.profile = profile, profiles()[profile]
        self.delay = delay
        self.timers: dict[str, float] = {}
        self._turn = 0
        plant = plant or Plant(has_battery=self.profile.battery)
        super().__init__(host, port, plant=plant, transport=transport, speed=speed)
        self._follow_all()

    def settings(self) -> dict[str, Any]:
        """What points a configuration at it, beyond host and port."""
        found: dict[str, Any] = {"transport": self.transport}
        first, *others = self.profile.chains
        if first != 1:
            found["unit"] = first
        if others:
            found["meter_unit"] = others[0]
        if self.profile.extras:
            found["solaredge_storage"] = True
        return found

    # ---------------------------------------------------------------- what is served

    @property
    def device(self) -> Unit:
        """The Modbus unit of the inverter."""
        return next(iter(self.bank.units.values()))

    @property
    def unit_id(self) -> int:
        """Its Modbus unit id."""
        return next(iter(self.profile.chains))

    def units(self) -> Mapping[int, Unit]:
        """See the base."""
        profile = self.profile
        return {
            number: unit_of(slots, profile.base, extras=profile.extras)
            for number, slots in profile.chains.items()
        }

    def make_front(self, host: str, port: int) -> Front:
        """See the base."""
        front = super().make_front(host, port)
        if isinstance(front, ModbusServer):
            front.clients = self.profile.clients
            front.delay = self.delay
        return front

    @property
    def fault(self) -> str | None:
        """The fault that is switched on."""
        return self._fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        RegisterSimulator.fault.fset(self, name)  # type: ignore[attr-defined]
        if name in _OWN:
            self.front.fault = None
        base = self.profile.base
        for unit in self.bank.units.values():
            unit.words[base] = 0x1234 if name == "no_marker" else 0x5375
            unit.words[base + 2] = 0xFFFF if name == "gone" else 1

    # ---------------------------------------------------------------- plant -> registers

    def show(self) -> None:
        """See the base."""
        self._turn += 1
        for number, slots in self.profile.chains.items():
            unit = self.bank.units.get(number)
            if unit is None:
                # A test took it away.
                continue
            for slot in slots:
                self._show_slot(unit, slot)
            if self.profile.extras:
                unit.put(shows.solaredge(self.plant))

    def _show_slot(self, unit: Unit, slot: Slot) -> None:
        shown = shows.SHOWS.get(slot.model)
        if shown is None:
            return
        points = shown(shows.Scene(self.plant, self.profile, slot))
        if self.profile.wanders and slot.model in shows.WANDERING:
            # Finer while the number fits, and coarser the next time.
            small = abs(shows.number(points["W"], 0.0)) < _SMALL
            points = {"W_SF": -1 if small and self._turn % 2 else 0, **points}
        prefix = f"{slot.label}m{slot.model}_"
        unit.put({prefix + point: value for point, value in points.items()})

    # ---------------------------------------------------------------- registers -> plant

    def obey(self, unit: int, address: int, words: list[int]) -> None:
        """See the base."""
        table = self.bank.units[unit].table
        span = set(range(address, address + len(words)))
        models = {row.name.partition("_")[0] for row in table.registers if span & {*row.places}}
        for model in models & {"m123", "m124", "m704", "m802"}:
            self._follow(model)
            self._start_timers(model)

    def _follow_all(self) -> None:
        for model in ("m123", "m124", "m704", "m802"):
            if f"{model}_ID" in self.device.table:
                self._follow(model)

    def _follow(self, model: str) -> None:
        unit, plant = self.device, self.plant
        if model == "m123":
            plant.pv_limit = shows.percent_limit(unit, "m123_WMaxLimPct", "m123_WMaxLim_Ena")
        elif model == "m124":
            shows.storage(unit, plant)
        elif model == "m704":
            plant.pv_limit = shows.percent_limit(unit, "m704_WMaxLimPct", "m704_WMaxLimPctEna")
            on = unit["m704_WSetEna"] == "enabled" and unit["m704_WSetMod"] == "watts"
            watts = unit["m704_WSet"]
            plant.setpoint = watts if on and isinstance(watts, (int, float)) else None
        else:
            plant.min_soc = shows.number(unit["m802_SoCRsvMin"], 0.0)
            plant.max_soc = shows.number(unit["m802_SocRsvMax"], 100.0)

    # ---------------------------------------------------------------- reversion times

    def _start_timers(self, model: str) -> None:
        unit = self.device
        for name, (row, switch, _) in shows.TIMERS.items():
            if not name.startswith(model) or row not in unit.table:
                continue
            seconds = shows.number(unit[row], 0.0)
            running = unit[switch] not in {"disabled", "none", None}
            if seconds > 0 and running:
                self.timers[name] = seconds
            else:
                self.timers.pop(name, None)

    def elapse(self, seconds: float) -> None:
        """See the base."""
        for name in list(self.timers):
            self.timers[name] -= seconds
            if self.timers[name] <= 0:
                del self.timers[name]
                _, switch, off = shows.TIMERS[name]
                self.device[switch] = off
                self._follow(name.partition("_")[0])


__all__ = ["FAULTS", "Simulator"]
