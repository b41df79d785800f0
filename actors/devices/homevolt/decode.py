"""What `/ems.json` means in our quantities, units and signs. Pure: no I/O, no clock.

The device looks at everything from the house: power and energy into the house are positive, so a
load is negative and what it used is its `energy_exported`. A battery's power is + when it
discharges, as ours. SoC is in 0.01 %, its frequency in mHz (a sensor's in Hz), temperatures in
0.1 °C, voltages of the EMS in 0.1 V, counters in kWh, what is left in Wh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actors.devices.homevolt.values import flag, number, part, parts, scaled, together, word, words
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Collection

Values = dict[str, float | str | None]

_ROLES = {"grid": "Grid", "solar": "Pv", "load": "Load", "house": "Load"}
_STATES = {
    "idle": "idle",
    "charging": "charging",
    "discharging": "discharging",
    "standby": "standby",
    "off": "off",
}
_PHASES = 3
_NOISE = 10.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One battery system (ECU). rated_power: W; troubles: its own words for what is wrong."""

    serial: str
    values: Values
    model: str | None = None
    firmware: str | None = None
    rated_power: float | None = None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer: the house and all batteries together, each unit, who measures, its clock.

    available: the sensors (by euid) that are there now. device_time: unix s, None when not told.
    """

    values: Values
    units: tuple[Unit, ...]
    available: frozenset[str] = frozenset()
    device_time: float | None = None

    @property
    def rated_power(self) -> float | None:
        """W of all units; unknown when that of one is."""
        return together([unit.rated_power for unit in self.units])


@dataclass(frozen=True, slots=True)
class Health:
    """What the device says of itself. signal: dBm of its wifi; firmware: of its controller."""

    signal: float | None = None
    firmware: str | None = None


@dataclass(slots=True)
class _Sensor:
    """One sensor, + = into the house: total W, W, V and A of each phase, two counters in kWh."""

    power: float | None
    phases: list[tuple[float | None, float | None, float | None]] = field(default_factory=list)
    frequency: float | None = None
    imported: float | None = None
    exported: float | None = None


def decode(found: Any, *, swap_energy: bool = False, expected: Collection[str] = ()) -> Reading:
    """Read one `/ems.json`. Raises DeviceGarbled when it is none.

    swap_energy: the two counters of the battery are the other way round. expected: sensors that
    were there before; when one of them is not available its sum is unknown, not smaller.
    """
    systems = parts(found, "ems")
    if not systems:
        raise DeviceGarbled("answers with something else than the data of a battery")
    units = tuple(_unit(each, swap=swap_energy) for each in systems)
    sensors, available = _sensors(found, expected)
    values = _batteries(units) | _mains(systems[0])
    for role, them in sensors.items():
        values |= {"Grid": _grid, "Pv": _pv, "Load": _load}[role](them)
    return Reading(values, units, available, number(found.get("ts")))


def health(found: Any) -> Health:
    """Read one `/status.json`; what it does not tell is unknown, also the signal of no wifi."""
    wifi = part(found, "wifi_status")
    away = flag(wifi.get("connected")) is False
    return Health(
        signal=None if away else number(wifi.get("rssi")),
        firmware=word(part(found, "firmware"), "esp"),
    )


# -------------------------------------------------------------------------------- batteries


def _unit(ems: dict[str, Any], *, swap: bool) -> Unit:
    info, data = part(ems, "ems_info"), part(ems, "ems_data")
    prediction, counters = part(ems, "ems_prediction"), part(ems, "ems_aggregate")
    blades = parts(ems, "bms_data")
    out, back = ("exported_kwh", "imported_kwh") if swap else ("imported_kwh", "exported_kwh")
    capacity = number(data.get("avail_cap"))
    if capacity is None:
        capacity = number(info.get("rated_capacity"))
    troubles = _troubles(ems, data, blades)
    power = number(data.get("power"))
    state = "fault" if troubles else _state(ems.get("op_state_str"), power)
    values: Values = {
        "BatteryPower": power,
        "BatterySoc": scaled(data, "soc_avg", 0.01),
        "BatteryCapacity": capacity,
        "BatteryEnergy": scaled(prediction, "avail_di_energy", 0.001),
        "BatteryDischargeEnergy": number(counters.get(out)),
        "BatteryChargeEnergy": number(counters.get(back)),
        "BatteryTemperature": _most([scaled(each, "tmax", 0.1) for each in blades]),
        "BatteryCycles": _most([number(each.get("cycle_count")) for each in blades]),
        "BatterySoh": _least([scaled(each, "soh", 0.01) for each in blades]),
        "BatteryState": state,
        "InverterTemperature": scaled(data, "sys_temp", 0.1),
    }
    return Unit(
        serial=word(ems, "ecu_id") or "",
        values=values,
        model=word(info, "model"),
        firmware=word(info, "fw_version"),
        rated_power=number(info.get("rated_power")),
        troubles=troubles,
    )


def _state(told: object, power: float | None) -> str | None:
    """The device's word for what it does; without one that we know, what its power says."""
    known = _STATES.get(str(told).lower())
    if known is not None or power is None:
        return known
    if abs(power) < _NOISE:
        return "idle"
    return "discharging" if power > 0 else "charging"


def _troubles(
    ems: dict[str, Any], data: dict[str, Any], blades: list[dict[str, Any]]
) -> tuple[str, ...]:
    found: list[str] = []
    for each in (data, *blades):
        # Whatever has no word is told by its number.
        bare = [f"alarm {word(each, 'alarm')}"] if number(each.get("alarm")) else []
        found += words(each, "alarm_str") or bare
    if number(ems.get("error")):
        found.insert(0, word(ems, "error_str") or f"error {word(ems, 'error')}")
    return tuple(dict.fromkeys(found))


