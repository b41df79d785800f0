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
WATCHDOG = 60.0


class Simulator(RegisterSimulator):
    """`async with Simulator() as sim:` serves one inverter on `sim.port`."""

    silent_for = 0.0

    def units(self) -> Mapping[int, Unit]:
        """One unit with the rows of the table."""
        return {1: Unit(TABLE)}

    def show(self) -> None:
        """Put what the plant does into the registers."""
        self.bank.units[1].put(
            {
                "state": "running",
                "pv_power": self.plant.sun,
                "battery_power": -self.plant.battery,
                "battery_soc": self.plant.soc,
                "temperature": 31.5,
                "pv_energy": self.plant.pv_energy,
            }
        )

    def obey(self, unit: int, address: int, words: list[int]) -> None:  # noqa: ARG002 - any write
        """Any write counts as a sign of life."""
        self.silent_for = 0.0
        self._follow()

    def elapse(self, seconds: float) -> None:
        """The inverter forgets a setpoint that is not repeated."""
        self.silent_for += seconds
        self._follow()

    def _follow(self) -> None:
        rows = self.bank.units[1]
        setpoint = rows["setpoint"]
        remote = rows["mode"] == "remote" and self.silent_for <= WATCHDOG
        self.plant.setpoint = -setpoint if remote and isinstance(setpoint, (int, float)) else None


__all__ = ["FAULTS", "Simulator"]
