"""Values over time: prices, forecasts, carbon. Pure: no I/O and no clock."""

from bridge.curve.days import day_of, local_day, zone_of
from bridge.curve.read import moment, moments, number
from bridge.curve.slots import Curve, Slot

__all__ = ["Curve", "Slot", "day_of", "local_day", "moment", "moments", "number", "zone_of"]
