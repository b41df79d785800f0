"""A consumer that asks for power and obeys an allowance, as an ESP at a socket would. Pure.

Two kinds of time meet here. What travels by MQTT, and how quickly a device reacts, is real time
(`now`, monotonic s); what a device does with its power is the house's time (`dt`).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

from actors.sim.sim_home.models import Car, Cellar, Pool, Tank
from actors.sim.sim_home.settings import ConsumerName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actors.sim.sim_home.models import Model
    from actors.sim.sim_home.settings import ConsumerOverrides

LEASE = 30.0
"""Seconds for which an allowance is good."""
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Spec:
    """What a consumer asks for, and how it moves. W, s, W/s; `ramp` 0 is at once."""

    id: str
    name: str
    request: float
    priority: float
    need: float
    minimum: float = 0.0
    step: float = 0.0
    priority_shift: float = 0.0
    automatic: bool = True
    ignore_reservation: bool = False
    start_delay: float = 0.0
    stop_delay: float = 0.0
    min_on: float = 0.0
    min_off: float = 0.0
    lag: float = 1.0
    ramp: float = 0.0


_SPECS: dict[ConsumerName, tuple[Spec, Callable[[float], Model]]] = {
    "ev": (
        Spec(
            "ev", "EV charger", 11000, 35, 18.0,
            minimum=1380, step=230, priority_shift=1, lag=2.0, ramp=1500.0,
        ),
        Car,
    ),
    "heater": (
        Spec("heater", "Water heater", 3000, 40, 8.0, step=1000, priority_shift=5, lag=0.5),
        Tank,
    ),
    "pump": (Spec("pump", "Pool pump", 750, 50, 5.0, min_on=60), Pool),
    "dehumidifier": (Spec("dehumidifier", "Dehumidifier", 300, 60, 25.0), Cellar),
}  # fmt: skip


class Consumer:
    """One consumer. Without a fresh allowance it draws nothing."""

    def __init__(self, spec: Spec, model: Model) -> None:
        self.spec = spec
        self.model = model
        self.draw = 0.0
        self._heard: float | None = None
        self._coming: deque[tuple[float, float]] = deque()
        self._obeyed = 0.0
        self._stopped = False

    @property
    def id(self) -> str:
        """Its name in the topics."""
        return self.spec.id

    # ---------------------------------------------------------------- what it hears

    def hear_allowance(self, watts: float, now: float) -> None:
        """An Allowance has arrived, live. While the distributor is offline it is not believed."""
        if self._stopped:
            return
        self._heard = now
        self._coming.append((now + self.spec.lag, watts))

    def hear_distributor(self, *, online: bool) -> None:
        """The distributor's status: `offline` ends every allowance at once."""
        self._stopped = not online
        if self._stopped:
            self.forget()

    def forget(self) -> None:
        """Believe no allowance that was heard before now."""
        self._heard = None
        self._coming.clear()
        self._obeyed = 0.0

    def allowed(self, now: float) -> float:
        """W that it obeys now: the newest allowance older than its lag, 0 without a lease."""
        if self._heard is None or now - self._heard > LEASE:
            self.forget()
        while self._coming and self._coming[0][0] <= now + _CLOSE:
            self._obeyed = self._coming.popleft()[1]
        return self._obeyed

    # ---------------------------------------------------------------- what it does

    def level(self, allowance: float) -> float:
        """The power it runs at with an allowance: never more than that."""
        spec = self.spec
        if allowance >= spec.request - _CLOSE:
            return spec.request
        if spec.step <= 0:
            return 0.0
        first = spec.minimum or spec.step
        if allowance < first - _CLOSE:
            return 0.0
        return first + math.floor((allowance - first) / spec.step + _CLOSE) * spec.step

    def step(self, now: float, real: float, dt: float, second: float) -> float:
        """Move on by `real` s of real and `dt` s of house time; returns the draw in W.

        `second` is the local second of the house's day.
        """
        target = self.level(self.allowed(now)) if self.model.wants else 0.0
        self.draw = self._moved(target, real)
        self.model.step(self.draw, dt, second)
        return self.draw

    def _moved(self, target: float, real: float) -> float:
        """It switches on and off at once; between its levels it moves as fast as its ramp."""
        ramp = self.spec.ramp
        first = min(target, self.spec.minimum or self.spec.step or target)
        if target <= 0 or ramp <= 0:
            return target
        if self.draw <= 0:
            return first
        most = ramp * real
        return min(max(target, self.draw - most), self.draw + most)

    # ---------------------------------------------------------------- what it asks

    @property
    def request(self) -> float:
        """W that it could use now."""
        return self.spec.request if self.model.wants else 0.0

    def fields(self) -> dict[str, bool | float | str]:
        """Its request, without Consumption; a field that says nothing is left out."""
        spec = self.spec
        fields: dict[str, bool | float | str] = {
            "CustomName": spec.name,
            "IsAutomatic": spec.automatic,
            "IgnoreBatReservation": spec.ignore_reservation,
            "Priority": spec.priority,
            "PriorityShift": spec.priority_shift,
        }
        optional = {
            "Minimum": spec.minimum,
            "StepSize": spec.step,
            "StartDelay": spec.start_delay,
            "StopDelay": spec.stop_delay,
            "MinOn": spec.min_on,
            "MinOff": spec.min_off,
        }
        fields |= {name: value for name, value in optional.items() if value > 0}
        return fields | {"Request": self.request}


def make_consumers(chosen: Mapping[ConsumerName, ConsumerOverrides]) -> dict[str, Consumer]:
    """The consumers of a house by their ids, in the order of the four."""
    made: dict[str, Consumer] = {}
    for name in get_args(ConsumerName):
        if name not in chosen:
            continue
        spec, model = _SPECS[name]
        given = chosen[name]
        changed = {
            field: value
            for field in given.__struct_fields__
            if (value := getattr(given, field)) is not None
        }
        if "id" in changed and "name" not in changed:
            changed["name"] = changed["id"]
        spec = replace(spec, **changed)
        made[spec.id] = Consumer(spec, model(spec.need))
    return made
