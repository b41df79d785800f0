"""What happened in a run: series by second, and lists of changes for what changes seldom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.simulate.scenario import Scenario
    from bridge.simulate.weather import Weather


@dataclass(slots=True)
class Record:
    """Series by second: `grid`, `battery` in W (signs as everywhere), `soc` in %, both at its end.

    Without a battery the last two are empty. Changes are (second, index of the consumer, value) in
    order of time: what was sent (`allowances`), what was in force at the device (`effective`) and
    drawn (W), whether it wanted power and was on; `missing` are the seconds of minimum on or off
    time that an early switch cut, `phases` the number of phases after a change of phase.
    """

    scenario: Scenario
    weather: Weather
    grid: list[float] = field(default_factory=list)
    battery: list[float] = field(default_factory=list)
    soc: list[float] = field(default_factory=list)
    allowances: list[tuple[int, int, float]] = field(default_factory=list)
    effective: list[tuple[int, int, float]] = field(default_factory=list)
    draws: list[tuple[int, int, float]] = field(default_factory=list)
    wanting: list[tuple[int, int, bool]] = field(default_factory=list)
    switches: list[tuple[int, int, bool]] = field(default_factory=list)
    missing: list[tuple[int, int, float]] = field(default_factory=list)
    phases: list[tuple[int, int, int]] = field(default_factory=list)
    reasons: list[tuple[int, str, str]] = field(default_factory=list)
    delivered_wh: list[float] = field(default_factory=list)
    decide_calls: int = 0
    decide_s: float = 0.0

    @property
    def seconds(self) -> int:
        """How long the run was."""
        return len(self.grid)
