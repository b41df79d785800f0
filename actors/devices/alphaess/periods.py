"""When a system charges from the grid and discharges: two periods each and a level. Pure.

A side is written as a whole: `on`, the level in whole % where it stops, and two periods on the grid
of quarter hours. The service takes other times too and the inverter ignores them, so they are
refused here. A period whose start is its end is switched off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess.decode import number
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

Period = tuple[int, int]
"""Start and end in minutes after midnight, local time of the system; equal: off."""

OFF: Final[Period] = (0, 0)
OFF_WORD: Final = "off"
EXAMPLE: Final = "'01:00-05:15' or '01:00-05:15, 13:00-15:00' or 'off'"
DAY: Final = 24 * 60
_GRID: Final = 15
_PERIOD: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?\Z")
_PERIODS: Final = 2


@dataclass(frozen=True, slots=True)
class Fields:
    """What the service calls the parts of one side."""

    on: str
    stop: str
    times: tuple[tuple[str, str], tuple[str, str]]


CHARGE: Final = Fields(
    "gridCharge", "batHighCap", (("timeChaf1", "timeChae1"), ("timeChaf2", "timeChae2"))
)
DISCHARGE: Final = Fields(
    "ctrDis", "batUseCap", (("timeDisf1", "timeDise1"), ("timeDisf2", "timeDise2"))
)


@dataclass(frozen=True, slots=True)
class Side:
    """One side as it is set. stop: %."""

    on: bool
    stop: int
    periods: tuple[Period, Period]

    @property
    def text(self) -> str:
        """The periods in one line, as `with_periods` reads them."""
        return ", ".join(map(shown, filter(_runs, self.periods))) or OFF_WORD

    def with_periods(self, text: str) -> Side:
        """With other periods; their order does not matter. Raises DeviceRefused."""
        wanted = periods(text)
        return self if running(wanted) == running(self.periods) else replace(self, periods=wanted)

    def with_stop(self, level: float) -> Side:
        """With another level. Raises DeviceRefused."""
        return replace(self, stop=stop_level(level))


def clock(minutes: int) -> str:
    """`01:15` for 75."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def shown(period: Period) -> str:
    """`01:00-05:15`."""
    return f"{clock(period[0])}-{clock(period[1])}"


def running(both: tuple[Period, Period]) -> frozenset[Period]:
    """Those that are not off."""
    return frozenset(filter(_runs, both))


def _runs(period: Period) -> bool:
    return period[0] != period[1]


def read(raw: Any, fields: Fields) -> Side | None:
    """What the service tells of one side; None where it has nothing (newer models).

    Raises DeviceGarbled for half of it.
    """
    if raw is None or raw == []:
        return None
    if not isinstance(raw, dict):
        raise DeviceGarbled("does not tell its settings")
    names = (fields.on, fields.stop, *(name for pair in fields.times for name in pair))
    if all(raw.get(name) in (None, "") for name in names):
        return None
    on, stop = number(raw, fields.on), number(raw, fields.stop)
    if on is None or stop is None:
        raise DeviceGarbled("tells only a part of its settings")
    first, second = ((told_time(raw, start), told_time(raw, end)) for start, end in fields.times)
    return Side(on != 0, round(stop), (first, second))


def told_time(raw: Mapping[str, Any], name: str) -> int:
    """Minutes after midnight, also off the grid, as the service tells them.

    Raises DeviceGarbled.
    """
    text = raw.get(name)
    found = _TIME.match(text.strip()) if isinstance(text, str) else None
    # The app writes midnight as 24:00 in places.
    if found is None or (minutes := int(found[1]) * 60 + int(found[2])) > DAY:
        raise DeviceGarbled(f"has no time of day in {name}")
    return minutes % DAY


def body(side: Side, fields: Fields) -> dict[str, Any]:
    """The whole set, as it is sent."""
    told: dict[str, Any] = {fields.on: int(side.on), fields.stop: side.stop}
    for (start, end), period in zip(fields.times, side.periods, strict=True):
        told |= {start: clock(period[0]), end: clock(period[1])}
    return told


# -------------------------------------------------------------------- what owners write


def stop_level(level: float) -> int:
    """A level in whole %. Raises DeviceRefused, with the reason."""
    if 0 < level < 1:
        sentence = f"a level of {level:g} would mean {level:g} %: write {level * 100:g} for "
        raise DeviceRefused(f"{sentence}{level * 100:g} %")
    if not 0 <= level <= 100:  # noqa: PLR2004 - percent
        raise DeviceRefused(f"a level of {level:g} % is not between 0 and 100 %")
    if level != round(level):
        raise DeviceRefused(f"a level of {level:g} % is not taken: it must be a whole number")
    return round(level)


def quarter(hour: str, minute: str) -> int:
    """Minutes after midnight. Raises DeviceRefused for times off the grid of quarter hours."""
    text = f"{hour}:{minute}"
    if int(hour) > 23 or int(minute) > 59:  # noqa: PLR2004 - a clock
        raise DeviceRefused(f"{text} is no time of day from 00:00 to 23:45")
    if int(minute) % _GRID:
        raise DeviceRefused(f"{text} is no quarter hour: the inverter would ignore it")
    return int(hour) * 60 + int(minute)


def period(text: str) -> Period:
    """One period, or `off`. Raises DeviceRefused."""
    if text.strip().lower() == OFF_WORD:
        return OFF
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        raise DeviceRefused(f"'{text.strip()[:40]}' is no period: write it like {EXAMPLE}")
    return quarter(found[1], found[2]), quarter(found[3], found[4])


def periods(text: str) -> tuple[Period, Period]:
    """None to two periods. Raises DeviceRefused."""
    parts = [period(part) for part in re.split("[,;]", text) if part.strip()]
    if not parts:
        raise DeviceRefused(f"a period is missing: write it like {EXAMPLE}")
    if len(parts) > _PERIODS:
        raise DeviceRefused(f"there are two periods, not {len(parts)}")
    first, second = (*parts, OFF, OFF)[:2]
    apart(first, second)
    return first, second


def apart(first: Period, second: Period) -> None:
    """Raise DeviceRefused when two periods overlap."""
    pieces = [_pieces(each) for each in (first, second)]
    if any(a < d and c < b for a, b in pieces[0] for c, d in pieces[1]):
        raise DeviceRefused(f"the periods {shown(first)} and {shown(second)} overlap")


def _pieces(each: Period) -> list[Period]:
    start, end = each
    if start == end:
        return []
    return [(start, end)] if start < end else [(start, DAY), (0, end)]


NOTHING: Final = Side(on=False, stop=0, periods=(OFF, OFF))
"""Some side, to try a change on."""
