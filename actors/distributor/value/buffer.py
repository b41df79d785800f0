"""The home battery as the buffer between sun and consumers: how much it should take or give now.

A battery answers at once, a relay should not. So while there is charge to give, consumers follow
the mean of the sun, and the charge is steered slowly to a target a little above the part that its
owner values more than the consumer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from actors.distributor.balance import SiteValues
    from actors.distributor.value.money import Storage

# % of charge above the edge: what passing clouds take. A start waits for a little more, and what
# runs is kept until it is gone.
ROOM: Final = 5.0
STARTS_ABOVE: Final = 1.0
STOPS_BELOW: Final = 5.0
_SLOPE: Final = 400.0  # W for each % that the charge is away from its target
# A battery that leaves so many W to the grid for so many s does not answer. It is counted on again
# after a while, each time a longer one, and once it is seen at work.
_LEFT: Final = 300.0
_PATIENCE: Final = 60.0
_ABSENT: Final = 600.0
_LONGEST: Final = 14_400.0
_WORKS: Final = 100.0
_FULL: Final = 1.0


def target(storage: Storage, edge: float, share: float) -> float:
    """The charge (%) aimed at for a consumer; `share` 1: of the highest value, 0: of none.

    The less its kWh is worth beside the best use of the store, the fuller the battery has to be.
    """
    room = min(ROOM, (storage.soc_max - edge) / 2)
    return edge + room + (storage.soc_max - edge - room) * (1 - share)


def kept(storage: Storage, aim: float, soc: float) -> float:
    """W of the mean surplus that are not for consumers now; negative: the battery adds to it."""
    watts = (aim - soc) * _SLOPE
    return max(-storage.max_discharge, min(storage.max_charge, watts))


@dataclass(slots=True)
class Answers:
    """Whether the battery does what a buffer does; one that is on hold, or at its limit, does not.

    Then nobody may count on it: consumers follow the sun itself.
    """

    _since: float | None = None  # it does not answer since
    _absent: bool = False
    _absent_until: float = -math.inf  # at least
    _pause: float = _ABSENT

    def buffers(self, storage: Storage, known: SiteValues, now: float) -> bool:
        """Whether it can be counted on, by what is measured at this moment."""
        if not storage.usable(known.soc):
            return False
        leaves = _leaves(storage, known)
        if self._absent:
            if leaves:
                self._absent_until = max(self._absent_until, now + _ABSENT)
            if now < self._absent_until or not _works(known):
                return False
            self._absent = False
        if not leaves:
            self._since = None
        elif self._since is None:
            self._since = now
        elif now >= self._since + _PATIENCE:
            self._leave(now)
        return not self._absent

    def forget(self) -> None:
        """The meter was silent: what the battery did meanwhile is unknown."""
        self._since = None

    def _leave(self, now: float) -> None:
        """A house that it lets down again and again buys each time, and wears a switch."""
        again = now < self._absent_until + _LONGEST
        self._pause = min(_LONGEST, 2 * self._pause) if again else _ABSENT
        self._since, self._absent, self._absent_until = None, True, now + self._pause


def _leaves(storage: Storage, known: SiteValues) -> bool:
    """Whether the grid bears what the battery could."""
    grid, battery, soc = known.grid, known.battery, known.soc
    if grid is None or battery is None or soc is None:
        return False
    if grid > _LEFT:
        return battery < storage.max_discharge - _LEFT
    room = soc < storage.soc_max - _FULL
    return grid < -_LEFT and room and battery > _LEFT - storage.max_charge


def _works(known: SiteValues) -> bool:
    """Whether it gives or takes more than the grid does. At rest, nobody can tell."""
    grid, battery = known.grid, known.battery
    return grid is not None and battery is not None and abs(battery) > max(_WORKS, abs(grid))
