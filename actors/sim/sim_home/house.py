"""The physics of a house: one power balance, a battery with a rule of its own, counters. Pure.

Sources are positive: grid + = import, battery + = discharge, so pv + grid + battery = load +
consumers at every moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_JOULES = 3_600_000.0  # in a kWh


@dataclass(frozen=True, slots=True)
class BatterySpec:
    """A home battery: Wh, W at its terminals, efficiencies 0..1 one way, SoC limits in %.

    `reaction` is the time constant in s with which it follows its rule; 0 is at once.
    """

    capacity: float = 10_000.0
    max_charge: float = 5_000.0
    max_discharge: float = 5_000.0
    eta_charge: float = 0.95
    eta_discharge: float = 0.95
    soc_min: float = 10.0
    soc_max: float = 100.0
    reaction: float = 1.0


class Battery:
    """A battery that charges what is left over and discharges what is missing, by itself."""

    def __init__(self, spec: BatterySpec, soc: float) -> None:
        self.spec = spec
        self.power = 0.0
        self._energy = spec.capacity * min(100.0, max(0.0, soc)) / 100.0

    @property
    def soc(self) -> float:
        """State of charge in %."""
        return min(100.0, max(0.0, 100.0 * self._energy / self.spec.capacity))

    @property
    def stored(self) -> float:
        """Wh inside."""
        return self._energy

    def step(self, net: float, dt: float) -> float:
        """Follow `net` (W the house lacks, negative = has left over) for `dt` s.

        Returns the power at the terminals, + = discharge, held for the whole step.
        """
        spec = self.spec
        wanted = max(-spec.max_charge, min(spec.max_discharge, net))
        if spec.reaction > 0:
            wanted = self.power + (wanted - self.power) * -math.expm1(-dt / spec.reaction)
        hours = dt / 3600.0
        above = max(0.0, self._energy - spec.capacity * spec.soc_min / 100.0)
        room = max(0.0, spec.capacity * spec.soc_max / 100.0 - self._energy)
        most = min(spec.max_discharge, above * spec.eta_discharge / hours)
        least = -min(spec.max_charge, room / spec.eta_charge / hours)
        self.power = max(least, min(most, wanted))
        if self.power >= 0:
            self._energy -= self.power * hours / spec.eta_discharge
        else:
            self._energy -= self.power * hours * spec.eta_charge
        return self.power


@dataclass(slots=True)
class Counters:
    """kWh since the house began; each only rises."""

    pv: float = 0.0
    load: float = 0.0
    consumers: float = 0.0
    grid_import: float = 0.0
    grid_export: float = 0.0
    charge: float = 0.0
    discharge: float = 0.0


@dataclass(frozen=True, slots=True)
class Flow:
    """The powers of one step in W, and the battery's SoC in % after it (None without one)."""

    pv: float = 0.0
    load: float = 0.0
    battery: float = 0.0
    grid: float = 0.0
    soc: float | None = None
    draws: Mapping[str, float] = field(default_factory=dict)

    @property
    def consumers(self) -> float:
        """What all consumers draw together, in W."""
        return sum(self.draws.values())


class House:
    """A house that is moved on step by step; it knows no clock."""

    def __init__(self, battery: Battery | None = None) -> None:
        self.battery = battery
        self.counters = Counters()

    def step(self, dt: float, *, pv: float, load: float, draws: Mapping[str, float]) -> Flow:
        """One step of `dt` > 0 seconds with constant pv, load and draws, all W >= 0."""
        used = load + sum(draws.values())
        battery = self.battery.step(used - pv, dt) if self.battery else 0.0
        grid = used - pv - battery
        self._count(dt, pv, load, used - load, battery, grid)
        soc = self.battery.soc if self.battery else None
        return Flow(pv, load, battery, grid, soc, dict(draws))

    def _count(
        self, dt: float, pv: float, load: float, consumers: float, battery: float, grid: float
    ) -> None:
        counters, share = self.counters, dt / _JOULES
        counters.pv += pv * share
        counters.load += load * share
        counters.consumers += consumers * share
        counters.grid_import += max(0.0, grid) * share
        counters.grid_export += max(0.0, -grid) * share
        counters.discharge += max(0.0, battery) * share
        counters.charge += max(0.0, -battery) * share


# Which share of each draw hangs on L1, L2 and L3; a heater's elements are switched one by one.
_ONE_PHASE: dict[str, int] = {"pump": 1, "dehumidifier": 2}
_LOAD_SHARES = (0.5, 0.3, 0.2)


def phases(flow: Flow) -> tuple[float, float, float]:
    """Split the grid power over L1..L3; they add up to `flow.grid`.

    Panels, battery and car use all three; household and small consumers do not, so that one phase
    may import while another exports, as in a real house.
    """
    even = (flow.battery + flow.pv) / 3.0
    lines = [flow.load * share - even for share in _LOAD_SHARES]
    for name, watts in flow.draws.items():
        if name == "heater":
            rest = watts
            for index in range(3):
                element = min(rest, 1000.0) if index < 2 else rest
                lines[index] += element
                rest -= element
        elif name in _ONE_PHASE:
            lines[_ONE_PHASE[name]] += watts
        else:
            for index in range(3):
                lines[index] += watts / 3.0
    return lines[0], lines[1], flow.grid - lines[0] - lines[1]
