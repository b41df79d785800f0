"""What deciding by value is made of, each idea by itself: so that it can be left out and measured.

Each is a policy of `heliograph simulate`: `heliograph-without-{name}`. `make control` plays them
all. An idea that joins `Tuning` joins this list, with what turns it off.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.distributor.value.tuning import Tuning

# Longer than any day; not infinite, for it is multiplied.
_FOREVER: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """One idea. `sentence`: what happens without it; `change`: the fields of Tuning that do that.

    `by_value`: who is worth most per kWh is asked first, not who has the first priority.
    """

    name: str
    sentence: str
    change: Mapping[str, float | bool] = field(default_factory=dict)
    by_value: bool = False

    def leave_out(self, tuning: Tuning) -> Tuning:
        """The figures without it."""
        return replace(tuning, **self.change)  # type: ignore[arg-type]  # fields by their names


IDEAS: Final = (
    Idea(
        name="belief",
        sentence="the present surplus is taken to last, whatever the last minutes were like",
        change={"hold": _FOREVER, "learns": False},
    ),
    Idea(
        name="learning",
        sentence="how long a state of the sky lasts is not learned: 150 s",
        change={"learns": False},
    ),
    Idea(
        name="lasting",
        sentence="a run is weighed over an hour, however steady the sun",
        change={"lasts": 1.0},
    ),
    Idea(
        name="lead",
        sentence="levels aim at the surplus of now, not at where it is moving",
        change={"lead": 0.0},
    ),
    Idea(
        name="patience",
        sentence="a kWh counts in full now, though a better hour may come",
        change={"eager": 1.0},
    ),
    Idea(
        name="yielding",
        sentence="what modulates never makes room for a newcomer",
        change={"yields": 0.0},
    ),
    Idea(
        name="break-even",
        sentence="a step is taken only when the sun covers all of it",
        change={"break_even": False},
    ),
    Idea(
        name="storage",
        sentence="the battery is no buffer: consumers follow the sun itself",
        change={"storage": False},
    ),
    Idea(
        name="wear",
        sentence="a switch costs nothing beyond the owner's `start_cost`",
        change={"wear": 0.0},
    ),
    Idea(
        name="dead-band",
        sentence="each better level is sent, however little it gains",
        change={"write_cost": 0.0},
    ),
    Idea(
        name="write-gap",
        sentence="a level may follow the last one at once",
        change={"gap": 0.0},
    ),
    Idea(
        name="settling",
        sentence="what has just changed counts as an error at once",
        change={"settle": 0.0, "responds": False},
    ),
    Idea(
        name="priority",
        sentence="the highest value per kWh is asked first, not the owner's priority",
        by_value=True,
    ),
)
