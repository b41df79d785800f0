"""Reads `/status` of the first generation: EM, 3EM, plugs and relays. Pure.

Emeters count Wh; the meters of plugs and relays count watt-minutes. A phase with `is_valid` false
is discarded, and with it the device's own total, which leaves that phase out.
"""

from __future__ import annotations

from typing import Any

from actors.devices.shelly.document import flag, number, part, parts
from actors.devices.shelly.reading import Channel, Reading, add_up

_WH = 1000.0
_WATT_MINUTES = 60_000.0
_PHASES = 3


def read_gen1(status: dict[str, Any]) -> Reading:
    """Decode one `/status`."""
    emeters = parts(status, "emeters")
    outputs = dict(enumerate(flag(each.get("ison")) for each in parts(status, "relays")))
    if emeters:
        lines = [_emeter(each) for each in emeters]
        phases = len(lines) == _PHASES
        return Reading(
            channels=dict(enumerate(lines)),
            phases=phases,
            total=_total(status, emeters, lines) if phases else None,
            clamps=True,
            outputs=outputs,
            temperature=_temperature(status),
        )
    # A relay without a meter has an entry too, with a power that its owner typed in: no counter.
    meters = {
        index: _meter(each)
        for index, each in enumerate(parts(status, "meters"))
        if "total" in each or "counters" in each
    }
    return Reading(channels=meters, outputs=outputs, temperature=_temperature(status))


def _valid(meter: dict[str, Any]) -> bool:
    return flag(meter.get("is_valid", True)) is True


def _emeter(meter: dict[str, Any]) -> Channel:
    if not _valid(meter):
        return Channel(two_way=True)
    return Channel(
        power=number(meter.get("power")),
        voltage=number(meter.get("voltage")),
        current=number(meter.get("current")),
        imported=_counter(meter, "total", _WH),
        exported=_counter(meter, "total_returned", _WH),
        two_way=True,
    )


def _total(status: dict[str, Any], emeters: list[dict[str, Any]], lines: list[Channel]) -> Channel:
    own = number(status.get("total_power")) if all(map(_valid, emeters)) else None
    return add_up(lines, Channel(power=own))


def _meter(meter: dict[str, Any]) -> Channel:
    if not _valid(meter):
        return Channel()
    return Channel(
        power=number(meter.get("power")),
        voltage=number(meter.get("voltage")),
        current=number(meter.get("current")),
        imported=_counter(meter, "total", _WATT_MINUTES),
    )


def _counter(meter: dict[str, Any], key: str, divisor: float) -> float | None:
    found = number(meter.get(key))
    return None if found is None else found / divisor


def _temperature(status: dict[str, Any]) -> float | None:
    inner = part(status, "tmp")
    if inner and not _valid(inner):
        return None
    found = number(inner.get("tC"))
    return number(status.get("temperature")) if found is None else found
