"""Reads `Shelly.GetStatus` of the second generation and later. Pure.

Meters: em:0 with emdata:0 (three phases, a b c = L1 L2 L3), em1:N with em1data:N (single clamps),
pm1:N and switch:N (also cover and light) with their own counters. All counters are Wh.
"""

from __future__ import annotations

from typing import Any

from actors.devices.shelly.document import flag, number, part
from actors.devices.shelly.reading import Channel, Reading, add_up

_WH = 1000.0
_METERED = ("switch", "pm1", "cover", "light")
_HIT_BY = {
    "power_meter_failure": {"power", "voltage", "current"},
    "ct_type_not_set": {"power", "current"},
    "out_of_range:act_power": {"power"},
    "out_of_range:voltage": {"voltage"},
    "out_of_range:current": {"current"},
}


def read_gen2(status: dict[str, Any]) -> Reading:
    """Decode one full status."""
    outputs = {
        index: flag(found.get("output")) for index, found in _components(status, "switch").items()
    }
    temperature = number(part(status, "temperature:0").get("tC"))
    for index, found in _components(status, "em").items():
        lines, total = _three_phases(found, part(status, f"emdata:{index}"))
        return Reading(
            channels=dict(enumerate(lines)),
            phases=True,
            total=total,
            clamps=True,
            outputs=outputs,
            temperature=temperature,
        )
    clamps = {
        index: _clamp(found, part(status, f"em1data:{index}"))
        for index, found in _components(status, "em1").items()
    }
    if clamps:
        return Reading(channels=clamps, clamps=True, outputs=outputs, temperature=temperature)
    channels: dict[int, Channel] = {}
    for kind in _METERED:
        for index, found in _components(status, kind).items():
            if "apower" in found:
                channels.setdefault(index, _line(found))
            inner = number(part(found, "temperature").get("tC"))
            temperature = inner if temperature is None else temperature
    return Reading(channels=channels, outputs=outputs, temperature=temperature)


def _components(status: dict[str, Any], kind: str) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for key, value in status.items():
        name, _, index = key.partition(":")
        if name == kind and index.isdecimal() and len(index) < 4 and isinstance(value, dict):  # noqa: PLR2004 - ids end at 999
            found[int(index)] = value
    return dict(sorted(found.items()))


def _hit(found: dict[str, Any], key: str) -> set[str]:
    """Name what an `errors` list makes worthless: power, voltage or current."""
    errors = found.get(key)
    if not isinstance(errors, list):
        return set()
    return set[str]().union(*(_HIT_BY.get(str(each), set()) for each in errors))


def _counting(found: dict[str, Any]) -> bool:
    flags = found.get("flags")
    return not (isinstance(flags, list) and "count_disabled" in flags)


def _three_phases(em: dict[str, Any], data: dict[str, Any]) -> tuple[list[Channel], Channel]:
    for_all = _hit(em, "errors")
    counting = _counting(em)
    lines: list[Channel] = []
    power_lost = "power" in for_all
    for letter in "abc":
        hit = for_all | _hit(em, f"{letter}_errors")
        power_lost = power_lost or "power" in hit
        lines.append(
            Channel(
                power=_unless(hit, em, "power", f"{letter}_act_power"),
                voltage=_unless(hit, em, "voltage", f"{letter}_voltage"),
                current=_unless(hit, em, "current", f"{letter}_current"),
                frequency=number(em.get(f"{letter}_freq")),
                imported=_counter(data, f"{letter}_total_act_energy") if counting else None,
                exported=_counter(data, f"{letter}_total_act_ret_energy") if counting else None,
                two_way=True,
            )
        )
    own = Channel(
        # A total without one of its phases is no total.
        power=None if power_lost else number(em.get("total_act_power")),
        imported=_counter(data, "total_act") if counting else None,
        exported=_counter(data, "total_act_ret") if counting else None,
    )
    return lines, add_up(lines, own)


def _clamp(em1: dict[str, Any], data: dict[str, Any]) -> Channel:
    hit = _hit(em1, "errors")
    counting = _counting(em1)
    return Channel(
        power=_unless(hit, em1, "power", "act_power"),
        voltage=_unless(hit, em1, "voltage", "voltage"),
        current=_unless(hit, em1, "current", "current"),
        frequency=number(em1.get("freq")),
        imported=_counter(data, "total_act_energy") if counting else None,
        exported=_counter(data, "total_act_ret_energy") if counting else None,
        two_way=True,
    )


def _line(found: dict[str, Any]) -> Channel:
    """Read a switch or pm1. Where ret_aenergy exists, aenergy counts both directions together."""
    hit = _hit(found, "errors")
    both = _counter(part(found, "aenergy"), "total")
    returned = _counter(part(found, "ret_aenergy"), "total")
    two_way = "ret_aenergy" in found
    imported = both
    if two_way:
        imported = None if both is None or returned is None else max(0.0, both - returned)
    return Channel(
        power=_unless(hit, found, "power", "apower"),
        voltage=_unless(hit, found, "voltage", "voltage"),
        current=_unless(hit, found, "current", "current"),
        frequency=number(found.get("freq")),
        imported=imported,
        exported=returned,
        two_way=two_way,
    )


def _unless(hit: set[str], found: dict[str, Any], what: str, key: str) -> float | None:
    return None if what in hit else number(found.get(key))


def _counter(found: dict[str, Any], key: str) -> float | None:
    value = number(found.get(key))
    return None if value is None else value / _WH
