"""The house second by second: measurements become visible, the policy decides, the house reacts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bridge.simulate.battery import Battery
from bridge.simulate.consumer import Device
from bridge.simulate.meter import Meter, Reading
from bridge.simulate.policy import Known, Report
from bridge.simulate.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.simulate.policy import Factory, Owner, Policy
    from bridge.simulate.scenario import Scenario
    from bridge.simulate.weather import Weather


def play(
    scenario: Scenario,
    weather: Weather,
    make: Factory,
    *,
    owner: Owner | None = None,
    explain: bool = False,
) -> Record:
    """One run under a policy. `explain` keeps its reasons too."""
    known = Known(
        tuple(scenario.consumers),
        scenario.battery,
        weather.import_price,
        weather.export_price,
        owner,
    )
    return _House(scenario, weather, make(known), explain=explain).run()


def idle(scenario: Scenario, weather: Weather) -> Record:
    """The same house without consumers."""
    record = Record(scenario, weather)
    rest = [load - pv for load, pv in zip(weather.load, weather.pv, strict=True)]
    if scenario.battery is None:
        record.grid = rest
        return record
    battery = Battery(scenario.battery)
    record.battery = [battery.step(net) for net in [0.0, *rest[:-1]]]
    record.soc = [battery.soc]  # only its end is asked for
    record.grid = [net - power for net, power in zip(rest, record.battery, strict=True)]
    return record


class _House:
    """The parts of one run; `run` is its hot loop."""

    def __init__(
        self, scenario: Scenario, weather: Weather, policy: Policy, *, explain: bool
    ) -> None:
        self.record = Record(scenario, weather)
        self.policy = policy
        self.explain = explain
        self.devices = [
            Device(index, spec, self.record) for index, spec in enumerate(scenario.consumers)
        ]
        self.by_name = {device.id: device for device in self.devices}
        self.meter = Meter(scenario.meter, scenario.seed)
        self.battery = Battery(scenario.battery) if scenario.battery is not None else None
        self._reporting: dict[int, list[Device]] = {}
        self._cycle = math.lcm(*(device.period for device in self.devices)) if self.devices else 1
        self._told: dict[str, str] = {}

    def run(self) -> Record:
        """Play it."""
        record, policy, meter, battery = self.record, self.policy, self.meter, self.battery
        devices, weather, reporting = self.devices, self.record.weather, self._reporting
        grid, powers, socs = record.grid, record.battery, record.soc
        drawn = net = power = 0.0
        due = 0
        for second, (pv, load) in enumerate(zip(weather.pv, weather.load, strict=True)):
            reading = self._read(second) if second == meter.due else None
            place = second % self._cycle
            speakers = reporting.get(place)
            if speakers is None:
                speakers = self._speakers(place)
            if reading is not None or (speakers and second) or second >= policy.wake:
                reports = (
                    [Report(one.id, one.draw, one.request(second)) for one in speakers]
                    if second
                    else []
                )
                if self._decide(second, reading, reports):
                    due = min(one.due for one in devices)
            if second >= due:
                for device in devices:
                    if second >= device.due:
                        device.step(second)
                drawn = sum([device.draw for device in devices])
                due = min([device.due for device in devices], default=len(weather.pv))
            if battery is not None:
                power = battery.step(net)
                powers.append(power)
                socs.append(battery.soc)
            net = load + drawn - pv
            grid.append(net - power)
        for device in devices:
            device.count(record.seconds)
            record.delivered_wh.append(device.delivered / 3600)
        record.decide_calls, record.decide_s = policy.decide_calls, policy.decide_s
        return record

    def _read(self, second: int) -> Reading:
        record, at = self.record, second - self.meter.lag
        grid = self.meter.read(record.grid[at])
        pv = record.weather.pv[at]
        if self.battery is None:
            return Reading(grid, pv, 0.0, None)
        return Reading(grid, pv, record.battery[at], record.soc[at])

    def _speakers(self, place: int) -> list[Device]:
        found = [device for device in self.devices if place % device.period == 0]
        self._reporting[place] = found
        return found

    def _decide(self, second: int, reading: Reading | None, reports: Sequence[Report]) -> bool:
        """Ask the policy; True when it has sent anything."""
        allowances = self.policy.step(second, reading, reports)
        if self.explain:
            self._explain(second)
        if not allowances:
            return False
        for name, watts in allowances.items():
            self.by_name[name].send(second, watts)
        return True

    def _explain(self, second: int) -> None:
        for name, text in self.policy.reasons.items():
            if self._told.get(name) != text:
                self._told[name] = text
                self.record.reasons.append((second, name, text))
