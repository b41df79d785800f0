"""The plan for the injector, out of the owner's settings and the consumers that came. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.venus.venus_dbus.settings import Load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.venus.venus_dbus.settings import Settings

_SORTS = {
    "battery": 0,
    "fridge": 1,
    "generic": 2,
    "room": 3,
    "outdoor": 4,
    "water_heater": 5,
    "freezer": 6,
}
# Victron counts AC input and output the other way round for PV inverters than for all others.
_INVERTER = {"input": 0, "output": 1, "input2": 2}
_OTHERS = {"output": 0, "input": 1}
_LEAST_SILENCE = {"temperature": 600.0, "grid": 15.0}
_SILENCE = 60.0
_READINGS = 3
_FIRST_BATTERY = 1000


def plan(
    settings: Settings,
    intervals: Mapping[str, float],
    consumers: Mapping[str, int | None],
) -> dict[str, Any]:
    """What is published on `Venus/{venus}/Services`.

    intervals: s between two readings of a device, where they are known; consumers: those that were
    heard of, with the VRM instance that they ask for themselves.
    """
    services = []
    for sort, name, each in settings.services():
        wish = consumers.get(name) if sort == "consumer" else None
        services.append(_service(settings, sort, name, each, intervals, wish))
    if settings.every_consumer:
        services += [
            _service(settings, "consumer", name, Load(), intervals, wish)
            for name, wish in sorted(consumers.items())
            if name not in settings.consumers
        ]
    return {"drop": settings.drop, "services": services}


def _service(
    settings: Settings,
    sort: str,
    name: str,
    each: Any,
    intervals: Mapping[str, float],
    wish: int | None,
) -> dict[str, Any]:
    service: dict[str, Any] = {"what": sort, "id": name}
    instance = each.instance if each.instance is not None else wish
    if isinstance(each, Load):
        service["class"] = each.show or settings.loads_as
        if service["class"] == "battery" and instance is not None:
            instance = max(_FIRST_BATTERY, instance)
    device = getattr(each, "device", None) or name
    silence = each.silence
    if silence is None and device in intervals:
        # One that is asked rarely is not silent between two readings.
        silence = max(_LEAST_SILENCE.get(sort, _SILENCE), _READINGS * intervals[device])
        silence = min(silence, 86400.0)
    service |= {"name": each.name, "instance": instance, "silence": silence, **_special(sort, each)}
    if device != name:
        service["device"] = device
    return {key: value for key, value in service.items() if value is not None}


def _special(sort: str, each: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    phase = getattr(each, "phase", None)
    if phase is not None:
        found["phase"] = 0 if phase == "all" else phase
    if sort == "temperature":
        found |= {"type": _SORTS[each.type], "quantity": each.quantity}
    elif sort == "pvinverter":
        found |= {"position": _INVERTER[each.position], "max_power": each.max_power}
    elif sort in {"evcharger", "consumer", "reservation"}:
        found["position"] = _OTHERS[each.position]
    if sort == "evcharger":
        found |= {
            "consumer": each.consumer,
            "min_current": each.min_current,
            "max_current": each.max_current,
        }
    if sort == "battery":
        found["time_to_go"] = each.time_to_go
    return found


def summary(shown: Mapping[str, Any], devices: int) -> tuple[str, str | None]:
    """A line for people out of `Venus/{venus}/Shown`, and what is wrong in one sentence."""
    services = shown.get("services") or {}
    good = sum(each.get("state") == "shown" for each in services.values())
    line = f"{good} of {devices} services are shown on the GX"
    away = [
        f"{key}: {each.get('why')}"
        for key, each in services.items()
        if each.get("state") != "shown" and each.get("why")
    ]
    if away:
        line += f"; {away[0]}"
    fault = shown.get("bus") or shown.get("plan")
    return line, fault if isinstance(fault, str) else None
