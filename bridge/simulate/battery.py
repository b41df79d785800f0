"""The home battery, which follows its own rule: it covers what the house lacked a second ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.simulate.scenario import BatterySpec

_SECONDS = 3600.0


class Battery:
    """Energy in watt-seconds; `soc` in %. Power + = discharge, as everywhere."""

    __slots__ = (
        "_capacity", "_charge", "_discharge", "_eta_in", "_eta_out", "_least", "_most", "energy",
    )  # fmt: skip

    def __init__(self, spec: BatterySpec) -> None:
        self._capacity = spec.capacity_wh * _SECONDS
        self._least = self._capacity * spec.soc_min / 100
        self._most = self._capacity * spec.soc_max / 100
        self._charge, self._discharge = spec.max_charge_w, spec.max_discharge_w
        self._eta_in, self._eta_out = spec.eta_charge, spec.eta_discharge
        self.energy = self._capacity * spec.soc_start / 100

    @property
    def soc(self) -> float:
        """State of charge, %."""
        return 100 * self.energy / self._capacity

    def step(self, net: float) -> float:
        """One second in answer to `net` (W that the house lacked, negative = had over)."""
        if net >= 0:
            power = min(net, self._discharge, (self.energy - self._least) * self._eta_out)
            if power <= 0:
                return 0.0
            self.energy -= power / self._eta_out
            return power
        power = min(-net, self._charge, (self._most - self.energy) / self._eta_in)
        if power <= 0:
            return 0.0
        self.energy += power * self._eta_in
        return -power
