"""A simulated GoodWe inverter on loopback, of the ET or the DT family, over UDP or TCP.

What it models of the maker: unused strings and missing registers, an older firmware without the
long meter block, EMS modes that hold until they are changed, a limit of export behind a switch, a
meter that can be lost. Not modelled: eco schedules, work modes other than their register.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from bridge.modbus.wire import ILLEGAL_VALUE
from bridge.registers import find_map
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import BANK_FAULTS, RegisterSimulator
from bridge.simulators.device import FAULTS as TCP_FAULTS
from bridge.simulators.goodwe_udp import FAULTS as UDP_FAULTS
from bridge.simulators.goodwe_udp import GoodweDongle
from bridge.simulators.plant import Plant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers.model import Value
    from bridge.simulators.device import Front

FAULTS: Final = {**UDP_FAULTS, **{name: TCP_FAULTS[name] for name in sorted(BANK_FAULTS)}}
SETTINGS: Final = {"family": "et", "retries": 0}
"""What a test may spare itself: waiting for a lost answer eight times."""

_ET, _DT = 247, 127
_TWO_BATTERIES = 25_000
_STRINGS = 4
_SHARES = {1: (1.0,), 2: (0.6, 0.4), 3: (0.4, 0.35, 0.25), 4: (0.3, 0.3, 0.2, 0.2)}
_STRING_V, _BATTERY_V, _GRID_V = 500.0, 400.0, 230.0
_BLOCKS = {
    "et": (range(35000, 35033), range(35100, 35225), range(36000, 36045), range(37000, 37024)),
    "dt": (range(30001, 30041), range(30100, 30173), range(30195, 30210)),
}
_LONG_METER = range(36045, 36125)
_SECOND = ("vbattery2", "ibattery2", "pbattery2", "battery2_mode", "battery2_soc")
_EMS_MODES = range(1, 13)


class Simulator(RegisterSimulator):
    """`async with Simulator(family="et") as sim:` serves one inverter on `sim.port`.

    transport: `udp`, `modbus` (TCP) or `rtu_over_tcp`; rated: W; strings: how many are connected;
    extended: its firmware has the long meter block; meter: its meter answers; discovery_port: where
    a dongle answers the broadcast (0: a free port). Of `plant` everything may be changed on the go.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        transport: str = "udp",
        family: Literal["et", "dt"] = "et",
        rated: int = 10_000,
        strings: int = 2,
        extended: bool = True,
        discovery_port: int | None = None,
        **more: Any,
    ) -> None:
        self.family, self.rated, self.strings = family, rated, strings
        self.extended, self.meter = extended, True
        self.faults = FAULTS if transport == "udp" else TCP_FAULTS
        self._discovery_port = discovery_port
        more.setdefault("plant", Plant(has_battery=family == "et"))
        super().__init__(host, port, transport=transport, **more)
        self.bank.missing = None  # a dongle passes on nothing when nobody answers it
        self._begin()

    def settings(self) -> dict[str, Any]:
        """What points a configuration at it, beyond host and port."""
        return {"transport": self.transport, "family": self.family}

    @property
    def inverter(self) -> Unit:
        """The registers of the inverter."""
        return next(iter(self.bank.units.values()))

    @property
    def dongle(self) -> GoodweDongle:
        """The front of a simulator over UDP, for its quirks and its discovery port."""
        if not isinstance(self.front, GoodweDongle):
            raise TypeError(f"{self.transport} has no dongle")
        return self.front

    # ---------------------------------------------------------------- what is served

    def units(self) -> Mapping[int, Unit]:
        """One inverter, with the registers that its family and firmware have."""
        table = find_map(Path(__file__).parent, self.family)
        if self.rated < _TWO_BATTERIES:
            table = table.without(*_SECOND)
        if not self.extended:
            table = table.without(
                *(row.name for row in table.registers if row.address in _LONG_METER)
            )
        unit = Unit(table)
        for block in _BLOCKS[self.family]:
            unit.fill(block, 0)
        if self.extended and self.family == "et":
            unit.fill(_LONG_METER, 0)
        return {_ET if self.family == "et" else _DT: unit}

    def make_front(self, host: str, port: int) -> Front:
        """GoodWe's UDP, or a Modbus server."""
        if self.transport == "udp":
            found = self._discovery_port
            return GoodweDongle(self.bank, host, port, ready=self.tick, discovery_port=found)
        return super().make_front(host, port)

    def _begin(self) -> None:
        unit, tag = self.inverter, "ETT" if self.extended else "ETU"
        if self.family == "dt":
            unit.put({"serial_number": "9010KDTU228L0001", "model_name": "GW10K-DT  "})
            unit.put({"dsp1_version": 14, "dsp2_version": 14, "arm_version": 12})
            return
        size = f"{self.rated // 1000}K"
        unit.put(
            {
                "modbus_version": 1,
                "rated_power": self.rated,
                "ac_output_type": "three_phase_four_wire",
                "serial_number": f"90{self.rated // 1000:02}K{tag}228W0001",
                "model_name": f"GW{size}-ET".ljust(10),
                "firmware": "04029-06-S11",
                "arm_firmware": "02041-22-S00",
                "dsp1_version": 6,
                "dsp2_version": 6,
                "arm_version": 22,
                "battery_discharge_depth": 20,
                "set_work_mode": "general",
                "grid_export": "off",
                "grid_export_limit": self.rated,
                "ems_mode": "auto",
                "ems_power_limit": 0,
            }
        )
        self.show()

    # ---------------------------------------------------------------- registers to plant

    def obey(self, unit: int, address: int, words: list[int]) -> None:
        """Refuse an EMS mode that does not exist; follow everything else."""
        if self.family == "et":
            place = self.bank.units[unit].table["ems_mode"].address - address
            if 0 <= place < len(words) and words[place] not in _EMS_MODES:
                raise Refuse(ILLEGAL_VALUE)
        self._follow()

    def elapse(self, seconds: float) -> None:
        """EMS modes look at sun and load as they are."""
        del seconds
        self._follow()

    def _follow(self) -> None:
        if self.family == "dt":
            return
        unit, plant = self.inverter, self.plant
        power = float(unit.raw("ems_power_limit"))
        mode = unit["ems_mode"]
        lacks = plant.load - plant.sun
        plant.setpoint = {
            "charge_pv": -(power + plant.sun),
            "discharge_pv": power,
            "import_ac": -(power + plant.sun),
            "export_ac": max(0.0, power - plant.sun),
            "conserve": -plant.sun,
            "battery_standby": 0.0,
            "buy_power": lacks - power,
            "sell_power": lacks + power,
            "charge_battery": -power,
            "discharge_battery": power,
        }.get(str(mode))
        plant.min_soc = float(unit.raw("battery_discharge_depth"))
        plant.pv_limit = None
        if unit["grid_export"] == "on":
            limit = float(unit.raw("grid_export_limit"))
            taken = plant.max_charge if plant.soc < plant.max_soc else 0.0
            battery = -taken if plant.setpoint is None else plant.battery
            plant.pv_limit = max(0.0, plant.load + limit - battery)

    # ---------------------------------------------------------------- plant to registers

    def show(self) -> None:
        """What the house does, in the maker's units and signs."""
        unit = self.inverter
        unit.put(self._strings())
        if self.family == "dt":
            unit.put(self._shown_by_dt())
            return
        unit.put(self._shown_by_et())
        unit.put(self._battery())
        if self.meter:
            unit.put(self._meter())
        unit["meter_comm_status"] = 1 if self.meter else 0

    def _strings(self) -> dict[str, Value | None]:
        found: dict[str, Value | None] = {}
        shares = _SHARES[self.strings]
        for index in range(_STRINGS):
            number = index + 1
            if index >= len(shares):
                found |= {f"vpv{number}": None, f"ipv{number}": None}
                if self.family == "et":
                    found[f"ppv{number}"] = None
                continue
            power = round(self.plant.sun * shares[index])
            amps = round(power / _STRING_V, 1)
            volts = power / amps if amps else 0.0
            found |= {f"vpv{number}": volts, f"ipv{number}": amps}
            if self.family == "et":
                found[f"ppv{number}"] = power
        return found

    def _shown_by_et(self) -> dict[str, Value | None]:
        plant = self.plant
        output = round(plant.inverter)
        found: dict[str, Value | None] = {
            "grid_mode": "connected",
            "total_inverter_power": output,
            "active_power": -round(plant.grid),
            "load_ptotal": round(plant.load),
            "temperature_air": 41.5,
            "temperature": 38.2,
            "temperature_module": None,
            "work_mode": "on_grid",
            "e_total": plant.pv_energy,
            "e_day": 12.3,
            "e_load_total": plant.load_energy,
            "e_load_day": 9.8,
            "e_bat_charge_total": plant.charge_energy,
            "e_bat_charge_day": 4.5,
            "e_bat_discharge_total": plant.discharge_energy,
            "e_bat_discharge_day": 3.2,
        }
        for phase, power in zip(("", "2", "3"), _thirds(output), strict=True):
            found |= {f"vgrid{phase}": _GRID_V, f"fgrid{phase}": 50.02, f"pgrid{phase}": power}
            found[f"igrid{phase}"] = abs(power) / _GRID_V
        return found

    def _battery(self) -> dict[str, Value | None]:
        plant = self.plant
        power, both = round(plant.battery), self.rated >= _TWO_BATTERIES
        first = round(power / 2) if both else power
        mode = "discharge" if power > 0 else "charge" if power < 0 else "standby"
        found: dict[str, Value | None] = {
            "vbattery1": _BATTERY_V,
            "ibattery1": first / _BATTERY_V,
            "pbattery1": first,
            "battery_mode": mode if plant.has_battery else "no_battery",
            "battery_temperature": 24.5,
            "battery_soc": round(plant.soc),
            "battery_soh": 98,
            "battery_charge_limit": round(plant.max_charge / _BATTERY_V),
            "battery_discharge_limit": round(plant.max_discharge / _BATTERY_V),
        }
        if both:
            found |= {"pbattery2": power - first, "battery2_soc": round(plant.soc)}
        return found

    def _meter(self) -> dict[str, Value | None]:
        plant = self.plant
        exported = -round(plant.grid)
        found: dict[str, Value | None] = {
            "active_power_total": exported,
            "meter_active_power_total": exported,
            "meter_freq": 50.01,
            "meter_e_total_exp_f": plant.export_energy,
            "meter_e_total_imp_f": plant.import_energy,
        }
        if self.extended:
            found |= {"meter_e_total_exp": plant.export_energy}
            found |= {"meter_e_total_imp": plant.import_energy}
        for phase, power in enumerate(_thirds(exported), start=1):
            found |= {f"active_power{phase}": power, f"meter_active_power{phase}": power}
            if self.extended:
                found[f"meter_voltage{phase}"] = _GRID_V
                found[f"meter_current{phase}"] = abs(power) / _GRID_V
        return found

    def _shown_by_dt(self) -> dict[str, Value | None]:
        plant = self.plant
        found: dict[str, Value | None] = {
            "total_inverter_power": round(plant.sun),
            "total_input_power": round(plant.sun),
            "work_mode": "normal" if plant.sun else "wait",
            "temperature": 39.5,
            "temperature_heatsink": None,
            "e_day": 12.3,
            "e_total": plant.pv_energy,
            "meter_comm_status": 1 if self.meter else 2,
        }
        for phase, power in enumerate(_thirds(round(plant.sun)), start=1):
            found |= {f"vgrid{phase}": _GRID_V, f"fgrid{phase}": 50.02}
            found[f"igrid{phase}"] = power / _GRID_V
        if self.meter:
            found["meter_active_power"] = -round(plant.grid)
            found["meter_e_total_exp"] = plant.export_energy
            found["meter_e_total_imp"] = plant.import_energy
        return found


def _thirds(power: int) -> tuple[int, int, int]:
    """Three phases that add up."""
    return power // 3, power // 3, power - 2 * (power // 3)
