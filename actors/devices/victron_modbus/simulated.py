"""The house behind a simulated GX: what flows where, in which ESS mode, and what registers show.

Pure: time is handed in. Sun comes in on the DC side (solar charger) and at the AC input (PV
inverter), loads hang on the output and on the input of the inverter/charger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.simulators.plant import Plant

WATCHDOG: Final = 60.0
_VOLT, _BATTERY_VOLT = 230.0, 52.0
_NOMINAL: Final = 5000  # W of the inverter/charger
_WEIGHTS: Final = {1: (1.0,), 3: (0.5, 0.3, 0.2)}
_HOUR, _KILO = 3600.0, 1000.0


class House:
    """The state of one ESS. Powers W, + as in the registers of the GX; `plant` has ours.

    Owner's settings: mode 1 to 3, grid_setpoint, min_soc, max_charge_current (A, -1 none),
    max_discharge, max_feed_in (W, -1 none). loss: W that the inverter takes for itself.
    """

    def __init__(self, plant: Plant, phases: int) -> None:
        self.plant, self.phases = plant, phases
        self.dc_share, self.output_share, self.loss = 0.4, 0.7, 0.0
        self.mode, self.grid_setpoint, self.min_soc = 1, 0.0, 10.0
        self.battery_life, self.soc_limit = 10, 10.0
        self.max_charge_current, self.max_discharge, self.max_feed_in = -1.0, -1.0, -1.0
        self.charge_limit, self.discharge_limit = plant.max_charge, plant.max_discharge
        self.allow_charge = self.allow_discharge = self.battery_there = True
        self.disable_charge = self.disable_feed_in = False
        self.switch, self.active_input = 3, 0
        self.setpoints = [0.0, 0.0, 0.0]
        self.source = 1
        self.ev_start, self.ev_current, self.ev_plugged, self.session = False, 10.0, True, 0.0
        self.ev_mode, self._ev_watt = 0, 0.0
        self._clock, self._fed_at = 0.0, -WATCHDOG
        self.regulate()

    # ---------------------------------------------------------------- what flows

    @property
    def dc_solar(self) -> float:
        """From the solar charger, W."""
        return self.plant.sun * self.dc_share

    @property
    def ac_solar(self) -> float:
        """From the PV inverter at the AC input, W."""
        return self.plant.sun - self.dc_solar

    def loads(self, share: float) -> tuple[float, ...]:
        """A share of the house's load by phase."""
        return tuple(self.plant.load * share * weight for weight in _WEIGHTS[self.phases])

    @property
    def outputs(self) -> tuple[float, ...]:
        """Loads on the output by phase."""
        return self.loads(self.output_share)

    @property
    def passing(self) -> bool:
        """Only passing the grid through: nobody repeats the setpoint of mode 3, or it is off."""
        forgotten = self.mode == 3 and self._clock - self._fed_at >= WATCHDOG
        return forgotten or self.switch == 4

    @property
    def inputs(self) -> tuple[float, ...]:
        """Drawn from the AC input by phase."""
        total = sum(self.outputs) + self.loss - self.plant.battery - self.dc_solar
        base = self.setpoints if self.mode == 3 and not self.passing else self.outputs
        base = base[: self.phases]
        return tuple(each + (total - sum(base)) / self.phases for each in base)

    @property
    def grid(self) -> tuple[float, ...]:
        """At the meter by phase, + import."""
        others = self.loads(1 - self.output_share)
        return tuple(
            load + drawn - self.ac_solar / self.phases
            for load, drawn in zip(others, self.inputs, strict=True)
        )

    # ---------------------------------------------------------------- who regulates

    def regulate(self) -> None:
        """Tell the battery what the mode in force makes of it."""
        plant = self.plant
        plant.has_battery = self.battery_there
        most_charge, most_discharge = self.charge_limit, self.discharge_limit
        if self.max_charge_current >= 0:
            most_charge = min(most_charge, self.max_charge_current * _BATTERY_VOLT)
        external = self.mode == 3
        if self.max_discharge >= 0 and not external:
            most_discharge = min(most_discharge, self.max_discharge)
        may_charge = self.allow_charge and not self.disable_charge
        plant.max_charge = most_charge if may_charge else 0.0
        plant.max_discharge = most_discharge if self.allow_discharge else 0.0
        plant.min_soc = 0.0 if external else self.min_soc
        if self.passing:
            plant.setpoint = -self.dc_solar
        elif external:
            held = sum(self.setpoints[: self.phases])
            plant.setpoint = sum(self.outputs) + self.loss - held - self.dc_solar
        else:
            plant.setpoint = plant.load + self.loss - plant.sun - self.grid_setpoint
            # Its own control writes the setpoints, whoever wrote them before.
            self.setpoints[: self.phases] = [round(each) for each in self.inputs]

    def elapse(self, seconds: float) -> None:
        """Let time pass: the watchdog, and what the car takes."""
        self._clock += seconds
        charging = self.ev_start and self.ev_plugged
        watt = _VOLT * self.ev_current if charging else 0.0
        self.plant.load += watt - self._ev_watt
        self._ev_watt = watt
        self.session += watt * seconds / _HOUR / _KILO
        self.regulate()

    # ---------------------------------------------------------------- commands

    def told(self, name: str, number: int) -> None:
        """Follow a write to a row; number: as the row's signed raw value."""
        if name.startswith("vebus_hub4_l") and "setpoint" in name:
            self.setpoints[int(name[12]) - 1] = float(number)
            self._fed_at = self._clock
        else:
            follow = _COMMANDS.get(name)
            if follow is not None:
                follow(self, float(number))
        self.elapse(0.0)

    @property
    def ev_watt(self) -> float:
        """What the car draws now."""
        return self._ev_watt


