"""The values of a simulated SUN2000: what never changes, and rows made from the house. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.registers import find_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers.model import Value
    from bridge.simulators.plant import Plant

    Rows = Mapping[str, Value | None]

TABLE: Final = find_map(Path(__file__).parent)
TOU: Final = "storage_lg_resu_time_of_use_charging_and_discharging_periods"
RESERVED: Final = (
    *(range(30000, 30090), range(32000, 32120), range(37000, 37070), range(37100, 37140)),
    *(range(37200, 37202), range(37498, 37518), range(37758, 37790), range(47000, 47003)),
    *(range(47075, 47103), range(47242, 47300), range(47415, 47420), range(47589, 47592)),
)
"""Addresses that answer, with 0xFFFF where no register is."""
_PHASES: Final = {"a": (0.5, 231.4), "b": (0.3, 229.8), "c": (0.2, 233.1)}
_UNITS: Final = (range(37000, 37070), range(37758, 37790), range(47000, 47400))
_STARTED: Final = 1_763_700_000

# 00:00-06:00 charge every day, 17:00-21:00 discharge from Monday to Friday.
SCHEDULE: Final = (2, 0, 360, 0x007F, 1020, 1260, 0x013E, *[0] * 36)

METER: Final = tuple(row.name for row in TABLE.registers if 37100 <= row.address < 37140)
BATTERY: Final = tuple(
    row.name
    for row in TABLE.registers
    if row.invalid and any(row.address in span for span in _UNITS)
)
DARK: Final = tuple(
    row.name
    for row in TABLE.registers
    if row.invalid and (32000 <= row.address < 32106 or 37000 <= row.address < 37140)
)
"""What has no value at night: the inverter sleeps, and nothing hangs on it any more."""

FIXED: Final[Rows] = {
    "model_name": "SUN2000-10KTL-M1",
    "serial_number": "SIMULATED0001",
    "pn": "SIMULATED",
    "firmware_version": "V100R001C00SPC000",
    "software_version": "V100R001C00SPC142",
    "protocol_version_modbus": 0x30000,
    "model_id": 424,
    "nb_pv_strings": 2,
    "nb_mpp_tracks": 2,
    "p_max": 11_000,
    "s_max": 11_000,
    "q_max_out": 6600,
    "q_max_in": -6600,
    "p_max_real": 11_000,
    "s_max_real": 11_000,
    "nb_optimizers": 0,
    "nb_online_optimizers": 0,
    "system_time": _STARTED,
    "active_power_percentage_derating": 100,
    "active_power_fixed_value_derating": 10_000,
    "mppt_predicted_power": 0,
    "time_zone": 60,
    "active_power_control_mode": "unlimited",
    "maximum_feed_grid_power_watt": 0,
    "maximum_feed_grid_power_percent": 100,
    "remote_charge_discharge_control_mode": 0,
    "dongle_plant_maximum_charge_from_grid_power": 0,
    "default_maximum_feed_in_power": 0,
    "storage_capacity_control_mode": "disabled",
    "storage_capacity_control_soc_peak_shaving": 0,
}
"""Rows of every inverter that nobody but its owner changes."""

STORAGE: Final[Rows] = {
    "storage_unit_1_working_mode_b": "self_consumption",
    "storage_unit_1_rated_charge_power": 5000,
    "storage_unit_1_rated_discharge_power": 5000,
    "storage_unit_1_fault_id": 0,
    "storage_unit_1_remaining_charge_dis_charge_time": 0,
    "storage_unit_1_dcdc_version": "V100R002C00",
    "storage_unit_1_product_model": "luna2000",
    "storage_unit_2_product_model": 0,
    "storage_working_mode_a": 0,
    "storage_maximum_charging_power": 5000,
    "storage_maximum_discharging_power": 5000,
    "storage_power_limit_grid_tied_point": 0,
    "storage_charging_cutoff_capacity": 100,
    "storage_discharging_cutoff_capacity": 5,
    "storage_forced_charging_and_discharging_period": 0,
    "storage_forced_charging_and_discharging_power": 0,
    "storage_working_mode_settings": "self_consumption",
    "storage_charge_from_grid_function": "disabled",
    "storage_grid_charge_cutoff_state_of_charge": 100,
    "forcible_charge_discharge_write": "stop",
    "storage_forcible_charge_discharge_soc": 50,
    "storage_backup_power_state_of_charge": 10,
    "storage_power_of_charge_from_grid": 0,
    "storage_maximum_power_of_charge_from_grid": 5000,
    "storage_forcible_charge_discharge_setting_mode": "by_duration",
    "storage_forcible_charge_power": 0,
    "storage_forcible_discharge_power": 0,
    "storage_excess_pv_energy_use_in_tou": "feed_to_grid",
}
"""Settings of a battery as they are when it is new."""


def inverter_rows(plant: Plant, output: float) -> Rows:
    """32000-32118: the panels and the AC side; `output` is W at the AC side."""
    limited = plant.pv_limit is not None
    half = plant.sun / 2
    return {
        **{f"phase_{p}_voltage": volts for p, (_, volts) in _PHASES.items()},
        **{f"phase_{p}_current": output * share / v for p, (share, v) in _PHASES.items()},
        "state_1": 0x0006,
        "state_2": 0x0007,
        "state_3": 0,
        "pv_01_voltage": 400.0,
        "pv_01_current": half / 400.0,
        "pv_02_voltage": 380.0,
        "pv_02_current": half / 380.0,
        "input_power": plant.sun,
        "line_voltage_a_b": 400.1,
        "line_voltage_b_c": 401.2,
        "line_voltage_c_a": 402.3,
        "day_active_power_peak": max(output, 0.0),
        "active_power": output,
        "reactive_power": -12,
        "power_factor": 0.999,
        "grid_frequency": 50.02,
        "efficiency": 97.5,
        "internal_temperature": 41.5,
        "insulation_resistance": 3.2,
        "device_status": "limited" if limited else "on_grid",
        "fault_code": 0,
        "startup_time": _STARTED,
        "shutdown_time": _STARTED - 36_000,
        "active_power_fast": output,
        "accumulated_yield_energy": plant.pv_energy + plant.discharge_energy - plant.charge_energy,
        "total_dc_input_power": plant.pv_energy,
        "current_electricity_generation_statistics_time": _STARTED,
        "hourly_yield_energy": 1.25,
        "daily_yield_energy": 12.5,
        "monthly_yield_energy": 250.0,
        "yearly_yield_energy": 1200.0,
    }


def meter_rows(plant: Plant, grid: float) -> Rows:
    """37100-37138; `grid` is W, + import. The meter itself counts export as positive."""
    return {
        **{f"grid_{p}_voltage": volts for p, (_, volts) in _PHASES.items()},
        **{f"active_grid_{p}_current": -grid * share / v for p, (share, v) in _PHASES.items()},
        **{f"active_grid_{p}_power": -grid * share for p, (share, _) in _PHASES.items()},
        "meter_status": "normal",
        "power_meter_active_power": -grid,
        "power_meter_reactive_power": 15,
        "active_grid_power_factor": 0.98,
        "active_grid_frequency": 50.02,
        "grid_exported_energy": -plant.export_energy,
        "grid_accumulated_energy": plant.import_energy,
        "grid_accumulated_reactive_power": 1.5,
        "meter_type": "three_phase",
        "active_grid_a_b_voltage": 400.1,
        "active_grid_b_c_voltage": 401.2,
        "active_grid_c_a_voltage": 402.3,
        "meter_type_check": 0,
    }


def battery_rows(plant: Plant) -> Rows:
    """The first storage unit and the sum of all; charging is positive there."""
    power, soc = -plant.battery, plant.soc
    status = "running" if power else "standby"
    most_in, most_out = 5000.0, 5000.0
    return {
        "storage_unit_1_running_status": status,
        "storage_unit_1_charge_discharge_power": power,
        "storage_unit_1_bus_voltage": 755.5,
        "storage_unit_1_state_of_capacity": soc,
        "storage_unit_1_current_day_charge_capacity": 2.5,
        "storage_unit_1_current_day_discharge_capacity": 3.5,
        "storage_unit_1_bus_current": power / 755.5,
        "storage_unit_1_battery_temperature": 24.5,
        "storage_maximum_charge_power": most_in,
        "storage_maximum_discharge_power": most_out,
        "storage_unit_1_total_charge": plant.charge_energy,
        "storage_unit_1_total_discharge": plant.discharge_energy,
        "storage_rated_capacity": plant.capacity,
        "storage_state_of_capacity": soc,
        "storage_running_status": status,
        "storage_bus_voltage": 755.5,
        "storage_bus_current": power / 755.5,
        "storage_charge_discharge_power": power,
        "storage_total_charge": plant.charge_energy,
        "storage_total_discharge": plant.discharge_energy,
        "storage_current_day_charge_capacity": 2.5,
        "storage_current_day_discharge_capacity": 3.5,
    }


def dongle_rows(plant: Plant, output: float, grid: float) -> Rows:
    """37498-37517: the house as the dongle sums it up."""
    return {
        "sdongle_total_input_power": plant.sun,
        "sdongle_load_power": plant.load,
        "sdongle_grid_power": -grid,
        "sdongle_total_battery_power": -plant.battery,
        "sdongle_total_active_power": output,
    }
