"""What a simulated Deye does with its battery: work mode, limits and time-of-use slots. Pure.

A model of what users and other clients report, not of the maker's firmware: README.md says which
of it is known. W, sources positive.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bridge.simulators.plant import Plant

_GRID = 1


@dataclass(frozen=True, slots=True)
class Slots:
    """The schedule as its registers hold it. days: bit 0 the switch, bits 1-7 Monday to Sunday."""

    days: int
    starts: tuple[str, ...]
    powers: tuple[int, ...]
    socs: tuple[int, ...]
    sources: tuple[int, ...]

    def index(self, now: datetime) -> int | None:
        """The slot of the moment; None while time of use is off. Equal starts: the last one."""
        if not self.days & 1 or not self.days >> (now.weekday() + 1) & 1:
            return None
        order = sorted(range(len(self.starts)), key=lambda index: (self.starts[index], index))
        at = bisect_right([self.starts[index] for index in order], now.strftime("%H:%M"))
        return order[at - 1]


class House:
    """Decides for `plant`: what the battery does, and how much the sun may deliver."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        plant.max_charge = plant.max_discharge = 1_000_000.0

    @property
    def voltage(self) -> float:
        """V of the battery: a little more when it is full."""
        return 50.0 + self.plant.soc * 0.03

    def decide(self, slots: Slots, settings: Mapping[str, Any], now: datetime) -> None:
        """Follow the settings at this moment."""
        plant = self.plant
        plant.pv_limit = None
        most_in = settings["battery_max_charge_current"] * self.voltage
        most_out = settings["battery_max_discharge_current"] * self.voltage
        sells = settings["work_mode"] == "export_first"
        export = settings["max_sell_power"] if sells or settings["solar_sell"] == "on" else 0.0
        bias = 0.0 if sells else settings["zero_export_power"]
        wanted = plant.load - plant.sun - bias
        floor = settings["battery_shutdown_soc"]
        index = slots.index(now)
        if index is not None:
            floor = max(floor, slots.socs[index])
            most_out = min(most_out, slots.powers[index])
            if sells:
                # Selling first empties the battery down to the slot's charge, whatever the load.
                wanted = min(most_out, plant.load - plant.sun + export)
            charging = slots.sources[index] & _GRID and settings["grid_charge_enable"] == "on"
            if charging and plant.soc < slots.socs[index]:
                spare = max(0.0, plant.sun - plant.load)
                grid = settings["grid_charge_current"] * self.voltage
                wanted, floor = -(grid + spare), 0.0
            elif plant.soc <= floor:
                wanted = min(0.0, plant.load - plant.sun - bias)
        plant.min_soc = floor
        plant.setpoint = max(-most_in, min(most_out, wanted))
        if plant.soc <= floor:
            plant.setpoint = min(0.0, plant.setpoint)
        self._curtail(export, bias)

    def _curtail(self, export: float, bias: float) -> None:
        """Less sun where more may not be fed in."""
        plant = self.plant
        most = plant.load - plant.battery + (export or -bias)
        if plant.sun > most:
            plant.pv_limit = max(0.0, most)
