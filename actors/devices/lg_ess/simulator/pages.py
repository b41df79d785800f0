"""The pages of Home 5, 8 and 10 for a plant: every leaf is a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.devices.lg_ess.simulator.plant import Plant

SERIAL = "DE2001SIMU0042"
_STRING_VOLTS = (231.6, 298.3, 305.1)
_BUYING_FROM = 20.0


def whole(number: float) -> str:
    """A whole number as text, as the device rounds."""
    return str(round(number))


def yes(flag: bool) -> str:
    """A flag as text."""
    return "1" if flag else "0"


def status(plant: Plant) -> int:
    """What the battery does: 0 nothing, 1 charging, 2 discharging."""
    return 0 if not plant.battery else 1 if plant.battery < 0 else 2


def share(plant: Plant) -> float:
    """How much of today's PV energy stayed in the house, in %."""
    pv = plant.today["pv"]
    return 100.0 * (pv - plant.today["export"]) / pv if pv else 0.0


def home(plant: Plant, *, later: bool) -> dict[str, Any]:
    """`essinfo/home`; `later`: with the keys that came after Home 5."""
    grid, battery = plant.grid, plant.battery
    statistics = {
        "pcs_pv_total_power": whole(plant.sun),
        "batconv_power": whole(abs(battery)),
        "bat_use": "1",
        "bat_status": str(status(plant)),
        "bat_user_soc": f"{plant.soc:.5f}",
        "load_power": whole(plant.load),
        "load_today": "0.0",
        "grid_power": whole(abs(grid)),
        "current_day_self_consumption": f"{share(plant):.1f}",
        "current_pv_generation_sum": whole(plant.today["pv"]),
        "current_grid_feed_in_energy": whole(plant.today["export"]),
    }
    direction = {
        "is_direct_consuming_": yes(plant.sun > 0),
        "is_battery_charging_": yes(battery < 0),
        "is_battery_discharging_": yes(battery > 0),
        "is_grid_selling_": yes(grid < 0),
        # It stays 0 at small powers, as the real one does.
        "is_grid_buying_": yes(grid > _BUYING_FROM),
        "is_charging_from_grid_": yes(battery < 0 < grid),
    }
    operation = {"status": "start" if plant.running else "stop", "mode": yes(plant.running)}
    found: dict[str, Any] = {
        "statistics": statistics,
        "direction": direction,
        "operation": operation,
        "wintermode": {"winter_status": "off"},
        "pcs_fault": {"pcs_status": plant.fault},
    }
    if later:
        statistics["ac_output_power"] = str(plant.model.rated // 1000)
        direction["is_discharging_to_grid_"] = yes(battery > 0 > grid)
        operation |= {"pcs_standbymode": "false", "drm_mode0": "0", "remote_mode": "0"}
        found["wintermode"]["backup_status"] = plant.settings["backup"]
        found["backupmode"] = ""
        found["pcs_fault"]["pcs_op_status"] = "pcs_run"
        found["heatpump"] = {"heatpump_protocol": "0", "heatpump_activate": "off"}
        found["evcharger"] = {"ev_activate": "off", "ev_power": "0"}
        found["gridWaitingTime"] = "0"
    return found


def common(plant: Plant, *, later: bool) -> dict[str, Any]:
    """`essinfo/common`."""
    today = {name: whole(energy) for name, energy in plant.today.items()}
    pv = _strings(plant) | {
        "today_pv_generation_sum": today["pv"],
        "today_month_pv_generation_sum": today["pv"],
    }
    batt = {
        "status": str(status(plant)),
        "soc": f"{plant.soc:.1f}",
        "dc_power": whole(abs(plant.battery)),
        "winter_setting": plant.settings["winter"],
        "winter_status": "off",
        "safety_soc" if later else "safty_soc": plant.settings["safety_soc"],
        "today_batt_discharge_enery": today["discharge"],
        "today_batt_charge_energy": today["charge"],
    }
    if later:
        batt |= {
            "backup_setting": plant.settings["backup"],
            "backup_soc": plant.settings["backup_soc"],
        }
    return {
        "PV": pv,
        "BATT": batt,
        "GRID": {
            "active_power": f"{plant.grid:.6f}",
            "a_phase": "233.199997",
            "freq": "50.009998",
            "today_grid_feed_in_energy": today["export"],
            "today_grid_power_purchase_energy": today["import"],
        },
        "LOAD": {
            "load_power": whole(plant.load),
            "today_load_consumption_sum": today["load"],
            "today_pv_direct_consumption_enegy": today["pv"],
            "today_batt_discharge_enery": today["discharge"],
            "today_grid_power_purchase_energy": today["import"],
        },
        "PCS": {
            "today_self_consumption": f"{share(plant):.1f}",
            "today_pv_generation_sum": today["pv"],
            "today_grid_feed_in_energy": today["export"],
            "pcs_stauts": "3",
            "feed_in_limitation": "70",
            "operation_mode": "0",
        },
    }


def _strings(plant: Plant) -> dict[str, str]:
    pv = {"brand": "LGE-SOLAR", "capacity": "5850"}
    for index in range(plant.model.strings):
        volts, watts = _STRING_VOLTS[index], plant.sun / plant.model.strings
        pv[f"pv{index + 1}_voltage"] = f"{volts:.6f}"
        pv[f"pv{index + 1}_power"] = whole(watts)
        pv[f"pv{index + 1}_current"] = f"{watts / volts:.6f}"
    return pv


def battery(plant: Plant, *, later: bool) -> dict[str, Any]:
    """`setting/batt`."""
    settings = plant.settings
    found = {"winter_setting": settings["winter"], "winter_status": "off"}
    dates = {"startdate": settings["startdate"], "stopdate": settings["stopdate"]}
    if not later:
        return (
            found | {"alg_setting": settings["fast"], "safty_soc": settings["safety_soc"]} | dates
        )
    return (
        found
        | {
            "backup_setting": settings["backup"],
            "backup_status": "on" if plant.reserved else "off",
            "alg_setting": settings["strategy"],
            "safety_soc": settings["safety_soc"],
            "charging_from_grid_to_keep_soc": "1",
            "backup_soc": settings["backup_soc"],
            "auto_charge": settings["auto_charge"],
            "internet_connection": "connected",
        }
        | dates
    )


def system(plant: Plant) -> dict[str, Any]:
    """`setting/systeminfo`."""
    model = plant.model
    return {
        "pms": {
            "model": model.code,
            "serialno": SERIAL,
            "ac_input_power": str(model.rated),
            "ac_output_power": str(model.rated // 1000),
            "install_date": "2021-04-09",
        },
        "batt": {"capacity": str(model.capacity // 100), "install_date": "2021-04-09"},
        "version": {
            "pms_version": model.firmware,
            "pms_build_date": "2024-02-22 R1340",
            "pcs_version": "LG P1 02.00.02.00 R1753",
            "bms_version": "LGBMS.01.01.01.00",
        },
    }
