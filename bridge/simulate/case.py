"""What is played: a scenario, its day, its bound, and the owner's word where there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.simulate.bounds import gain_reference
from bridge.simulate.day import read_day
from bridge.simulate.scenario import read_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.simulate.day import Day
    from bridge.simulate.policy import Owner
    from bridge.simulate.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Case:
    """One day of one house. `bound`: the most that its consumers can gain; None = not computed."""

    scenario: Scenario
    day: Day = field(repr=False)
    bound: float | None = None
    owner: Owner | None = None


def read_case(file: Path) -> Case:
    """The scenario in a file with its day and bound beside it. Raises ScenarioError."""
    scenario = read_scenario(file)
    day = read_day(file.parent / scenario.day_csv)
    return Case(scenario, day, gain_reference(file, scenario.id))
