"""What the paths of a service show, out of what was heard. Units and signs are Victron's. Pure.

Ours and theirs differ in one sign: a battery that is charged is negative here and positive there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .house import number, source

if TYPE_CHECKING:
    from .house import House
    from .plan import Entry
    from .values import Value

_ALL = (1, 2, 3)
_PREFIX = {"grid": "Grid", "pvinverter": "Pv", "evcharger": ""}
# Ours to Victron's state of a PV inverter; one that has no such word is running.
_INVERTER = {
    "off": 8,
    "standby": 8,
    "starting": 1,
    "running": 7,
    "limited": 12,
    "fault": 10,
    "shutdown": 8,
}
_RUNNING = 7
_VEHICLE = {"disconnected": 0, "connected": 1, "charging": 2, "complete": 3}
_WAITING_FOR_SUN, _WAITING_FOR_START, _WAITING_FOR_CARD = 4, 6, 5
_TO_THREE, _TO_ONE = 22, 23
_FAULTS = {
    "ground": 8,
    "contactor_stuck": 9,
    "residual_current_ac": 11,
    "residual_current_dc": 11,
    "residual_current_unknown": 11,
    "overvoltage": 13,
}
_OVERHEATED = 14
_SUN, _HAND = "☼", "◌"


def own_phases(entry: Entry, house: House) -> tuple[int, ...]:
    """The phases whose power the device knows; none where it knows only the whole."""
    if entry.what not in _PREFIX:
        return ()
    topic, prefix = source(entry), _PREFIX[entry.what]
    return tuple(each for each in _ALL if house.number(topic, f"{prefix}PowerL{each}") is not None)


def planned_phases(entry: Entry) -> tuple[int, ...]:
    """The phases on which the plan puts a power that has none."""
    if entry.kind in {"temperature", "battery"}:
        return ()
    return _ALL if entry.phase == 0 else (entry.phase,)


def figures(entry: Entry, house: House, known: tuple[int, ...]) -> dict[str, Value]:
    """Every measured path but those of a charger's commands; None is unknown.

    known: the phases that the service has on the D-Bus.
    """
    if entry.what == "temperature":
        return _temperature(entry, house)
    if entry.what == "battery":
        return _battery(entry, house)
    if entry.what in {"consumer", "reservation"}:
        power, whole = _load_power(entry, house)
        if entry.kind == "battery":
            share = None if power is None or not whole else min(100.0, 100.0 * power / whole)
            return {"/Dc/0/Power": power, "/Soc": share}
        energy = number_of(house.words.get(f"Requests/{entry.id}/Energy"))
        if entry.what == "reservation":
            energy = None
        values: dict[str, Value] = {"/Ac/Power": power, "/Ac/Energy/Forward": energy}
        for each in known:
            values[f"/Ac/L{each}/Power"] = None if power is None else power / len(known)
            values[f"/Ac/L{each}/Energy/Forward"] = None
        if len(known) == 1:
            values[f"/Ac/L{known[0]}/Energy/Forward"] = energy
        return values
    values = _meter(entry, house, known)
    if entry.what == "pvinverter":
        word = house.word(source(entry), "InverterState")
        values["/StatusCode"] = _RUNNING if word is None else _INVERTER.get(word, _RUNNING)
    return values


def _temperature(entry: Entry, house: House) -> dict[str, Value]:
    topic = source(entry)
    degrees = house.number(topic, entry.quantity)
    return {
        "/Temperature": degrees,
        "/Humidity": house.number(topic, "Humidity"),
        "/Pressure": house.number(topic, "Pressure"),
        "/Status": None if degrees is None else 0,
    }


def _battery(entry: Entry, house: House) -> dict[str, Value]:
    topic = source(entry)
    time_to_go = f"Devices/{entry.time_to_go or entry.device}/State"
    return {
        "/Soc": house.number(topic, "BatterySoc"),
        "/Dc/0/Power": _turned(house.number(topic, "BatteryPower")),
        "/Dc/0/Voltage": house.number(topic, "BatteryVoltage"),
        "/Dc/0/Current": _turned(house.number(topic, "BatteryCurrent")),
        "/Dc/0/Temperature": house.number(topic, "BatteryTemperature"),
        "/TimeToGo": house.number(time_to_go, "BatteryTimeToGo"),
    }


def _turned(value: float | None) -> float | None:
    return None if value is None else -value


def _load_power(entry: Entry, house: House) -> tuple[float | None, float | None]:
    """W that it takes, and W of which this is a share."""
    topic = source(entry)
    if entry.what == "consumer":
        return house.number(topic, "consumption"), house.number(topic, "request")
    battery = house.number(topic, "BatteryPower")
    taken = None if battery is None else max(0.0, -battery)
    return taken, house.number(topic, "Reservation")


def _meter(entry: Entry, house: House, known: tuple[int, ...]) -> dict[str, Value]:
    """A grid meter, a PV inverter or a charger: phases, and the whole of them."""
    topic, prefix = source(entry), _PREFIX[entry.what]
    forward = {"grid": "GridImportEnergy", "pvinverter": "PvEnergy"}.get(entry.what, "Energy")
    values: dict[str, Value] = {
        "/Ac/Power": house.number(topic, f"{prefix}Power"),
        "/Ac/Energy/Forward": house.number(topic, forward),
    }
    for each in known:
        phase = f"/Ac/L{each}"
        values[f"{phase}/Power"] = house.number(topic, f"{prefix}PowerL{each}")
        if entry.what == "evcharger":
            continue
        values[f"{phase}/Voltage"] = house.number(topic, f"{prefix}VoltageL{each}")
        values[f"{phase}/Current"] = house.number(topic, f"{prefix}CurrentL{each}")
        values[f"{phase}/Energy/Forward"] = house.number(topic, f"{forward}L{each}")
    if entry.what == "grid":
        _reverse(house, topic, known, values)
    if all(values[f"/Ac/L{each}/Power"] is None for each in known):
        _one_for_all(entry, house, known, values)
    elif values["/Ac/Power"] is None:
        values["/Ac/Power"] = _sum([values[f"/Ac/L{each}/Power"] for each in known])
    return values


def _reverse(house: House, topic: str, known: tuple[int, ...], values: dict[str, Value]) -> None:
    values["/Ac/Energy/Reverse"] = house.number(topic, "GridExportEnergy")
    values["/Ac/Frequency"] = house.number(topic, "GridFrequency")
    values["/Ac/PowerFactor"] = house.number(topic, "GridPowerFactor")
    for each in known:
        phase = f"/Ac/L{each}"
        values[f"{phase}/Energy/Reverse"] = house.number(topic, f"GridExportEnergyL{each}")
        values[f"{phase}/PowerFactor"] = house.number(topic, f"GridPowerFactorL{each}")


def _one_for_all(
    entry: Entry, house: House, known: tuple[int, ...], values: dict[str, Value]
) -> None:
    """The device knows no phases: its one power goes where the plan puts it.

    Only where the plan says so: one phase of three that is unknown is not the sum of the others.
    """
    if known != planned_phases(entry):
        return
    whole = values["/Ac/Power"]
    for each in known:
        share = None if not isinstance(whole, (int, float)) else whole / len(known)
        values[f"/Ac/L{each}/Power"] = share
    if len(known) == 1 and entry.what == "pvinverter":
        topic, phase = source(entry), f"/Ac/L{known[0]}"
        for path, name in (("Voltage", "Voltage"), ("Current", "Current")):
            if values[f"{phase}/{path}"] is None:
                values[f"{phase}/{path}"] = house.number(topic, name)
        values[f"{phase}/Energy/Forward"] = values["/Ac/Energy/Forward"]


def _sum(values: list[Value]) -> float | None:
    """Unknown when one of them is."""
    found = [each for each in values if isinstance(each, (int, float))]
    return sum(found) if found and len(found) == len(values) else None


def number_of(word: str | None) -> float | None:
    """A plain payload as a number; None for everything else."""
    try:
        return number(float(word or ""))
    except ValueError:
        return None


# -------------------------------------------------------------------------------------- charger


def current(entry: Entry, house: House) -> float | None:
    """A per phase that the car draws: the highest of the phases."""
    topic = source(entry)
    found = [house.number(topic, f"CurrentL{each}") for each in _ALL]
    known = [each for each in (*found, house.number(topic, "Current")) if each is not None]
    return max(known, default=None)


def vehicle(entry: Entry, house: House, *, automatic: bool) -> int | None:
    """Victron's state of a charger; None where it has no number for what is the matter."""
    topic = source(entry)
    state, reason = house.word(topic, "VehicleState"), house.word(topic, "ChargerState")
    if state == "fault":
        if reason == "overtemperature":
            return _OVERHEATED
        return _FAULTS.get(house.word(topic, "ChargerError") or "")
    if state in {"charging", "waiting"} and reason == "phase_switch":
        now_on = house.number(topic, "ChargingPhases")
        return _TO_ONE if now_on is not None and now_on > 1 else _TO_THREE
    if state == "waiting" or (state == "connected" and automatic):
        if reason == "access_wait":
            return _WAITING_FOR_CARD
        return _WAITING_FOR_SUN if automatic else _WAITING_FOR_START
    return _VEHICLE.get(state or "")


