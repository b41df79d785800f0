"""From an answer of any Shelly to quantities, by the role that the meter has in the house. Pure.

Signs, as everywhere: a grid meter's + is import, a PV meter's + is production, a load's or
device's + is consumption. `invert` turns a clamp that was mounted the other way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from actors.devices.shelly.gen1 import read_gen1
from actors.devices.shelly.gen2 import read_gen2
from actors.devices.shelly.reading import Channel, Reading, add_up
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from actors.devices.shelly.identity import Identity

Role = Literal["grid", "pv", "load", "device"]
Which = int | Literal["all"] | None
Values = dict[str, float | None]

_MOST_PHASES = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """The lines that were asked for, turned the right way: their total, and each by its phase."""

    total: Channel
    phases: dict[int, Channel]


def decode(identity: Identity, status: dict[str, Any]) -> Reading:
    """Read one full status of whichever generation."""
    return read_gen2(status) if identity.rpc else read_gen1(status)


def select(reading: Reading, which: Which, phase: int | None, *, invert: bool) -> Measured | None:
    """Take the channel the owner means; None when the device measures nothing.

    A three-phase meter is taken whole, a plug's first channel is taken. Several separate clamps
    are never guessed at: one may be the grid and the next one a heater. Raises DeviceRefused
    with half a sentence when the owner has to say it or named a channel that is not there.
    """
    channels = reading.channels
    if not channels:
        if isinstance(which, int) and which not in reading.outputs:
            raise DeviceRefused(f"has no channel {which}")
        return None
    if which is None and reading.clamps and not reading.phases and len(channels) > 1:
        known = " or ".join(map(str, channels))
        raise DeviceRefused(
            f"has {len(channels)} separate clamps: set `channel` to {known}, or to all when they "
            f"are the phases of one line"
        )
    if which == "all" or (which is None and reading.phases):
        lines = list(channels.values())
        if len(lines) > _MOST_PHASES:
            raise DeviceRefused(
                f"has {len(lines)} meters, which cannot be the phases of one line: "
                f"set `channel` to the number of one"
            )
        total = reading.total or add_up(lines)
        named = dict(enumerate(lines, start=1))
    else:
        number = min(channels) if which is None else which
        if number not in channels:
            known = ", ".join(map(str, channels))
            raise DeviceRefused(f"has no meter on channel {number}; it has {known}")
        total = channels[number]
        where = phase or (number + 1 if reading.phases else None)
        named = {where: total} if where is not None else {}
    if not invert:
        return Measured(total, named)
    return Measured(_turned(total), {index: _turned(line) for index, line in named.items()})


def _turned(line: Channel) -> Channel:
    power = None if line.power is None else 0.0 - line.power
    if not line.two_way:
        return replace(line, power=power)
    return replace(line, power=power, imported=line.exported, exported=line.imported)


def quantities(role: Role, measured: Measured) -> Values:
    """Give the values of one reading under the names that the role gives them."""
    if role == "grid":
        return _grid(measured)
    if role == "pv":
        return _pv(measured)
    total, phases = measured.total, measured.phases
    found: Values = {"Frequency": total.frequency}
    if role == "load":
        found |= {"LoadPower": total.power, "LoadEnergy": total.imported}
        found |= {f"LoadPowerL{index}": line.power for index, line in phases.items()}
    else:
        found |= {"Power": total.power, "Energy": total.imported}
        found |= {f"PowerL{index}": line.power for index, line in phases.items()}
        if total.two_way:
            found["ReturnedEnergy"] = total.exported
    if not phases:
        found |= {"Voltage": total.voltage, "Current": total.current}
    for index, line in phases.items():
        found |= {f"VoltageL{index}": line.voltage, f"CurrentL{index}": line.current}
    return found


def _grid(measured: Measured) -> Values:
    total = measured.total
    found: Values = {"GridPower": total.power, "GridFrequency": total.frequency}
    found |= {"GridImportEnergy": total.imported, "GridExportEnergy": total.exported}
    for index, line in (measured.phases or {1: total}).items():
        found[f"GridPowerL{index}"] = line.power
        found[f"GridVoltageL{index}"] = line.voltage
        found[f"GridCurrentL{index}"] = _directed(line)
    return found


def _pv(measured: Measured) -> Values:
    """A meter that tells directions apart counts what comes from the panels as negative."""
    total = _produced(measured.total)
    found: Values = {"PvPower": total.power, "PvEnergy": total.imported}
    found["Frequency"] = total.frequency
    for index, line in (measured.phases or {1: measured.total}).items():
        own = _produced(line)
        found[f"PvPowerL{index}"] = own.power
        found[f"PvVoltageL{index}"] = own.voltage
        found[f"PvCurrentL{index}"] = _directed(own)
    return found


def _produced(line: Channel) -> Channel:
    return _turned(line) if line.two_way else line


def _directed(line: Channel) -> float | None:
    """A Shelly's current has no sign: it takes that of the power."""
    if line.current is None or line.power is None or not line.two_way:
        return line.current
    return math.copysign(line.current, line.power)