def _sets(name: str, factor: float = 1.0, kind: type = float) -> Callable[[House, float], None]:
    def follow(house: House, number: float) -> None:
        setattr(house, name, kind(number * factor))

    return follow


_CGWACS: Final = "settings_settings_cgwacs_"
_COMMANDS: Final[dict[str, Callable[[House, float], None]]] = {
    f"{_CGWACS}ac_power_set_point": _sets("grid_setpoint"),
    f"{_CGWACS}ac_power_set_point_alt": _sets("grid_setpoint", 100),
    f"{_CGWACS}max_discharge_power": _sets("max_discharge", 10),
    f"{_CGWACS}max_discharge_power_32": _sets("max_discharge"),
    f"{_CGWACS}max_feed_in_power": _sets("max_feed_in", 100),
    f"{_CGWACS}max_feed_in_power_32": _sets("max_feed_in"),
    "settings_settings_system_setup_max_charge_current": _sets("max_charge_current"),
    f"{_CGWACS}battery_life_minimum_soc_limit": _sets("min_soc", 0.1),
    f"{_CGWACS}battery_life_state": _sets("battery_life", kind=int),
    f"{_CGWACS}hub4_mode": _sets("mode", kind=int),
    "vebus_hub4_disable_charge": _sets("disable_charge", kind=bool),
    "vebus_hub4_disable_feed_in": _sets("disable_feed_in", kind=bool),
    "vebus_mode": _sets("switch", kind=int),
    "evcharger_start_stop": _sets("ev_start", kind=bool),
    "evcharger_set_current": _sets("ev_current"),
    "evcharger_mode": _sets("ev_mode", kind=int),
}


# -------------------------------------------------------------------------------- registers


def shown(service: str, house: House) -> dict[str, float]:
    """What the registers of one service hold: row -> raw number before it is cut to its width."""
    found = {"system": _system, "vebus": _vebus, "battery": _battery, "grid": _grid}
    more = {"solarcharger": _solar, "pvinverter": _pv, "evcharger": _ev}
    values: dict[str, float] = (found | more)[service](house)
    return values


def _by_phase(text: str, values: tuple[float, ...], gain: float = 1.0) -> dict[str, float]:
    return {text.format(n): value * gain for n, value in enumerate(values, 1)}


