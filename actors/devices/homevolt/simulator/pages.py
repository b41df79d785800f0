"""The JSON pages of a simulated Homevolt, shaped as its maker's document shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.devices.homevolt.simulator.house import House

VOLTAGES = (230.5, 231.5, 233.1)
_ALL_OF_IT = "EMS_INFO_CONNECTED_TO_BACKEND"


def ems(house: House, now: float, ecus: list[str], unavailable: set[str]) -> dict[str, Any]:
    """`/ems.json`. unavailable: functions whose sensor is not heard."""
    each = house.power / house.units
    units = [_unit(house, now, ecu, each) for ecu in ecus]
    for unit in units[1:]:
        unit["peer"] = {"connected": True}
    sensors = [_battery_sensor(house, ecu, each, now) for ecu in ecus]
    sensors += [
        _sensor("solar", "pulse_ct", 3, (house.solar, 0.0, 0.0), house, now),
        _sensor("grid", "pulse_ct", 1, _spread(house.grid), house, now),
        _sensor("load", "virtual", 0, _spread(-house.load), house, now),
    ]
    for sensor in sensors:
        sensor["available"] = sensor["function"] not in unavailable
    whole = {
        "error": 0,
        "error_str": "No error",
        "ems_control": _control(house, house.power, house.units),
        "ems_data": _data(house, house.power, now, house.units),
        "ems_prediction": _prediction(house, house.units),
    }
    head = {"$type": "ems_data", "ts": int(now), "ems": units}
    return {**head, "sensors": sensors, "aggregated": whole}


def _unit(house: House, now: float, ecu: str, power: float) -> dict[str, Any]:
    state = "idle" if abs(power) < 1 else "discharging" if power > 0 else "charging"
    bought, sold = (value / house.units for value in house.counters["battery"])
    return {
        "ecu_id": ecu,
        "ecu_host": "",
        "ecu_version": "",
        "op_state": 1,
        "op_state_str": state,
        "error": 0,
        "error_str": "No error",
        "ems_info": {
            "protocol_version": 5,
            "fw_version": "v31.4",
            "rated_capacity": 13304,
            "rated_power": round(house.rated),
            "rated_pv_power": 0,
            "model": "B6",
        },
        "bms_info": [
            {"fw_version": "v6", "serial_number": f"{ecu}{n:02}", "rated_cap": 6652, "id": n}
            for n in range(2)
        ],
        "inv_info": {"fw_version": "V1.10-97.0", "serial_number": f"{ecu}ff"},
        "ems_config": {"grid_code_preset_str": "Sweden", "control_timeout": True},
        "ems_control": _control(house, power, 1),
        "ems_data": _data(house, power, now, 1),
        "bms_data": [
            {
                "energy_avail": round(house.capacity * house.soc / 200),
                "cycle_count": 272,
                "soc": round(house.soc * 100),
                "state": 5,
                "state_str": "Connected",
                "alarm": 0,
                "alarm_str": [],
                "tmin": 212,
                "tmax": 229 + n,
            }
            for n in range(2)
        ],
        "ems_prediction": _prediction(house, 1),
        "ems_voltage": _voltages(),
        "ems_current": {"l1": 0, "l2": 0, "l3": 0},
        "ems_aggregate": {"imported_kwh": round(bought, 2), "exported_kwh": round(sold, 2)},
        "error_cnt": 0,
    }


def _voltages() -> dict[str, int]:
    found = {f"l{n}": round(volts * 10) for n, volts in enumerate(VOLTAGES, 1)}
    return {**found, "l1_l2": 3997, "l2_l3": 4009, "l3_l1": 4032}


def _control(house: House, power: float, units: int) -> dict[str, Any]:
    return {
        "mode_sel": 1,
        "mode_sel_str": "operational",
        "pwr_ref": round(power),
        "act_pwr_ch_lim": round(house.rated * units),
        "act_pwr_di_lim": round(house.rated * units),
    }


def _data(house: House, power: float, now: float, units: int) -> dict[str, Any]:
    return {
        "timestamp_ms": int(now * 1000),
        "info_str": [_ALL_OF_IT],
        "warning_str": [],
        "alarm_str": [],
        "frequency": 50012,
        "power": round(power),
        "apparent_power": round(abs(power)),
        "reactive_power": 0,
        "energy_produced": round(house.counters["battery"][0] * 1000),
        "energy_consumed": round(house.counters["battery"][1] * 1000),
        "sys_temp": 231,
        "avail_cap": round(house.capacity * units),
        "soc_avg": round(house.soc * 100),
    }


def _prediction(house: House, units: int) -> dict[str, Any]:
    held = house.capacity * units * house.soc / 100
    return {
        "avail_ch_pwr": round(house.rated * units),
        "avail_di_pwr": round(house.rated * units),
        "avail_ch_energy": round(house.capacity * units - held),
        "avail_di_energy": round(held),
        "avail_group_fuse_ch_pwr": 11040,
        "avail_group_fuse_di_pwr": 11040,
    }


def _spread(watts: float) -> tuple[float, float, float]:
    return (watts / 2, watts / 4, watts / 4)


def _phases(powers: tuple[float, ...]) -> list[dict[str, Any]]:
    return [
        {
            "voltage": volts,
            "amp": round(power / volts, 1),
            "power": round(power, 1),
            "pf": 0 if not power else (1 if power > 0 else -1),
        }
        for power, volts in zip(powers, VOLTAGES, strict=True)
    ]


def _sensor(
    function: str, kind: str, node: int, powers: tuple[float, ...], house: House, now: float
) -> dict[str, Any]:
    imported, exported = house.counters[function]
    return {
        "function": function,
        "sensor_type": kind,
        "euid": f"02000000000000{node:02}",
        "interface": 7 if node else 0,
        "available": True,
        "rssi": -81 if node else 0,
        "average_rssi": -81.5 if node else 0,
        "pdr": 100,
        "phase": _phases(powers),
        "frequency": 49.99,
        "total_power": round(sum(powers)),
        "energy_imported": round(imported, 2),
        "energy_exported": round(exported, 2),
        "timestamp": int(now * 1000) - 1869,
    }


def _battery_sensor(house: House, ecu: str, power: float, now: float) -> dict[str, Any]:
    found = _sensor("battery", "ems", 0, (power / 3,) * 3, house, now)
    return {**found, "euid": f"0000{ecu}"}


def status(now: float) -> dict[str, Any]:
    """`/status.json`."""
    return {
        "up_time": int(now) % 10_000_000,
        "firmware": {"esp": "3056-1a3446ed", "efr": "804-4190150b"},
        "wifi_status": {"ip": "192.0.2.221", "ssid": "SIM", "rssi": -43, "connected": True},
        "mqtt_status": {"connected": True, "subscribed": True},
        "ems_status": {"ems_info": {"protocol_version": 5, "fw_version": "v31.4"}},
    }


def errors() -> list[dict[str, Any]]:
    """`/error_report.json`: each of its checks, and whether it has struck."""
    return [
        {
            "sub_system_name": "EMS",
            "error_name": "ems_offline",
            "activated": "ok",
            "message": "",
            "details": [],
        }
    ]


def parameter(number: int, name: str, value: Any, help_: str) -> dict[str, Any]:
    """One entry of `/params.json`."""
    kind = "bool" if isinstance(value, bool) else "uint32"
    return {
        "param_id": number,
        "desc": '"ecu_params"',
        "name": name,
        "size": 1,
        "type": kind,
        "value": [value],
        "default": [type(value)()],
        "help": help_,
        "level": 8,
    }
