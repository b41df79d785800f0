"""How a kind's consumer looks in a simulated house.

Settings of a kind that asks for power have `simulated(actor)`, which gives a `Look`, or None where
they ask for nothing. Who has none is named as left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from bridge.simulate.scenario import ConsumerSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

# Nobody tells what a consumer needs: it takes all that it gets, in Wh a day.
UNLIMITED: Final = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Look:
    """The consumer as it is simulated (None: not at all), and what cannot be: sentences."""

    spec: ConsumerSpec | None
    notes: tuple[str, ...] = ()


class Asking(Protocol):
    """What the settings of every consumer have."""

    @property
    def priority(self) -> float:
        """Smaller first."""
        ...

    @property
    def priority_shift(self) -> float:
        """Added after each grant."""
        ...

    @property
    def min_on(self) -> float:
        """Seconds."""
        ...

    @property
    def min_off(self) -> float:
        """Seconds."""
        ...

    @property
    def start_delay(self) -> float:
        """Seconds."""
        ...

    @property
    def stop_delay(self) -> float:
        """Seconds."""
        ...


def asks(
    consumer: str,
    settings: Asking,
    *,
    least: float,
    most: float,
    step: float = 0.0,
    ignore_reservation: bool = False,
    **more: Any,
) -> Look:
    """A consumer of `least` to `most` W in steps (0: on or off); `more`: of a ConsumerSpec.

    What it needs and what that is worth is filled in by whoever knows the day.
    """
    delays: Mapping[str, float] = {
        "StartDelay": settings.start_delay,
        "StopDelay": settings.stop_delay,
        "IgnoreBatReservation": ignore_reservation,
    }
    fields: dict[str, Any] = {
        "id": consumer,
        "kind": "modulating" if step else "switch",
        "priority": settings.priority,
        "priority_shift": settings.priority_shift,
        "min_w": least,
        "max_w": most,
        "step_w": step,
        "need_wh": UNLIMITED,
        "value_per_kwh": 0.0,
        "start_cost": 0.0,
        "min_on_s": settings.min_on,
        "min_off_s": settings.min_off,
        "response_lag_s": 1,
        "says": {name: value for name, value in delays.items() if value},
    }
    return Look(ConsumerSpec(**fields | more))
