"""What a Sessy's answers mean in our quantities, units and signs. Pure.

Battery: `power` is W with + = discharge, as ours; voltages are mV, currents mA, the frequency mHz,
the state of charge 0..1, counters Wh. Meters: powers W with + = import, as ours. A P1 meter calls
Wh counters `power_…_tariff` and sends 0 for what the smart meter does not tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from actors.devices.sessy.numbers import block, number, total
from actors.devices.sessy.words import battery_state, inverter_state
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = dict[str, float | str | None]
Role = Literal["grid", "pv", "load"]
MILLI = 1e-3
_SOC_DIGITS = 4  # it tells single precision: 1.0000001 is full
_PHASES = (1, 2, 3)
# What a phase's numbers are called in each role: power, voltage, current.
_NAMES: dict[Role, tuple[str, str | None, str | None]] = {
    "grid": ("GridPower", "GridVoltage", "GridCurrent"),
    "pv": ("PvPower", "PvVoltage", "PvCurrent"),
    "load": ("LoadPower", None, None),
}
_COUNTERS: dict[Role, tuple[str, str | None]] = {
    "grid": ("GridImportEnergy", "GridExportEnergy"),
    "pv": ("PvEnergy", None),
    "load": ("LoadEnergy", None),
}


def checked(found: Any, what: str) -> dict[str, Any]:
    """An answer that has `"status": "ok"`. Raises DeviceGarbled, to follow the device's name."""
    if not isinstance(found, dict):
        raise DeviceGarbled(f"answers with something else than its {what}")
    if found.get("status") != "ok":
        raise DeviceGarbled(f"does not tell its {what}: it does not say that all is well")
    return found


# -------------------------------------------------------------------------------------- battery


def battery(found: Any, energy: Any, phase: int | None, pv: frozenset[int]) -> Values:
    """A battery's reading out of `power/status` and `energy/status` (None where it has none).

    phase: which one the battery is on (1..3, None: not known); pv: the phases with a PV clamp.
    Raises DeviceGarbled.
    """
    sessy = checked(found, "power").get("sessy")
    if not isinstance(sessy, dict):
        raise DeviceGarbled("tells nothing about a battery: is it a meter?")
    power = number(sessy, "power")
    soc = number(sessy, "state_of_charge", 100.0)
    values: Values = {
        "BatteryPower": power,
        "BatterySoc": None if soc is None else round(soc, _SOC_DIGITS),
        "BatteryState": battery_state(sessy.get("system_state"), power),
        "InverterState": inverter_state(sessy.get("system_state")),
        "InverterFrequency": number(sessy, "frequency", MILLI),
    }
    if "pack_voltage" in sessy:
        values["BatteryVoltage"] = number(sessy, "pack_voltage", MILLI)
    if phase is not None and "inverter_current_ma" in sessy:
        values[f"InverterCurrentL{phase}"] = number(sessy, "inverter_current_ma", MILLI)
    if energy is not None:
        counted = block(energy, "sessy_energy")
        values["BatteryChargeEnergy"] = number(counted, "import_wh", MILLI)
        values["BatteryDischargeEnergy"] = number(counted, "export_wh", MILLI)
    return values | _production(found, energy, pv)


def clamps(found: Any, energy: Any) -> frozenset[int]:
    """The phases on which a PV clamp is: something flows there, or has been counted.

    Every phase without a clamp tells 0 W, and that is not a production of 0.
    """
    seen = set()
    for phase in _PHASES:
        now = block(found, f"renewable_energy_phase{phase}")
        counted = block(energy, f"energy_phase{phase}")
        told = (number(now, "power"), number(now, "current_rms"), number(counted, "export_wh"))
        if any(told):
            seen.add(phase)
    return frozenset(seen)


def _production(found: Any, energy: Any, phases: frozenset[int]) -> Values:
    values: Values = {}
    for phase in sorted(phases):
        now = block(found, f"renewable_energy_phase{phase}")
        values[f"PvPowerL{phase}"] = number(now, "power")
        values[f"PvVoltageL{phase}"] = number(now, "voltage_rms", MILLI)
        values[f"PvCurrentL{phase}"] = number(now, "current_rms", MILLI)
        if energy is not None:
            counted = block(energy, f"energy_phase{phase}")
            values[f"PvEnergyL{phase}"] = number(counted, "export_wh", MILLI)
    for name in ("PvPower", "PvEnergy"):
        parts = [values.get(f"{name}L{phase}", ...) for phase in sorted(phases)]
        if parts and ... not in parts:
            values[name] = total(*parts)  # type: ignore[arg-type]
    return values


# --------------------------------------------------------------------------------------- meters


