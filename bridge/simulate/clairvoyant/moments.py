"""A day as moments of the same kind: same prices, same hour, same wants, same sun left over.

What is best in a second depends on nothing else, so seconds of a kind are counted, not repeated.
The sun left over is rounded up to the next `STEP` W, which can only raise what is possible.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from bridge.simulate.weather import MINUTE

if TYPE_CHECKING:
    from bridge.simulate.scenario import Scenario
    from bridge.simulate.weather import Weather

STEP: Final = 25.0
_HOUR: Final = 3600


class Moment(NamedTuple):
    """`left`: W of sun after the load (negative: what is lacking); `open`: whose window is."""

    hour: int
    bought: float
    sold: float
    open: tuple[bool, ...]
    left: float


def moments(scenario: Scenario, weather: Weather) -> Counter[Moment]:
    """How many seconds there are of each kind."""
    found: Counter[Moment] = Counter()
    hourly = scenario.battery is not None
    windows = [(one.window_start_s, one.window_end_s) for one in scenario.consumers]
    for minute, (bought, sold) in enumerate(
        zip(weather.import_price, weather.export_price, strict=True)
    ):
        begin = minute * MINUTE
        end = min(begin + MINUTE, len(weather.pv))
        wants = tuple(first < end and begin < last for first, last in windows)
        hour = begin // _HOUR if hourly else 0
        for pv, load in zip(weather.pv[begin:end], weather.load[begin:end], strict=True):
            left = math.ceil((pv - load) / STEP) * STEP
            found[Moment(hour, bought, sold, wants, left)] += 1
    return found
