"""Discovery messages of the grid's carbon intensity. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.discovery.entities import EMPTY_IS_UNKNOWN, sensor
from bridge.discovery.messages import source_messages

if TYPE_CHECKING:
    from bridge.contract import Contract
    from bridge.discovery.entities import Entity
    from bridge.discovery.messages import House, Messages

_SHARE = "RenewableShare"


def carbon_messages(
    contract: Contract, house: House, carbon: str, *, share: bool, source: str = ""
) -> Messages:
    """One device with the intensity of now; `share` adds that of renewables."""
    place = house.topic(f"Carbon/{carbon}")
    entities: dict[str, Entity] = {
        name: sensor(value, f"{place}/{name}", EMPTY_IS_UNKNOWN)
        for name, value in contract.values["carbon"].items()
        if share or name != _SHARE
    }
    return source_messages(house, "carbon", carbon, source, entities)
