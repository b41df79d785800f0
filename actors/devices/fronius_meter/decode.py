"""What `GetMeterRealtimeData` says, in our quantities and signs. Pure.

A meter at the feed-in point (location 0) counts import as positive. One in the consumption path
(location 1) tells consumption as negative power; its consumed energy is that of the house. Which
way one elsewhere counts (3 at a generator, 256 and more at single loads) is confirmed by nobody:
only its owner can tell. Currents have no direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from bridge.errors import DeviceGarbled, DeviceRefused

Role = Literal["grid", "load", "pv", "device"]
GRID_PLACE: Final = 0
LOAD_PLACE: Final = 1
_PHASES: Final = (1, 2, 3)
_LONGEST: Final = 64
_UNAVAILABLE: Final = frozenset({6, 8, 12})
# Older data managers, and what some GEN24 firmware sends instead.
_POWER: Final = ("PowerReal_P_Sum", "SMARTMETER_POWERACTIVE_MEAN_SUM_F64")
_PHASE_POWER: Final = (
    *("PowerReal_P_Phase_{}", "SMARTMETER_POWERACTIVE_MEAN_0{}_F64"),
    "SMARTMETER_POWERACTIVE_0{}_F64",
)
_VOLTAGE: Final = (
    *("Voltage_AC_Phase_{}", "SMARTMETER_VOLTAGE_MEAN_0{}_F64", "SMARTMETER_VOLTAGE_0{}_F64"),
)
_CURRENT: Final = ("Current_AC_Phase_{}", "SMARTMETER_CURRENT_0{}_F64")
_CURRENT_OF_BRIDGE: Final = "ACBRIDGE_CURRENT_ACTIVE_MEAN_0{}_F32"
_CONSUMED: Final = ("EnergyReal_WAC_Sum_Consumed", "SMARTMETER_ENERGYACTIVE_CONSUMED_SUM_F64")
_PRODUCED: Final = ("EnergyReal_WAC_Sum_Produced", "SMARTMETER_ENERGYACTIVE_PRODUCED_SUM_F64")
_FREQUENCY: Final = ("Frequency_Phase_Average", "GRID_FREQUENCY_MEAN_F32")
_PLACE: Final = ("Meter_Location_Current", "SMARTMETER_VALUE_LOCATION_U16")


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer. W with the meter's own sign, V, A, Hz, kWh; None is unknown.

    place: 0 feed-in point, 1 consumption path, 3 or 256 and more elsewhere; phases: those that the
    meter has.
    """

    power: float | None
    powers: dict[int, float | None]
    voltages: dict[int, float | None]
    currents: dict[int, float | None]
    frequency: float | None
    consumed: float | None
    produced: float | None
    place: int | None
    manufacturer: str | None
    model: str | None
    serial: str | None


def decode(found: Any, unit: int) -> Reading:
    """Read one answer.

    Raises DeviceRefused when the inverter has no such meter, or the meter is not enabled;
    DeviceGarbled when it is no such answer. The sentences go after the device's name.
    """
    data = _data(found, unit)
    if data.get("Enable", 1) != 1:
        raise DeviceRefused(f"says that its meter {unit} is not in operation")
    powers = _phases(data, _PHASE_POWER)
    power = _first(data, _POWER)
    if power is None and not any(key in data for key in _POWER):
        known = [each for each in powers.values() if each is not None]
        power = sum(known) if powers and len(known) == len(powers) else None
        if not powers:
            raise DeviceGarbled(f"tells no power of its meter {unit}")
    details = data.get("Details")
    about = details if isinstance(details, dict) else {}
    return Reading(
        power=power,
        powers=powers,
        voltages=_phases(data, _VOLTAGE),
        currents=_phases(data, _CURRENT) or _phases(data, (_CURRENT_OF_BRIDGE,)),
        frequency=_first(data, _FREQUENCY),
        consumed=_kwh(_first(data, _CONSUMED)),
        produced=_kwh(_first(data, _PRODUCED)),
        place=_place(data),
        manufacturer=_word(about, "Manufacturer"),
        model=_word(about, "Model"),
        serial=_word(about, "Serial"),
    )


def role_of(reading: Reading) -> Role:
    """What a meter measures where it sits."""
    if reading.place == GRID_PLACE:
        return "grid"
    return "load" if reading.place == LOAD_PLACE else "device"


