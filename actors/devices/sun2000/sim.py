"""A simulated SUN2000 with meter and LUNA2000 battery, with the habits of the real one.

It takes one client, is deaf for a moment after each connection, gives at most 64 words a read,
answers reserved words between its registers, forgets a forced charge or discharge after its
minutes, refuses settings without a login where it wants one, and at night has no values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.devices.sun2000.simulated import (
    BATTERY,
    DARK,
    FIXED,
    METER,
    RESERVED,
    SCHEDULE,
    STORAGE,
    TABLE,
    TOU,
    battery_rows,
    dongle_rows,
    inverter_rows,
    meter_rows,
)
from bridge.modbus.wire import ILLEGAL_VALUE, PERMISSION_DENIED
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import FAULTS as COMMON_FAULTS
from bridge.simulators.device import RegisterSimulator
from bridge.simulators.server import ModbusServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.simulators.device import Front

FAULTS: Final = {
    **COMMON_FAULTS,
    "denied": "refuses every write: it wants an installer's login",
    "night": "has no values: the sun is down and it sleeps",
}
SETTINGS: Final = {"connect_delay": 0.05}
"""What matches the simulator in a configuration: it is deaf for a shorter moment."""
_LONGEST: Final = 64
_RESTARTING: Final = frozenset(
    {
        "forcible_charge_discharge_write",
        "storage_forced_charging_and_discharging_period",
    }
)
_MINUTE: Final = 60.0


class Simulator(RegisterSimulator):
    """`async with Simulator() as sim:` serves one inverter on `sim.port`.

    unit: the Modbus unit that answers, others are silent; battery, meter: whether there is one;
    losses: share of what passes the inverter that is lost in it; deaf: s after a connection in
    which questions are lost; rated: W.
    """

    faults: Mapping[str, str] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        unit: int = 1,
        battery: bool = True,
        meter: bool = True,
        losses: float = 0.0,
        deaf: float = 0.02,
        rated: float = 10_000.0,
        **more: Any,
    ) -> None:
        self.number, self.has_meter, self.losses = unit, meter, losses
        self.deaf, self.rated = deaf, rated
        self.forced_for = 0.0
        self._has_battery = battery
        super().__init__(host, port, **more)
        self.bank.missing = None

    # ---------------------------------------------------------------- what is served

    @property
    def unit(self) -> Unit:
        """The registers."""
        return self.bank.units[self.number]

    def units(self) -> Mapping[int, Unit]:
        """One unit: 1 through the dongle, 0 on the inverter's own access point."""
        self.plant.has_battery = self._has_battery
        unit = Unit(TABLE, longest=_LONGEST)
        for span in RESERVED:
            unit.fill(span, 0xFFFF)
        unit.put({**FIXED, "rated_power": self.rated})
        if self._has_battery:
            unit.put({**STORAGE, **battery_rows(self.plant)})
            unit.words.update(enumerate(SCHEDULE, start=TABLE[TOU].address))
        else:
            unit.put(dict.fromkeys(BATTERY))
        return {self.number: unit}

    def show(self) -> None:
        """The rows as the house is now."""
        plant = self.plant
        output = plant.inverter - self.losses * abs(plant.inverter)
        grid = plant.load - output
        rows = {**inverter_rows(plant, output), **dongle_rows(plant, output, grid)}
        rows |= meter_rows(plant, grid)
        if not self.has_meter:
            rows |= {**dict.fromkeys(METER), "meter_status": "offline"}
        if self._has_battery:
            rows |= battery_rows(plant)
        if self.fault == "night":
            rows |= {**dict.fromkeys(DARK), "device_status": "no_irradiation"}
        self.unit.put(rows)

    def make_front(self, host: str, port: int) -> Front:
        """One client: a further one takes its place, which disturbs the first."""
        front = super().make_front(host, port)
        assert isinstance(front, ModbusServer)  # noqa: S101 - this kind has no other transports
        front.clients, front.replaces = 1, True
        front.first_delay = self.deaf
        return front

    # ---------------------------------------------------------------- what it does

    @property
    def forced(self) -> str | None:
        """`charge` or `discharge` while such a command is in force."""
        word = self.unit["forcible_charge_discharge_write"]
        return str(word) if word in {"charge", "discharge"} else None

    def elapse(self, seconds: float) -> None:
        """A forced charge or discharge ends after its minutes, or at its state of charge."""
        if self.forced is not None:
            self.forced_for += seconds
            if self._over():
                self.unit["forcible_charge_discharge_write"] = "stop"
        self._command()

    def obey(self, unit: int, address: int, words: list[int]) -> None:  # noqa: ARG002 - one unit
        """Take a setting, or refuse it as the inverter does."""
        if self.fault == "denied":
            raise Refuse(PERMISSION_DENIED)
        written = {row.name for row in TABLE.registers if address in row.places}
        self._check(written)
        if written & _RESTARTING:
            self.forced_for = 0.0
        self._command()

    def _over(self) -> bool:
        if self.unit["storage_forcible_charge_discharge_setting_mode"] == "by_duration":
            minutes = self._number("storage_forced_charging_and_discharging_period")
            return self.forced_for >= _MINUTE * minutes
        target = self._number("storage_forcible_charge_discharge_soc")
        soc = self.plant.soc
        return soc >= target if self.forced == "charge" else soc <= target

    def _check(self, written: set[str]) -> None:
        limits = {
            "storage_maximum_charging_power": (0, self._number("storage_maximum_charge_power")),
            "storage_maximum_discharging_power": (
                0,
                self._number("storage_maximum_discharge_power"),
            ),
            "storage_charging_cutoff_capacity": (90, 100),
            "storage_discharging_cutoff_capacity": (0, 20),
            "storage_forced_charging_and_discharging_period": (0, 1440),
            "maximum_feed_grid_power_percent": (-100, 100),
        }
        for name in written:
            value = self.unit[name]
            low, high = limits.get(name, (-1e9, 1e9))
            # A word that no list of codes knows is None, as is the sentinel.
            wrong = value is None and TABLE[name].type != "raw"
            if wrong or (isinstance(value, (int, float)) and not low <= value <= high):
                raise Refuse(ILLEGAL_VALUE)

    def _command(self) -> None:
        unit, plant = self.unit, self.plant
        plant.max_charge = self._number("storage_maximum_charging_power")
        plant.max_discharge = self._number("storage_maximum_discharging_power")
        plant.min_soc = self._number("storage_discharging_cutoff_capacity")
        plant.max_soc = self._number("storage_charging_cutoff_capacity", 100.0)
        plant.grid_charge = unit["storage_charge_from_grid_function"] == "enabled"
        plant.setpoint = {
            None: None,
            "charge": -self._number("storage_forcible_charge_power"),
            "discharge": self._number("storage_forcible_discharge_power"),
        }[self.forced]
        plant.pv_limit = None
        limit = self._export_limit()
        if limit is not None and -plant.grid > limit:
            plant.pv_limit = max(0.0, plant.pv + plant.grid + limit)

    def _export_limit(self) -> float | None:
        mode = self.unit["active_power_control_mode"]
        if mode == "limit_in_percent":
            return self.rated * self._number("maximum_feed_grid_power_percent") / 100
        return 0.0 if mode == "zero_export" else None

    def _number(self, name: str, otherwise: float = 0.0) -> float:
        value = self.unit[name]
        return value if isinstance(value, (int, float)) else otherwise


__all__ = ["FAULTS", "SETTINGS", "Simulator"]