def _both(text: str, values: tuple[float, ...]) -> dict[str, float]:
    """A register of 16 bits and its twin of 32."""
    return _by_phase(text, values) | _by_phase(f"{text}_32", values)


def _even(house: House, watt: float) -> tuple[float, ...]:
    return (watt / house.phases,) * house.phases


def _system(house: House) -> dict[str, float]:
    plant, on = house.plant, house.battery_there
    generator = house.source == 2
    nothing = (0.0,) * house.phases
    limits = {
        f"{_CGWACS}ac_power_set_point": house.grid_setpoint,
        f"{_CGWACS}ac_power_set_point_alt": house.grid_setpoint / 100,
        f"{_CGWACS}max_discharge_power": house.max_discharge / 10,
        f"{_CGWACS}max_discharge_power_32": house.max_discharge,
        f"{_CGWACS}max_feed_in_power": house.max_feed_in / 100,
        f"{_CGWACS}max_feed_in_power_32": house.max_feed_in,
        "settings_settings_system_setup_max_charge_current": house.max_charge_current,
        f"{_CGWACS}battery_life_state": house.battery_life,
        f"{_CGWACS}battery_life_minimum_soc_limit": house.min_soc * 10,
        f"{_CGWACS}battery_life_soc_limit": house.soc_limit * 10,
        f"{_CGWACS}hub4_mode": house.mode,
    }
    battery = {
        "system_dc_battery_voltage": _BATTERY_VOLT * 10 * on,
        "system_dc_battery_current": -plant.battery / _BATTERY_VOLT * 10,
        "system_dc_battery_power": -plant.battery,
        "system_dc_battery_soc": plant.soc * on,
        "system_dc_battery_state": 0 if not plant.battery else 2 if plant.battery > 0 else 1,
        "system_dc_vebus_power": -plant.battery - house.dc_solar,
    }
    return {
        **limits,
        **battery,
        **_both("system_ac_pv_on_grid_l{}_power", _even(house, house.ac_solar)),
        **_both("system_ac_consumption_l{}_power", house.loads(1.0)),
        **_both("system_ac_grid_l{}_power", nothing if generator else house.grid),
        **_both("system_ac_genset_l{}_power", house.grid if generator else nothing),
        **_by_phase("system_ac_consumption_on_output_l{}_power", house.outputs),
        **_by_phase(
            "system_ac_consumption_on_input_l{}_power", house.loads(1 - house.output_share)
        ),
        "system_ac_active_in_source": house.source,
        "system_dc_pv_power": house.dc_solar,
        "system_dc_pv_current": house.dc_solar / _BATTERY_VOLT * 10,
    }


def _vebus(house: House) -> dict[str, float]:
    volts = (_VOLT,) * house.phases
    state = 8 if house.passing else 252
    return {
        **_by_phase("vebus_ac_active_in_l{}_v", volts, 10),
        **_by_phase("vebus_ac_active_in_l{}_p", house.inputs, 0.1),
        **_by_phase("vebus_ac_active_in_l{}_i", house.inputs, 10 / _VOLT),
        **_by_phase("vebus_ac_out_l{}_v", volts, 10),
        **_by_phase("vebus_ac_out_l{}_p", house.outputs, 0.1),
        **_by_phase("vebus_ac_out_l{}_i", house.outputs, 10 / _VOLT),
        **_both("vebus_hub4_l{}_ac_power_setpoint", tuple(house.setpoints)),
        "vebus_ac_active_in_l1_f": 5000,
        "vebus_ac_out_l1_f": 5000,
        "vebus_dc_0_voltage": _BATTERY_VOLT * 100,
        "vebus_dc_0_current": -(house.plant.battery + house.dc_solar) / _BATTERY_VOLT * 10,
        "vebus_ac_number_of_phases": house.phases,
        "vebus_ac_out_nominal_inverter_power": _NOMINAL,
        "vebus_ac_active_in_active_input": house.active_input,
        "vebus_state": 0 if house.switch == 4 else state,
        "vebus_mode": house.switch,
        "vebus_hub4_disable_charge": house.disable_charge,
        "vebus_hub4_disable_feed_in": house.disable_feed_in,
    }


