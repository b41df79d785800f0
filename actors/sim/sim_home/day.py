"""Days without end from a seed: what the panels give and the household uses. Pure.

The same seed, date and place give the same watts at every second, asked in any order.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol

from actors.sim.sim_home.household import Household
from actors.sim.sim_home.sky import Clouds
from bridge.sun import clear_sky_power, elevation

if TYPE_CHECKING:
    from actors.sim.sim_home.sky import Sky
    from bridge.sun import Panels, Place

DAY = 86400.0
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment, in W, both at least 0: `pv` is made, `load` is used (uncontrolled)."""

    pv: float
    load: float


class Source(Protocol):
    """Where a house's sun and load come from.

    `begin` and `end` are UTC seconds of the Unix epoch; the source is asked for nothing outside.
    """

    @property
    def begin(self) -> float:
        """The first moment there is."""

    @property
    def end(self) -> float:
        """The moment at which it is over; infinite when the next day always follows."""

    def sample(self, at: float) -> Sample:
        """What is at the UTC second `at`."""


def midnight(day: date, offset: float) -> float:
    """The UTC second of the Unix epoch at which a local day begins."""
    return (day.toordinal() - _EPOCH) * DAY - offset


class _Day:
    """One local day, counted in days since the epoch."""

    def __init__(self, number: int, seed: int, sky: Sky, place: Place) -> None:
        self.number = number
        day = datetime.fromtimestamp(number * DAY, UTC).date()
        begin = midnight(day, place.offset)
        self.clouds = Clouds(random.Random(f"sky {seed} {number}"), sky)
        self.household = Household(
            random.Random(f"household {seed} {number}"),
            weekend=day.weekday() >= 5,
            dark=_daylight(place, begin),
        )


def _daylight(place: Place, begin: float) -> tuple[float, float]:
    """The local hours between which it is bright enough indoors; (12, 12) in a polar night."""
    bright = [
        quarter / 4.0 for quarter in range(96) if elevation(place, begin + quarter * 900.0) > 3.0
    ]
    return (bright[0], bright[-1]) if bright else (12.0, 12.0)


class GeneratedDays:
    """A `Source` of generated days, from `first` on; only that one unless `loop`."""

    def __init__(
        self, *, place: Place, panels: Panels, sky: Sky, seed: int, first: date, loop: bool = True
    ) -> None:
        self.begin = midnight(first, place.offset)
        self.end = float("inf") if loop else self.begin + DAY
        self._place, self._panels = place, panels
        self._sky, self._seed = sky, seed
        self._day: _Day | None = None

    def sample(self, at: float) -> Sample:
        """PV and load at the UTC second `at`."""
        number, second = divmod(at + self._place.offset, DAY)
        if self._day is None or self._day.number != number:
            self._day = _Day(int(number), self._seed, self._sky, self._place)
        clear = clear_sky_power(self._place, self._panels, at)
        pv = min(self._panels.limit, clear * self._day.clouds.share(second))
        return Sample(pv, self._day.household.power(second))
