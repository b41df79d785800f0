"""Discovery messages of solar forecasts: power now, energies, and how right they were. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.discovery.entities import EMPTY_IS_UNKNOWN, sensor
from bridge.discovery.messages import source_messages

if TYPE_CHECKING:
    from bridge.contract import Contract
    from bridge.discovery.entities import Entity
    from bridge.discovery.messages import House, Messages

_COMPARED = ("MeanAbsoluteError", "Bias", "Accuracy")


def forecast_messages(
    contract: Contract, house: House, forecast: str, *, measured: bool, kind: str = ""
) -> Messages:
    """One device with the figures of a forecast.

    `measured` false leaves out what is compared with the measured PV, for a house without it.
    """
    place = house.topic(f"Forecasts/{forecast}")
    entities: dict[str, Entity] = {}
    for name, value in contract.values["forecast"].items():
        compared = name.startswith(_COMPARED)
        if compared and not measured:
            continue
        entities[name] = sensor(value, f"{place}/{name}", EMPTY_IS_UNKNOWN)
        if compared:
            entities[name]["ent_cat"] = "diagnostic"
    return source_messages(house, "forecast", forecast, kind, entities)
