"""What the tables cannot say about controlling an SMA inverter. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceError
from bridge.registers.controls import Step, TableRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.registers.controls import Asked
    from bridge.registers.model import Value

WHY_NOT: Final = "it may be full, empty or limited, or a Sunny Home Manager steers it too"
"""What may keep a battery from following."""


class Setpoint(TableRecipe):
    """`BatterySetpoint`: only what the inverter says that its battery takes and gives."""

    def steps(self, value: Asked, seen: Mapping[str, Value | None]) -> list[Step]:
        """See Recipe. The rows cannot be read back, so the limits are looked at each time."""
        low, high = self.bounds(seen)
        if low is None or high is None:
            raise DeviceError(
                "BatterySetpoint cannot be set: the inverter does not tell its limits"
            )
        if isinstance(value, (int, float)) and not low <= value <= high:
            raise DeviceError(f"BatterySetpoint {value:g} is not between {low:g} and {high:g} W")
        return super().steps(value, seen)


class Mode(TableRecipe):
    """`BatteryMode`: what is not known does not keep it from being given back."""

    def back(
        self, originals: Mapping[str, tuple[int, ...]], seen: Mapping[str, Value | None]
    ) -> list[Step]:
        """See Recipe. Limits that cannot be told now lapse in the inverter by themselves."""
        try:
            return super().back(originals, seen)
        except DeviceError:
            plain = {k: v for k, v in self.entry.back.items() if v not in self.formulas}
            return [Step(name, value) for name, value in plain.items()]


def at_night(
    quantities: Mapping[str, Value | None], power: Value | None, strings: Sequence[Value | None]
) -> dict[str, Value | None]:
    """The quantities of a PV inverter that answers without a value for its AC power.

    Without voltage on its DC side it says "not a number" everywhere: then it delivers nothing, and
    that is known. While a string shows power it is a gap in the readings, and stays unknown. No
    counter is touched.
    """
    found = dict(quantities)
    if power is None and all(not each for each in strings):
        found |= {"PvPower": 0.0, "InverterPower": 0.0}
    return found