def _battery(house: House) -> dict[str, float]:
    plant, on = house.plant, house.battery_there
    values = {
        "battery_dc_0_power": -plant.battery,
        "battery_dc_0_power_alt": -plant.battery,
        "battery_dc_0_voltage": _BATTERY_VOLT * 100,
        "battery_dc_0_current": -plant.battery / _BATTERY_VOLT * 10,
        "battery_dc_0_temperature": 215,
        "battery_soc": plant.soc * 10,
        "battery_soh": 990,
        "battery_history_discharged_energy": plant.discharge_energy * 10,
        "battery_history_charged_energy": plant.charge_energy * 10,
        "battery_info_max_charge_voltage": 560,
        "battery_info_max_charge_current": 1000 * house.allow_charge,
        "battery_info_max_discharge_current": 1000 * house.allow_discharge,
        "battery_io_allow_to_charge": house.allow_charge,
        "battery_io_allow_to_discharge": house.allow_discharge,
    }
    return {name: value * on for name, value in values.items()}


def _grid(house: House) -> dict[str, float]:
    plant, n = house.plant, house.phases
    into, out = plant.import_energy * 100, plant.export_energy * 100
    return {
        **_both("grid_ac_l{}_power", house.grid),
        **_both("grid_ac_l{}_energy_forward", (into / n,) * n),
        **_both("grid_ac_l{}_energy_reverse", (out / n,) * n),
        **_by_phase("grid_ac_l{}_voltage", (_VOLT,) * n, 10),
        **_by_phase("grid_ac_l{}_current", house.grid, 10 / _VOLT),
        "grid_ac_energy_forward": into,
        "grid_ac_energy_reverse": out,
        "grid_ac_frequency": 5001,
        "grid_ac_power_factor": 980,
    }


def _solar(house: House) -> dict[str, float]:
    watt = house.dc_solar
    energy = house.plant.pv_energy * house.dc_share
    return {
        "solarcharger_dc_0_voltage": _BATTERY_VOLT * 100,
        "solarcharger_dc_0_current": watt / _BATTERY_VOLT * 10,
        "solarcharger_mode": 1,
        "solarcharger_state": 3 if watt else 0,
        "solarcharger_pv_v": 12000 if watt else 0,
        "solarcharger_pv_i": watt / 120 * 10,
        "solarcharger_history_daily_0_yield": 42,
        "solarcharger_yield_power": watt * 10,
        "solarcharger_yield_power_32": watt,
        "solarcharger_yield_power_alt": watt,
        "solarcharger_yield_user": energy * 10,
        "solarcharger_yield_user_32": energy,
    }


def _pv(house: House) -> dict[str, float]:
    n, energy = house.phases, house.plant.pv_energy * (1 - house.dc_share)
    return {
        **_both("pvinverter_ac_l{}_power", _even(house, house.ac_solar)),
        **_both("pvinverter_ac_l{}_energy_forward", (energy * 100 / n,) * n),
        **_by_phase("pvinverter_ac_l{}_voltage", (_VOLT,) * n, 10),
        **_by_phase("pvinverter_ac_l{}_current", _even(house, house.ac_solar), 10 / _VOLT),
        "pvinverter_ac_power": house.ac_solar,
        "pvinverter_ac_frequency": 5001,
    }


def _ev(house: House) -> dict[str, float]:
    watt = house.ev_watt
    status = 2 if watt else 1 if house.ev_plugged else 0
    return {
        "evcharger_max_current": 16,
        "evcharger_mode": house.ev_mode,
        "evcharger_session_energy": house.session * 100,
        "evcharger_ac_l1_power": watt,
        "evcharger_ac_power": watt,
        "evcharger_current": house.ev_current if watt else 0,
        "evcharger_status": status,
        "evcharger_set_current": house.ev_current,
        "evcharger_start_stop": house.ev_start,
    }
