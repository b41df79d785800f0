"""The limit of what is fed into the grid, which the inverter takes in percent of its rating. Pure.

The register in W (47416) has one source only, so that it is never written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceError
from bridge.registers.controls import Recipe, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.registers.controls import Asked
    from bridge.registers.model import Value

MODE: Final = "active_power_control_mode"
PERCENT: Final = "maximum_feed_grid_power_percent"
_STEP: Final = 0.1


class ExportLimit(Recipe):
    """`ExportLimit` in W on an inverter of `rated` W. The whole rating means: no limit at all.

    It keeps its value in the inverter, so that there is nothing to give back.
    """

    touches = frozenset({MODE, PERCENT})

    def __init__(self, rated: float) -> None:
        self.rated = rated
        # The inverter counts in steps of 0.1 %.
        self.tolerance = rated * _STEP / 200 + 0.05

    def steps(self, value: Asked, seen: Mapping[str, Value | None]) -> Sequence[Step]:  # noqa: ARG002 - nothing depends on it
        """See Recipe. The limit stands before the mode that makes it count."""
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise DeviceError(f"ExportLimit takes a number in W, not {value}")
        if not 0 <= value <= self.rated:
            raise DeviceError(f"ExportLimit {value:g} is not between 0 and {self.rated:g} W")
        if value == self.rated:
            return [Step(MODE, "unlimited")]
        return [Step(PERCENT, 100 * value / self.rated), Step(MODE, "limit_in_percent")]

    def state(self, seen: Mapping[str, Value | None]) -> Asked | None:
        """See Recipe. Unknown while the inverter is limited in a way that only it understands."""
        mode, percent = seen.get(MODE), seen.get(PERCENT)
        if mode == "unlimited":
            return self.rated
        if mode == "zero_export":
            return 0.0
        if mode == "limit_in_percent" and isinstance(percent, (int, float)):
            return self.rated * percent / 100
        return None

    def bounds(self, seen: Mapping[str, Value | None]) -> tuple[float, float]:  # noqa: ARG002 - as above
        """See Recipe."""
        return 0.0, self.rated