def p1(found: Any) -> Values:
    """A P1 meter's reading out of `v2/p1/details`. Raises DeviceGarbled, also when it has none."""
    told = checked(found, "meter's values")
    _working(told, "P1_OK", "the smart meter", "is its cable plugged in?")
    power = number(told, "power_total")
    if power is None:
        power = _net(told, "power_consumed", "power_produced")
    values: Values = {"GridPower": power}
    for phase in _PHASES:
        volts = number(told, f"voltage_l{phase}", MILLI)
        amps = number(told, f"current_l{phase}", MILLI)
        watts = _net(told, f"power_consumed_l{phase}", f"power_produced_l{phase}")
        if not (volts or amps or watts):
            continue  # no such phase: the meter tells zeros for it
        values[f"GridPowerL{phase}"] = watts
        values[f"GridVoltageL{phase}"] = volts or None
        # The meter tells amperes without a direction.
        against = watts is not None and watts < 0
        values[f"GridCurrentL{phase}"] = -amps if amps and against else amps
    bought = total(*(number(told, f"power_consumed_tariff{n}", MILLI) for n in (1, 2)))
    sold = total(*(number(told, f"power_produced_tariff{n}", MILLI) for n in (1, 2)))
    # A counter that was never told is 0 too; with one of both moving, the other's 0 is true.
    values["GridImportEnergy"] = bought if bought or sold else None
    values["GridExportEnergy"] = sold if bought or sold else None
    return values


def p1_legacy(found: Any, status: Any) -> Values:
    """The same out of the older `v1/p1/details`, which tells less.

    status: `v1/p1/status`, for a firmware that says only there whether its values are any good.
    """
    told = checked(found, "meter's values")
    state = told if "state" in told else block({"status": status}, "status")
    _working(state, "P1_OK", "the smart meter", "is its cable plugged in?")
    power = number(told, "total_power")
    if power is None:
        power = _net(told, "power_consumed", "power_produced")
    values: Values = {"GridPower": power}
    for phase in _PHASES:
        volts = number(told, f"voltage_l{phase}", MILLI)
        if volts:
            values[f"GridVoltageL{phase}"] = volts
    return values


def ct(found: Any, energy: Any, role: Role, *, invert: bool) -> Values:
    """A CT meter's reading out of `ct/details` and `energy/status`."""
    told = checked(found, "clamps' values")
    lines = {
        phase: {
            "power": told.get(f"power_l{phase}"),
            "voltage": told.get(f"voltage_l{phase}"),
            "current": told.get(f"current_l{phase}"),
        }
        for phase in _PHASES
    }
    values = _lines(lines, number(told, "total_power"), role, invert=invert)
    if energy is not None:
        blocks = [block(energy, f"energy_phase{phase}") for phase in _PHASES]
        bought = total(*(number(each, "import_wh", MILLI) for each in blocks))
        sold = total(*(number(each, "export_wh", MILLI) for each in blocks))
        values |= _counters(bought, sold, role, invert=invert)
    return values


def modbus(found: Any, role: Role, *, invert: bool) -> Values:
    """A Modbus meter's reading out of `modbus/details`."""
    told = checked(found, "meter's values")
    _working(told, "MODBUS_OK", "its Modbus meter", "is it wired and powered?")
    lines = {phase: block(told, f"phase_{phase}") for phase in _PHASES}
    values = _lines(lines, number(told, "total_power"), role, invert=invert)
    bought, sold = number(told, "total_import", MILLI), number(told, "total_export", MILLI)
    return values | _counters(bought, sold, role, invert=invert)


def _working(told: Mapping[str, Any], good: str, what: str, advice: str) -> None:
    state = told.get("state")
    if state != good:
        shown = state if isinstance(state, str) and state.isascii() and state.isprintable() else "?"
        raise DeviceGarbled(f"has no values of {what} ({shown[:40]}): {advice}")


def _net(told: Mapping[str, Any], consumed: str, produced: str) -> float | None:
    bought, sold = number(told, consumed), number(told, produced)
    return None if bought is None or sold is None else bought - sold


def _lines(lines: Mapping[int, Any], power: float | None, role: Role, *, invert: bool) -> Values:
    """Powers with the sign of the role: + = import, production or consumption."""
    sign = -1.0 if invert else 1.0
    main, voltage, current = _NAMES[role]
    values: Values = {main: None if power is None else sign * power}
    for phase, line in lines.items():
        watts, volts = number(line, "power"), number(line, "voltage", MILLI)
        amps = number(line, "current", MILLI)
        if not (watts or volts or amps):
            continue  # a phase that is not there tells zeros
        values[f"{main}L{phase}"] = None if watts is None else sign * watts
        if voltage is not None:
            values[f"{voltage}L{phase}"] = volts or None
        if current is not None:
            against = watts is not None and sign * watts < 0
            values[f"{current}L{phase}"] = -abs(amps) if amps and against else amps and abs(amps)
    return values


def _counters(bought: float | None, sold: float | None, role: Role, *, invert: bool) -> Values:
    if invert:
        bought, sold = sold, bought
    forward, backward = _COUNTERS[role]
    return {forward: bought} if backward is None else {forward: bought, backward: sold}
