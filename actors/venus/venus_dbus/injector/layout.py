"""Which paths each class of service has on the D-Bus, and what never changes on them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .plan import Entry
    from .values import Value

VERSION = "0.1.0"
"""Heliograph's, which stands in the bridge; a test compares the two."""
GENERIC = 65535
"""The product id of whatever is not Victron's."""
_PRODUCTS = {
    "temperature": "temperature sensor",
    "grid": "grid meter",
    "pvinverter": "PV inverter",
    "evcharger": "EV charger",
    "battery": "battery",
    "consumer": "consumer",
    "reservation": "battery reservation",
}

_TEXT, _WHOLE = Spec("s"), Spec("i")
_WATT, _VOLT = Spec("d", "W", 0, measured=True), Spec("d", "V", 1, measured=True)
_AMP, _HERTZ = Spec("d", "A", 1, measured=True), Spec("d", "Hz", 2, measured=True)
_KWH, _PERCENT = Spec("d", "kWh", 2, measured=True), Spec("d", "%", 1, measured=True)
_RATIO = Spec("d", "", 2, measured=True)
_CELSIUS, _STATE = Spec("d", "C", 1, measured=True), Spec("i", measured=True)
_SECONDS = Spec("i", "s", measured=True)

_COMMON = {
    "/Mgmt/ProcessName": _TEXT,
    "/Mgmt/ProcessVersion": _TEXT,
    "/Mgmt/Connection": _TEXT,
    "/DeviceInstance": _WHOLE,
    "/ProductId": _WHOLE,
    "/ProductName": _TEXT,
    "/FirmwareVersion": _TEXT,
    "/HardwareVersion": _TEXT,
    "/Serial": _TEXT,
    "/Connected": _WHOLE,
    "/CustomName": Spec("s", writable=True),
}
_TEMPERATURE = {
    "/Temperature": _CELSIUS,
    "/TemperatureType": _WHOLE,
    "/Humidity": _PERCENT,
    "/Pressure": Spec("d", "hPa", 1, measured=True),
    "/Status": _STATE,
}
_GRID = {
    "/Ac/Power": _WATT,
    "/Ac/Energy/Forward": _KWH,
    "/Ac/Energy/Reverse": _KWH,
    "/Ac/Frequency": _HERTZ,
    "/Ac/PowerFactor": _RATIO,
    "/ErrorCode": _WHOLE,
    "/DeviceType": _WHOLE,
    "/NrOfPhases": _WHOLE,
    "/Role": _TEXT,
}
_PVINVERTER = {
    "/Ac/Power": _WATT,
    "/Ac/Energy/Forward": _KWH,
    "/Ac/MaxPower": Spec("d", "W"),
    "/StatusCode": _STATE,
    "/ErrorCode": _WHOLE,
    "/Position": _WHOLE,
    "/NrOfPhases": _WHOLE,
}
_EVCHARGER = {
    "/Ac/Power": _WATT,
    "/Ac/Energy/Forward": _KWH,
    "/Current": _AMP,
    "/Mode": Spec("i", writable=True, measured=True),
    "/StartStop": Spec("i", writable=True, measured=True),
    "/SetCurrent": Spec("d", "A", 1, writable=True, measured=True),
    "/MaxCurrent": Spec("d", "A", 1),
    "/MinCurrent": Spec("d", "A", 1),
    "/Status": _STATE,
    "/Session/Energy": _KWH,
    "/Session/Time": _SECONDS,
    "/ChargingTime": _SECONDS,
    "/Position": _WHOLE,
    "/Model": _TEXT,
    "/Role": _TEXT,
    "/NrOfPhases": _WHOLE,
}
_ACLOAD = {
    "/Ac/Power": _WATT,
    "/Ac/Energy/Forward": _KWH,
    "/ErrorCode": _WHOLE,
    "/Position": _WHOLE,
    "/Role": _TEXT,
    "/NrOfPhases": _WHOLE,
}
# Never any /Info path: whoever has one is taken for a battery's own management.
_BATTERY = {
    "/Soc": _PERCENT,
    "/Dc/0/Power": _WATT,
    "/Dc/0/Voltage": _VOLT,
    "/Dc/0/Current": _AMP,
    "/Dc/0/Temperature": _CELSIUS,
    "/TimeToGo": _SECONDS,
    "/ErrorCode": _WHOLE,
}
_CLASSES = {
    "temperature": _TEMPERATURE,
    "grid": _GRID,
    "pvinverter": _PVINVERTER,
    "evcharger": _EVCHARGER,
    "acload": _ACLOAD,
    "battery": _BATTERY,
}


def layout(entry: Entry, phases: Iterable[int]) -> dict[str, Spec]:
    """Every path of a service; a phase that does not exist has none."""
    paths = _COMMON | _CLASSES[entry.kind]
    for number in phases:
        phase = f"/Ac/L{number}"
        paths |= {f"{phase}/Power": _WATT}
        if entry.kind == "evcharger":
            continue
        if entry.kind != "acload":
            paths |= {f"{phase}/Voltage": _VOLT, f"{phase}/Current": _AMP}
        paths |= {f"{phase}/Energy/Forward": _KWH}
        if entry.kind == "grid":
            paths |= {f"{phase}/Energy/Reverse": _KWH, f"{phase}/PowerFactor": _RATIO}
    return paths


def fixed(entry: Entry, source: str, phases: Iterable[int]) -> dict[str, Value]:
    """What stands on the paths that do not change; `source` is where the values come from.

    A battery that only shows something has no /Mgmt/Connection: what lacks one is never
    selected as the system's battery monitor, whatever else there is.
    """
    values: dict[str, Value] = {
        "/Mgmt/ProcessName": "heliograph",
        "/Mgmt/ProcessVersion": VERSION,
        "/Mgmt/Connection": None if entry.display else f"MQTT {source}",
        "/ProductId": GENERIC,
        "/ProductName": f"Heliograph {_PRODUCTS[entry.what]}",
        "/ErrorCode": 0,
        "/NrOfPhases": len(tuple(phases)),
    }
    if entry.kind in {"grid", "evcharger", "acload"}:
        values["/Role"] = entry.kind
    if entry.kind == "grid":
        values["/DeviceType"] = 0
    if entry.kind == "temperature":
        values["/TemperatureType"] = entry.type
    if entry.kind in {"pvinverter", "evcharger", "acload"}:
        # 0 is AC input 1 for a PV inverter, and AC output for the others.
        values["/Position"] = entry.position or 0
    if entry.kind == "pvinverter":
        values["/Ac/MaxPower"] = entry.max_power
    if entry.kind == "evcharger":
        values |= {"/MaxCurrent": entry.max_current, "/MinCurrent": entry.min_current}
    return values
