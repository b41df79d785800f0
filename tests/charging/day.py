"""A whole day in virtual time: sun and clouds, the real distributor, the core, a charger, a car."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from actors.distributor.core import Balance, CoreSettings, Distributor
from actors.sim.sim_home.day import GeneratedDays, midnight
from actors.sim.sim_home.house import Battery, BatterySpec, House
from bridge.charging.model import Plan
from bridge.consuming.report import Reporter
from bridge.simulators.car import Car
from bridge.sun import Panels, Place
from tests.charging.rig import Charger, Rig

if TYPE_CHECKING:
    from actors.sim.sim_home.sky import Sky

METER_LAG = 1
PLACE = Place(50.0, 10.0)


@dataclass
class Numbers:
    """What a day came to. kWh, s, W."""

    car: float = 0.0
    imported: float = 0.0  # from the grid while the car charges, as far as the car takes it
    from_battery: float = 0.0
    exported: float = 0.0
    starts: int = 0
    stops: int = 0
    switches: int = 0
    seconds_on: int = 0
    seconds_on_three: int = 0
    shortest_on: float = math.inf  # of those that the sun ended, not a full car
    shortest_off: float = math.inf
    shortest_phase: float = math.inf
    longest_above: int = 0  # s in a row above what was allowed 5 s ago
    without_lease: int = 0
    below_least: int = 0
    writes: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class Day:
    """One day from five to ten o'clock, second by second."""

    def __init__(
        self, sky: Sky, *, seed: int = 1, kwp: float = 12.0, soc: float | None = 90.0, **plan: Any
    ) -> None:
        first = date(2024, 6, 15)
        self.at = midnight(first, PLACE.offset) + 5 * 3600
        panels = Panels(kwp, 35.0, 180.0, kwp * 1000)
        self.source = GeneratedDays(
            place=PLACE, panels=panels, sky=sky, seed=seed, first=first, loop=False
        )
        self.house = House(None if soc is None else Battery(BatterySpec(), soc))
        self.rig = Rig(plan=Plan(**plan), charger=Charger(car=Car(soc=10.0, target=95.0)))
        kept = 0 if soc is None else "max(0, 4000 - 40*SOC)"
        self.core = Distributor(CoreSettings(strategy="surplus", reservation=kept))
        self.reporter = Reporter("EV")
        self.numbers = Numbers()
        self.told: tuple[float, float] | None = None
        self.past: deque[float] = deque(maxlen=6)
        self.seen: deque[Balance] = deque(maxlen=METER_LAG + 1)
        self.paused = False
        self._above = 0
        self._was_on = False
        self._started = -math.inf
        self._phased: float | None = None
        self._wish: Any = None

    def run(self, seconds: int = 17 * 3600) -> Numbers:
        for _ in range(seconds):
            self.second()
        return self.numbers

    def second(self) -> None:
        rig, now = self.rig, self.rig.now
        sample = self.source.sample(self.at)
        self.at += 1.0
        power = rig.charger.power
        flow = self.house.step(1.0, pv=sample.pv, load=sample.load, draws={"ev": power})
        self.seen.append(
            Balance(
                flow.grid,
                flow.pv,
                flow.battery,
                flow.soc,
                pv_metered=True,
                battery_present=self.house.battery is not None,
            )
        )
        self.core.balance(self.seen[0], now)
        verdicts = self.core.decide(now).allowances
        if "ev" in verdicts:
            watts = verdicts["ev"].allowance
            self.numbers.reasons[verdicts["ev"].code] = (
                self.numbers.reasons.get(verdicts["ev"].code, 0) + 1
            )
            if self.told is None or self.told[0] != watts or now >= self.told[1] + 10:
                self.told = (watts, now)
                rig.allow(watts)
        before = rig.charger.switches
        decision = rig.tick()
        said = self.reporter.due(decision.request, rig.now)
        if said:
            self.core.request("ev", said, rig.now)
        self.count(flow, power, rig.charger.switches - before)

    def count(self, flow: Any, power: float, switched: int) -> None:
        numbers, rig = self.numbers, self.rig
        hours = 1 / 3600 / 1000
        numbers.car += power * hours
        numbers.imported += min(power, max(0.0, flow.grid)) * hours
        numbers.from_battery += min(power, max(0.0, flow.battery)) * hours
        numbers.exported += max(0.0, -flow.grid) * hours
        on = rig.state.on
        if on != self._was_on and rig.state.switching is None and not switched:
            if on:
                numbers.starts += 1
                self._started = rig.now
                if numbers.starts > 1:
                    numbers.shortest_off = min(numbers.shortest_off, rig.now - rig.state.off_at)
                self._was_on = True
            elif rig.now >= rig.state.resume_until:
                # Not only the pause of a change of phases.
                numbers.stops += 1
                if rig.state.full_at is None:
                    lasted = rig.state.off_at - self._started
                    numbers.shortest_on = min(numbers.shortest_on, lasted)
                self._was_on = False
        if switched:
            if self._phased is not None:
                numbers.shortest_phase = min(numbers.shortest_phase, rig.now - self._phased)
            self._phased = rig.now
            numbers.switches += switched
        numbers.seconds_on += power > 0
        numbers.seconds_on_three += power > 0 and rig.charger.phases == 3
        self.past.append(rig.allowance.watts if rig.allowance else 0.0)
        above = power > max(self.past) + 1
        self._above = self._above + 1 if above else 0
        numbers.longest_above = max(numbers.longest_above, self._above)
        live = rig.allowance is not None and rig.now <= rig.allowance.at + 30
        numbers.without_lease += power > 0 and not live
        numbers.below_least += 0 < rig.charger.car.current < 6
        wish = rig.decision.wish if rig.decision else None
        numbers.writes += wish != self._wish
        self._wish = wish
