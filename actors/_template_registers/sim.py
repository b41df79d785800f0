"""A simulated inverter that serves the same table, with a sun, a battery and its faults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bridge.registers import load_map
from bridge.simulators.bank import Unit
from bridge.simulators.device import FAULTS, RegisterSimulator

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = load_map(Path(__file__).parent / "registers.yaml")
UNIT = TABLE.unit


class Simulator(RegisterSimulator):
    """`async with Simulator() as sim:` serves one inverter on `sim.port`."""

    watchdog = 60.0  # s after which it forgets a setpoint
    silent_for = 0.0

    def units(self) -> Mapping[int, Unit]:
        """One unit with the rows of the table."""
        return {UNIT: Unit(TABLE)}

    def show(self) -> None:
        """Put what the plant does into the registers."""
        self.bank.units[UNIT].put(
            {
                "state": "running",
                "pv_power": self.plant.sun,
                "battery_power": -self.plant.battery,
                "battery_soc": self.plant.soc,
                "temperature": 31.5,
                "pv_energy": self.plant.pv_energy,
            }
        )

    def obey(self, unit: int, address: int, words: list[int]) -> None:  # noqa: ARG002 - one unit
        """Only a write of the setpoint itself is a sign of life."""
        if TABLE["setpoint"].address in range(address, address + len(words)):
            self.silent_for = 0.0
        self._follow()

    def elapse(self, seconds: float) -> None:
        """The inverter forgets a setpoint that is not repeated."""
        self.silent_for += seconds
        self._follow()

    def _follow(self) -> None:
        rows = self.bank.units[UNIT]
        setpoint = rows["setpoint"]
        remote = rows["mode"] == "remote" and self.silent_for <= self.watchdog
        self.plant.setpoint = -setpoint if remote and isinstance(setpoint, (int, float)) else None


__all__ = ["FAULTS", "Simulator"]
