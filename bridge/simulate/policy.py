"""Who decides in a simulated house: what a policy is told, what it answers, and which there are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from bridge.config.kinds import all_kinds
from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from bridge.simulate.meter import Reading
    from bridge.simulate.scenario import BatterySpec, ConsumerSpec

DEFAULT: Final = "heliograph"
DO_NOTHING: Final = "do_nothing"


class Report(NamedTuple):
    """What a consumer says: what it drew in the second before, and what it asks for now, W."""

    consumer: str
    consumption: float
    request: float


@dataclass(frozen=True, slots=True)
class Owner:
    """A configuration's word: the settings of its distributor, and its rules for consumers."""

    settings: Any
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What an owner has told beforehand: consumers, battery, prices per kWh by minute.

    The prices of the day are published a day ahead. Neither sun nor load are known. A policy that
    heeds `owner` says so by `hears_owner = True` in its class.
    """

    consumers: tuple[ConsumerSpec, ...]
    battery: BatterySpec | None
    import_price: Sequence[float]
    export_price: Sequence[float]
    owner: Owner | None = None


class Policy(Protocol):
    """Decides who may draw how much. `decide_s` is the processor time of its decisions.

    `wake`: the second from which on time alone may change a decision; math.inf = none.
    """

    wake: float
    decide_calls: int
    decide_s: float

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why, by consumer, as told last."""

    def step(
        self, second: int, reading: Reading | None, reports: Sequence[Report]
    ) -> Mapping[str, float] | None:
        """Allowances in W by consumer, or None when nothing changes. Who is left out keeps his."""


class DoNothing:
    """Nobody gets anything."""

    def __init__(self, known: Known) -> None:
        del known
        self.wake = math.inf
        self.decide_calls = 0
        self.decide_s = 0.0
        self.reasons: dict[str, str] = {}

    def step(
        self, second: int, reading: Reading | None, reports: Sequence[Report]
    ) -> Mapping[str, float] | None:
        """Nothing, ever."""
        del second, reading, reports
        return None


if TYPE_CHECKING:
    Factory: TypeAlias = Callable[[Known], Policy]


def policies() -> dict[str, Factory]:
    """Every policy by name: doing nothing, and those that the kinds bring (`policies.py`)."""
    found: dict[str, Any] = {DO_NOTHING: DoNothing}
    for kind in all_kinds().values():
        module = kind.policies()
        if module is not None:
            found |= module.POLICIES
    return found


def find_policy(name: str) -> Factory:
    """The policy of that name. Raises ScenarioError when there is none."""
    known = policies()
    if name not in known:
        raise ScenarioError(f"there is no policy {name!r}; there are {', '.join(sorted(known))}")
    return known[name]
