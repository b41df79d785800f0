"""The pages of a Home 15 for a plant: whole numbers, and rubbish in units that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.devices.lg_ess.simulator.pages import SERIAL, status

if TYPE_CHECKING:
    from actors.devices.lg_ess.simulator.plant import Plant

_HUNDRED_WATTS = 100
_STRING_TENTHS = (3643, 3381, 3014)
_RUBBISH = 212_693_561


def home(plant: Plant) -> dict[str, Any]:
    """`essinfo/home`: powers in steps of 100 W."""

    def steps(watts: float) -> int:
        return round(abs(watts) / _HUNDRED_WATTS)

    return {
        "statistics": {
            "pv_total_power_01kW": steps(plant.sun),
            "batt_conv_power_01kW": steps(plant.battery),
            "grid_power_01kW": steps(plant.grid),
            "load_power_01kW": steps(plant.load),
            "ac_active_power_01kW": steps(plant.sun + plant.battery),
            "bat_use": 1,
            "bat_status": status(plant),
            "bat_user_soc": round(plant.soc),
        },
        "direction": {
            "is_direct_consuming_": int(plant.sun > 0),
            "is_battery_charging_": int(plant.battery < 0),
            "is_battery_discharging_": int(plant.battery > 0),
            "is_grid_selling_": int(plant.grid < 0),
            "is_grid_buying_": int(plant.grid > _HUNDRED_WATTS),
            "is_charging_from_grid_": int(plant.battery < 0 < plant.grid),
            "is_discharging_to_grid_": int(plant.battery > 0 > plant.grid),
        },
        "operation": {
            "status": "start" if plant.running else "stop",
            "mode": int(plant.running),
            "oper_status": 4,
            "simple_status": 1,
            "backup_mode": 2,
            "tou_period": 1,
        },
        "pcs_fault": {"pcs_status": plant.fault, "grid_fault": "0"},
        "gridWaitingTime": 0,
        "coredump": "none",
    }


def common(plant: Plant) -> dict[str, Any]:
    """`essinfo/common`: one unit of three is there."""
    third = round(plant.sun / plant.model.strings)
    strings = [
        {
            "installed": True,
            "voltage": tenths,
            "power": third,
            "current": round(1000 * third / tenths),
            "capacity": 5000,
        }
        for tenths in _STRING_TENTHS
    ]
    modules = [
        {
            "installed": True,
            "activated": True,
            "status": status(plant),
            "soc": round(plant.soc),
            "dc_power": round(abs(plant.battery)),
        },
        {"installed": False, "activated": True, "status": 3, "soc": 0, "dc_power": 0},
    ]
    unit = {
        "installed": True,
        "brand": "",
        "sum_of_pv_power": round(plant.sun),
        "pv": strings,
        "sum_of_batt_dc_power": round(abs(plant.battery)),
        "batt": modules,
    }
    third_of_grid = round(plant.grid / 3)
    return {
        "ess_installed": 1,
        "ess": [unit, _nobody(), _nobody()],
        "winter_setting": plant.settings["winter"],
        "winter_status": "off",
        "GRID": {
            "total_active_power": round(plant.grid),
            "active_power": [third_of_grid, third_of_grid, round(plant.grid) - 2 * third_of_grid],
            "a_phase": [2373, 2365, 2361],
            "freq": 500,
        },
        "PCS": {"pcs_stauts": "4", "feed_in_limitation": "100", "operation_mode": "0"},
        "LOAD": {"load_power": round(plant.load / _HUNDRED_WATTS), "evc_onoff": 0, "ev_power": 0},
    }


def _nobody() -> dict[str, Any]:
    """A unit that is not installed: what memory held, some of it `installed` inside."""
    string = {"installed": True, "voltage": _RUBBISH, "power": _RUBBISH, "current": -_RUBBISH}
    module = {"installed": True, "activated": True, "status": _RUBBISH, "soc": _RUBBISH}
    return {
        "installed": False,
        "brand": "",
        "sum_of_pv_power": -35_371_816,
        "pv": [string],
        "sum_of_batt_dc_power": _RUBBISH,
        "batt": [module],
    }


def battery(plant: Plant) -> dict[str, Any]:
    """`setting/batt`: another set of keys, without the backup reserve."""
    settings = plant.settings
    return {
        "winter_setting": settings["winter"],
        "winter_soc": 10,
        "backup_setting": "simple" if settings["backup"] == "off" else settings["backup"],
        "reserved_soc": 10,
        "backup_installer_setting": 2,
        "startdate": settings["startdate"],
        "stopdate": settings["stopdate"],
        "alg_setting": settings["strategy"],
        "charge_from_grid_winter_and_backup_enabled": "on",
        "internet_connection": "internet_connected",
        "thinq_registered": 1,
    }


def system(plant: Plant) -> dict[str, Any]:
    """`setting/systeminfo`."""
    unit = {
        "installed": True,
        "model": plant.model.code,
        "ac_output_power": plant.model.rated,
        "ess_serial_no": "000SIMU00042",
        "batt_info": {"capacity": plant.model.capacity, "batt": [{"installed": True}]},
    }
    nobody = unit | {"installed": False, "model": "D0ffKE\x01", "batt_info": {"capacity": 30_515}}
    return {
        "pms": {"model": plant.model.code, "serialno": SERIAL, "pv_capacity_power": 19_360},
        "version": {"pms_version": plant.model.firmware, "pms_build_date": "2024-12-10"},
        "ess_installed": 1,
        "ess": [unit, nobody, nobody],
    }