def unconfirmed(reading: Reading, role: Role) -> str | None:
    """A sentence about a meter whose sign only its owner can tell; it goes after its name."""
    if reading.place in {GRID_PLACE, LOAD_PLACE} or (reading.place is None and role == "grid"):
        return None
    where = (
        "does not tell where its meter sits"
        if reading.place is None
        else (f"has its meter at location {reading.place}")
    )
    means = {"grid": "import", "pv": "production"}.get(role, "consumption")
    return (
        f"{where}, and which way such a meter counts is not known: if {means} shows as positive"
        " set 'invert: false', else set 'invert: true'"
    )


def quantities(reading: Reading, role: Role, *, invert: bool) -> dict[str, float | str | None]:
    """The reading in our names and signs: + = import, production or consumption.

    A meter in the consumption path has the other sign. The energy that grows while the power shown
    here is positive is the one that belongs to it.
    """
    turned = (reading.place == LOAD_PLACE) is not invert
    sign = -1.0 if turned else 1.0
    prefix = {"grid": "Grid", "load": "Load", "pv": "Pv", "device": ""}[role]
    values: dict[str, float | str | None] = {f"{prefix}Power": _times(reading.power, sign)}
    for phase, power in reading.powers.items():
        values[f"{prefix}PowerL{phase}"] = _times(power, sign)
    if role != "load":
        for phase, voltage in reading.voltages.items():
            values[f"{prefix}VoltageL{phase}"] = voltage
        for phase, current in reading.currents.items():
            shown = values.get(f"{prefix}PowerL{phase}")
            way = -1.0 if isinstance(shown, float) and shown < 0 else 1.0
            values[f"{prefix}CurrentL{phase}"] = None if current is None else way * abs(current)
    # Who mounted it the other way round counts the other way round.
    taken, given = reading.consumed, reading.produced
    if invert:
        taken, given = given, taken
    if role == "grid":
        values |= {"GridImportEnergy": taken, "GridExportEnergy": given}
        values["GridFrequency"] = reading.frequency
    elif role == "load":
        values["LoadEnergy"] = taken
    elif role == "pv":
        values["PvEnergy"] = taken
    else:
        values |= {"Energy": taken, "ReturnedEnergy": given, "Frequency": reading.frequency}
    return values


def _data(found: Any, unit: int) -> dict[str, Any]:
    """The meter's own object, once the answer's head says that all is well."""
    head, body = (found.get(key) if isinstance(found, dict) else None for key in ("Head", "Body"))
    status = head.get("Status") if isinstance(head, dict) else None
    code = status.get("Code") if isinstance(status, dict) else None
    if isinstance(code, bool) or not isinstance(code, int):
        raise DeviceGarbled("answers with something else than the data of a meter")
    if code in _UNAVAILABLE:
        raise DeviceRefused(f"has no meter {unit} at the moment (code {code})")
    if code:
        raise DeviceRefused(f"refuses to tell its meter {unit} (code {code})")
    data = body.get("Data") if isinstance(body, dict) else None
    if isinstance(data, dict) and isinstance(data.get(str(unit)), dict):
        data = data[str(unit)]  # some firmware answers as if all meters had been asked for
    if not isinstance(data, dict):
        raise DeviceGarbled("answers with something else than the data of a meter")
    if not data:
        raise DeviceRefused(f"has no meter {unit}")
    return data


def _first(data: dict[str, Any], names: tuple[str, ...]) -> float | None:
    """The first of these that is there; None where it is null."""
    for name in names:
        if name in data:
            return _number(data[name], name)
    return None


def _phases(data: dict[str, Any], names: tuple[str, ...]) -> dict[int, float | None]:
    found = {}
    for phase in _PHASES:
        here = tuple(name.format(phase) for name in names)
        if any(name in data for name in here):
            found[phase] = _first(data, here)
    return found


def _number(value: Any, name: str) -> float | None:
    if value is None:
        return None
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value):
        raise DeviceGarbled(f"tells something that is not a number as {name}")
    return float(value)


def _place(data: dict[str, Any]) -> int | None:
    found = _first(data, _PLACE)
    return None if found is None else int(found)


def _kwh(value: float | None) -> float | None:
    return None if value is None else value / 1000.0


def _times(value: float | None, sign: float) -> float | None:
    return None if value is None else sign * value


def _word(found: dict[str, Any], key: str) -> str | None:
    value = found.get(key)
    return " ".join(value.split())[:_LONGEST] or None if isinstance(value, str) else None
