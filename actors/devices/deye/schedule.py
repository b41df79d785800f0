"""A Deye's time-of-use schedule as one line of text, and back. Pure.

`00:00 8000W 30% grid; 05:00 8000W 30%; …`: six slots, each with its start (the inverter's local
time), the most that the battery discharges (W), the charge that it is discharged to (%) and, where
a source is named, charged to. A slot runs until the next one starts, the last until the first.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.registers.model import Value

SLOTS: Final = 6
SOURCES: Final = ("none", "grid", "generator", "grid+generator")
EXAMPLE: Final = "05:00 8000W 30% grid"
_SLOT = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})\s+(?P<power>\d{1,5})\s*W\s+(?P<soc>\d{1,3})\s*%"
    r"(?:\s+(?P<source>[a-z+]+))?",
    re.IGNORECASE,
)
_MOST_POWER = 0xFFFF


@dataclass(frozen=True, slots=True)
class Slot:
    """start: `HH:MM`; power: W; soc: %; source: one of SOURCES."""

    start: str
    power: int
    soc: int
    source: str = "none"

    def __str__(self) -> str:
        text = f"{self.start} {self.power}W {self.soc}%"
        return text if self.source == "none" else f"{text} {self.source}"


def parse(text: str) -> tuple[Slot, ...]:
    """Read the six slots. Raises DeviceError with one sentence that names what is wrong."""
    parts = [part.strip() for part in text.strip().rstrip(";").split(";")]
    if len(parts) != SLOTS:
        sentence = f"a schedule has {SLOTS} slots with ';' between them, not {len(parts)}"
        raise DeviceError(f"{sentence}: a slot is such as '{EXAMPLE}'")
    slots = tuple(map(_slot, parts))
    starts = [slot.start for slot in slots]
    turns = sum(this > following for this, following in itertools.pairwise(starts))
    # Counted round the clock: the day may begin in any slot, but only once.
    if turns + (starts[-1] > starts[0]) > 1:
        raise DeviceError("the slots of a schedule start one after the other round the clock")
    return slots


def show(slots: Sequence[Slot]) -> str:
    """The slots in one line, as `parse` reads it."""
    return "; ".join(map(str, slots))


def rows_of(slots: Sequence[Slot]) -> dict[str, float | str]:
    """Row -> value for a schedule."""
    found: dict[str, float | str] = {}
    for number, slot in enumerate(slots, start=1):
        found[f"tou{number}_start"] = slot.start
        found[f"tou{number}_power"] = float(slot.power)
        found[f"tou{number}_soc"] = float(slot.soc)
        found[f"tou{number}_charge_source"] = slot.source
    return found


def slots_in(rows: Mapping[str, Value | None]) -> tuple[Slot, ...] | None:
    """The schedule that rows hold; None when one of them is unknown or makes no sense."""
    slots = []
    for number in range(1, SLOTS + 1):
        start, power, soc, source = (
            rows.get(f"tou{number}_{part}") for part in ("start", "power", "soc", "charge_source")
        )
        if not (isinstance(start, str) and isinstance(source, str)):
            return None
        if not (isinstance(power, (int, float)) and isinstance(soc, (int, float))):
            return None
        slots.append(Slot(start, round(power), round(soc), source))
    return tuple(slots)


def _slot(text: str) -> Slot:
    found = _SLOT.fullmatch(text)
    if found is None:
        raise DeviceError(f"'{text}' is no slot of a schedule: write it such as '{EXAMPLE}'")
    hour, minute, power, soc = (int(found[name]) for name in ("hour", "minute", "power", "soc"))
    if hour > 23 or minute > 59:  # noqa: PLR2004 - a clock
        raise DeviceError(f"'{text}': {found['hour']}:{found['minute']} is no time of day")
    if power > _MOST_POWER:
        raise DeviceError(f"'{text}': a slot takes at most {_MOST_POWER} W")
    if soc > 100:  # noqa: PLR2004 - percent
        raise DeviceError(f"'{text}': a battery is charged to 100 % at most")
    source = (found["source"] or "none").lower()
    if source not in SOURCES:
        raise DeviceError(f"'{text}': {source} is not one of {', '.join(SOURCES)}")
    return Slot(f"{hour:02}:{minute:02}", power, soc, source)