def _batteries(units: tuple[Unit, ...]) -> Values:
    """All units as one battery: sums, the SoC by capacity, the worst of what has no sum."""
    if len(units) == 1:
        return dict(units[0].values)

    def each(name: str) -> list[float | None]:
        return [number(unit.values[name]) for unit in units]

    found: Values = {
        name: together(each(name))
        for name in (
            *("BatteryPower", "BatteryCapacity", "BatteryEnergy"),
            *("BatteryChargeEnergy", "BatteryDischargeEnergy"),
        )
    }
    sizes, levels = each("BatteryCapacity"), each("BatterySoc")
    whole = together(sizes)
    held = [
        None if size is None or level is None else size * level
        for size, level in zip(sizes, levels, strict=True)
    ]
    stored = together(held)
    found["BatterySoc"] = stored / whole if stored is not None and whole else None
    for name in ("BatteryTemperature", "BatteryCycles", "InverterTemperature"):
        found[name] = _most(each(name))
    found["BatterySoh"] = _least(each("BatterySoh"))
    states = {unit.values["BatteryState"] for unit in units}
    found["BatteryState"] = "fault" if "fault" in states else _only(states)
    return found


def _only(states: set[float | str | None]) -> float | str | None:
    return next(iter(states)) if len(states) == 1 else None


def _most(values: list[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return max(known) if known and len(known) == len(values) else None


def _least(values: list[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return min(known) if known and len(known) == len(values) else None


def _mains(ems: dict[str, Any]) -> Values:
    """What the first unit's inverter sees of the mains. Its currents have no confirmed scale."""
    volts = part(ems, "ems_voltage")
    found: Values = {
        f"InverterVoltageL{index}": scaled(volts, f"l{index}", 0.1)
        for index in range(1, _PHASES + 1)
    }
    found["InverterFrequency"] = scaled(part(ems, "ems_data"), "frequency", 0.001)
    return found


# -------------------------------------------------------------------------------- sensors


def _sensors(
    found: Any, expected: Collection[str]
) -> tuple[dict[str, list[_Sensor]], frozenset[str]]:
    """The meters of the house by role; the batteries' own are left to the EMS data."""
    by_role: dict[str, list[_Sensor]] = {}
    available: set[str] = set()
    for each in parts(found, "sensors"):
        role = _ROLES.get(_function(each))
        if role is None:
            continue
        name = word(each, "euid") or role
        if flag(each.get("available", True)) is True:
            available.add(name)
            by_role.setdefault(role, []).append(_sensor(each))
        elif name in expected:
            by_role.setdefault(role, []).append(_Sensor(power=None))
    return by_role, frozenset(available)


def _function(sensor: dict[str, Any]) -> str:
    """What it measures: `function`; in older data `type` says it."""
    return str(sensor.get("function") or sensor.get("type") or "").lower()


def _sensor(found: dict[str, Any]) -> _Sensor:
    told = found.get("phase")
    lines = [
        each if isinstance(each, dict) else {}  # it keeps its place
        for each in (told if isinstance(told, list) else [])[:_PHASES]
    ]
    phases = [
        (number(each.get("power")), number(each.get("voltage")), number(each.get("amp")))
        for each in lines
    ]
    power = together([each[0] for each in phases])
    return _Sensor(
        power=number(found.get("total_power")) if power is None else power,
        phases=phases,
        frequency=number(found.get("frequency")),
        imported=number(found.get("energy_imported")),
        exported=number(found.get("energy_exported")),
    )


def _phases(sensors: list[_Sensor], role: str, sign: float) -> Values:
    """Powers add up over the sensors of a role; volts and amperes are told of a single one."""
    found: Values = {}
    for index in range(max((len(each.phases) for each in sensors), default=0)):
        line = index + 1
        each = [sensor.phases[index] for sensor in sensors if index < len(sensor.phases)]
        whole = len(each) == len(sensors)
        total = together([power for power, _, _ in each]) if whole else None
        found[f"{role}PowerL{line}"] = _signed(total, sign)
        if len(sensors) == 1 and role != "Load":
            power, volts, amperes = each[0]
            found[f"{role}VoltageL{line}"] = volts
            found[f"{role}CurrentL{line}"] = _directed(amperes, power)
    return found


def _signed(value: float | None, sign: float) -> float | None:
    return None if value is None else 0.0 + sign * value


def _directed(amperes: float | None, power: float | None) -> float | None:
    """The current with the sign of its power; some firmware gives it without one."""
    return amperes if not amperes or not power else math.copysign(amperes, power)


def _grid(sensors: list[_Sensor]) -> Values:
    return {
        "GridPower": together([each.power for each in sensors]),
        "GridFrequency": sensors[0].frequency,
        "GridImportEnergy": together([each.imported for each in sensors]),
        "GridExportEnergy": together([each.exported for each in sensors]),
        **_phases(sensors, "Grid", 1.0),
    }


def _pv(sensors: list[_Sensor]) -> Values:
    return {
        "PvPower": together([each.power for each in sensors]),
        "PvEnergy": together([each.imported for each in sensors]),
        **_phases(sensors, "Pv", 1.0),
    }


def _load(sensors: list[_Sensor]) -> Values:
    """What leaves the bus of the house: negative there, positive here."""
    return {
        "LoadPower": _signed(together([each.power for each in sensors]), -1.0),
        "LoadEnergy": together([each.exported for each in sensors]),
        **_phases(sensors, "Load", -1.0),
    }
