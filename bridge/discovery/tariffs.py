"""Discovery messages of tariffs: prices that the energy dashboard takes. Pure.

A price has the unit `EUR/kWh` (the tariff's currency), no device class, and is a measurement: so
the dashboard offers it as "an entity with the current price".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bridge.discovery.entities import EMPTY_IS_UNKNOWN, sensor
from bridge.discovery.messages import source_messages

if TYPE_CHECKING:
    from collections.abc import Collection

    from bridge.contract import Contract
    from bridge.discovery.entities import Entity
    from bridge.discovery.messages import House, Messages

_DIGITS_OF_PRICES = 4
_EVERY_TARIFF = ("ImportPrice", "ExportPrice", "Rank")
_WINDOW_NAMES = "Cheapest {hours} h start"


def tariff_messages(
    contract: Contract,
    house: House,
    tariff: str,
    *,
    currency: str,
    exports: bool,
    extras: Collection[str] = (),
    kind: str = "",
) -> Messages:
    """One device with the prices of now, the rank, and when the cheapest hours begin.

    `exports` false leaves the price of export out, for a tariff that knows none; `extras` names
    what this tariff tells besides.
    """
    place = house.topic(f"Tariffs/{tariff}")
    entities: dict[str, Entity] = {}
    for name, value in contract.values["tariff"].items():
        if name not in (*_EVERY_TARIFF, *extras) or (name == "ExportPrice" and not exports):
            continue
        unit = None if value.unit is None else value.unit.format(currency=currency)
        found = sensor(
            msgspec.structs.replace(value, unit=unit), f"{place}/{name}", EMPTY_IS_UNKNOWN
        )
        if unit != value.unit:  # a price
            found["sug_dsp_prc"] = _DIGITS_OF_PRICES
        entities[name] = found
    for name in contract.values["windows"]:
        entities[f"Cheapest{name}Start"] = {
            "p": "sensor",
            "name": _WINDOW_NAMES.format(hours=name.removesuffix("h")),
            "stat_t": f"{place}/Cheapest/{name}/Start",
            "val_tpl": EMPTY_IS_UNKNOWN,
            "dev_cla": "timestamp",
        }
    return source_messages(house, "tariff", tariff, kind, entities)