# ---------------------------------------------------------------------------------------- names


def words(entry: Entry, house: House) -> dict[str, Value]:
    """Who made the device, as `Devices/{device}/Info` tells: paths that may change, rarely."""
    info = house.objects.get(f"Devices/{entry.device}/Info", {})
    if entry.what in {"consumer", "reservation"}:
        return {}
    found: dict[str, Value] = {
        "/Serial": _known(info.get("serial")),
        "/FirmwareVersion": _known(info.get("firmware")),
    }
    maker, model = _known(info.get("manufacturer")), _known(info.get("model"))
    if model is not None:
        found["/ProductName"] = model if maker is None else f"{maker} {model}"
        if entry.kind == "evcharger":
            found["/Model"] = model
    return found


def _known(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def default_name(entry: Entry, house: House) -> str:
    """What the service is called until somebody renames it on the GX."""
    if entry.name is not None:
        return entry.name
    if entry.what == "reservation":
        return "Battery reservation"
    if entry.what == "consumer":
        asked = house.objects.get(f"Requests/{entry.id}", {})
        folded = {key.lower(): value for key, value in asked.items()}
        spoken = house.words.get(f"Requests/{entry.id}/CustomName")
        return _known(spoken) or _known(folded.get("customname")) or entry.id
    return entry.id


def suffix(entry: Entry, house: House) -> str:
    """What a name ends in where a battery shows a consumer or the reservation, as in es-ESS."""
    if entry.kind != "battery" or entry.what == "battery":
        return ""
    topic = source(entry)
    if entry.what == "reservation":
        held = house.number(topic, "Reservation")
        return "" if held is None else f": {held:.0f} W"
    automatic, request = house.flag(topic, "automatic"), house.number(topic, "request")
    if not automatic:
        return "" if automatic is None else f" {_HAND}"
    return f" {_SUN}" if request is None else f" {_SUN} @ {request:.0f} W"
