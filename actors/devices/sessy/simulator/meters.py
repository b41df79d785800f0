"""The pages of simulated meters. Powers are W per phase, + = import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

VOLTS = (237.7, 236.9, 238.1)
IMPORTED, EXPORTED = (745_838, 523_255), (201_650, 545_889)


def p1(powers: Sequence[float], *, connected: bool) -> dict[str, Any]:
    """`v2/p1/details`: whole amperes, Wh counters by tariff, zeros for what is not told."""
    total = sum(powers)
    page: dict[str, Any] = {
        "state": "P1_OK" if connected else "P1_NOT_CONNECTED",
        "dsmr_version": 50,
        "tariff_indicator": 2,
        "power_consumed": max(0, round(total)),
        "power_produced": max(0, round(-total)),
        "power_total": round(total),
        "power_failure_any_phase": 11,
        "long_power_failure_any_phase": 1,
        "gas_meter_value": 1_234_567,
    }
    for number in (1, 2):
        page[f"power_consumed_tariff{number}"] = IMPORTED[number - 1]
        page[f"power_produced_tariff{number}"] = EXPORTED[number - 1]
    for number, (power, volts) in enumerate(zip(powers, VOLTS, strict=True), 1):
        page |= {
            f"voltage_sag_count_l{number}": 0,
            f"voltage_swell_count_l{number}": 0,
            f"voltage_l{number}": round(volts * 1000),
            f"current_l{number}": round(abs(power) / volts) * 1000,
            f"power_consumed_l{number}": max(0, round(power)),
            f"power_produced_l{number}": max(0, round(-power)),
        }
    return page


def p1_status(powers: Sequence[float], *, connected: bool) -> dict[str, Any]:
    """`v1/p1/status`, which alone told an older firmware's state."""
    state = "P1_OK" if connected else "P1_NOT_CONNECTED"
    return {"state": state, "net_power_delivered": round(sum(powers))}


def p1_legacy(powers: Sequence[float]) -> dict[str, Any]:
    """`v1/p1/details` of an older firmware."""
    now = p1(powers, connected=True)
    keys = ("power_consumed", "power_produced", *(f"voltage_l{n}" for n in (1, 2, 3)))
    return {"total_power": now["power_total"], **{key: now[key] for key in keys}}


def ct(powers: Sequence[float]) -> dict[str, Any]:
    """`ct/details`."""
    page: dict[str, Any] = {"total_power": round(sum(powers))}
    for number, (power, volts) in enumerate(zip(powers, VOLTS, strict=True), 1):
        page[f"voltage_l{number}"] = round(volts * 1000)
        page[f"current_l{number}"] = round(abs(power) / volts * 1000)
        page[f"power_l{number}"] = round(power)
    return page


def ct_energy() -> dict[str, Any]:
    """`energy/status` of a CT meter, which has no battery."""
    return {
        f"energy_phase{number}": {"import_wh": 1000 * number, "export_wh": 100 * number}
        for number in (1, 2, 3)
    }


def modbus(powers: Sequence[float], *, connected: bool) -> dict[str, Any]:
    """`modbus/details`."""
    page: dict[str, Any] = {
        "state": "MODBUS_OK" if connected else "MODBUS_TIMEOUT",
        "device_type": "Eastron_SDM630",
        "device_uid": 1,
        "time_since": 0,
        "total_power": round(sum(powers)),
        "total_import": sum(IMPORTED),
        "total_export": sum(EXPORTED),
    }
    for number, (power, volts) in enumerate(zip(powers, VOLTS, strict=True), 1):
        page[f"phase_{number}"] = {
            "voltage": round(volts * 1000),
            "current": round(abs(power) / volts * 1000),
            "power": round(power),
        }
    return page
