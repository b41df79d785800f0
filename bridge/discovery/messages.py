"""Discovery messages of devices, the site, consumers and the bridge, from the contract. Pure.

Two forms: `device` is one message with all entities of a device, `components` one message for
each entity, for programs that do not know the former. Identities are the same in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from bridge.discovery.entities import control, from_json, number, sensor, switch
from bridge.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.contract import Contract, Control
    from bridge.discovery.entities import Entity

    Messages = dict[str, dict[str, Any]]

ORIGIN = "Heliograph"
# `stale` is neither of the two words that Home Assistant knows: it must read as not available.
_ONLY_ONLINE = "{{ 'online' if value == 'online' else 'offline' }}"
_LOWER = "{{{{ value_json.{key} | string | lower }}}}"


@dataclass(frozen=True, slots=True)
class House:
    """What all messages of one bridge share; `base` may have several levels."""

    base: str
    prefix: str = "homeassistant"
    form: Literal["device", "components"] = "device"
    version: str = ""

    @property
    def root(self) -> str:
        """The base as a part of an id: levels are joined by `_`."""
        return self.base.replace("/", "_")

    @property
    def bridge(self) -> str:
        """The id of the bridge's own device, which all others hang from."""
        return f"{self.root}_bridge"

    def topic(self, address: str) -> str:
        """The full topic of an address below the base."""
        return f"{self.base}/{address}"


def device_messages(
    contract: Contract,
    house: House,
    device: str,
    *,
    info: Mapping[str, str | None] | None = None,
    quantities: Iterable[str],
    controls: Iterable[Control] = (),
) -> Messages:
    """All that a device measures and lets itself be told; {} when that is nothing.

    `quantities` are names of the contract that the device has ever had a value for; values are
    read from `State`, where null is unknown. `controls` are the contract's entries, or the
    device's own with a smaller range.
    """
    state = house.topic(f"Devices/{device}/State")
    entities: dict[str, Entity] = {}
    for name in sorted(set(quantities)):
        entry = contract.quantity(name)
        missing = "None" if entry.kind == "word" else ""
        entities[name] = sensor(entry, state, from_json(name, missing))
    for each in sorted(controls, key=lambda each: each.name):
        entities[each.name] = control(each, house.topic(f"Devices/{device}/{each.name}"))
    availability = [
        {"t": house.topic("Bridge/Status")},
        {"t": house.topic(f"Devices/{device}/Status"), "val_tpl": _ONLY_ONLINE},
    ]
    return render(
        house,
        f"{house.root}_{device}",
        describe(house, device, device, info),
        availability,
        entities,
    )


def site_messages(
    contract: Contract, house: House, values: Iterable[str] | None = None
) -> Messages:
    """The house as one power balance, read from `Site/State`; `values` leaves out the others."""
    state = house.topic("Site/State")
    known = contract.values["site"]
    entities = {
        name: sensor(known[name], state, from_json(name))
        for name in sorted(known if values is None else values)
    }
    return render(
        house, f"{house.root}_site", describe(house, "site", "Site"), _distributed(house), entities
    )


def consumer_messages(
    contract: Contract,
    house: House,
    consumer: str,
    *,
    name: str | None = None,
) -> Messages:
    """A consumer: what it asks, draws and gets, why, and the owner's two words over it.

    `name` is what people call it. What it asks and draws is read from its Grant, where it stands
    the same whether the consumer speaks plain topics or JSON.
    """
    place = house.topic(f"Requests/{consumer}")
    grant = f"{place}/Grant"
    entities: dict[str, Entity] = {}
    for field in ("Consumption", "Request"):
        entry = msgspec.structs.replace(
            contract.field(field), device_class="power", state_class="measurement", max_age=None
        )
        entities[field] = sensor(entry, grant, from_json(field.lower()))
    for key in ("allowance", "request_energy", "reason"):
        topic_entry = contract.topics[key]
        payload = topic_entry.payload
        if key == "allowance":
            payload = msgspec.structs.replace(
                payload,
                device_class="power",
                state_class="measurement",
                max_age=topic_entry.max_age,
            )
        entities[payload.name] = sensor(payload, f"{place}/{payload.name}", None)
    entities["IsAutomatic"] = switch(
        "Automatic", grant, f"{place}/IsAutomatic/Set", _LOWER.format(key="automatic")
    )
    entities["Priority"] = number(
        contract.field("Priority"),
        "Priority",
        grant,
        f"{place}/Priority/Set",
        from_json("priority"),
    )
    own = f"request_{consumer}"
    return render(
        house,
        f"{house.root}_{own}",
        describe(house, own, name or consumer),
        _distributed(house),
        entities,
    )


def bridge_messages(house: House, *, site: bool) -> Messages:
    """The bridge itself: whether it is connected, its version, and the owner's pause."""
    status = house.topic("Bridge/Status")
    entities: dict[str, Entity] = {
        "Status": {
            "p": "binary_sensor",
            "name": "Connected",
            "stat_t": status,
            "dev_cla": "connectivity",
            "pl_on": "online",
            "pl_off": "offline",
            "ent_cat": "diagnostic",
        },
        "Version": {
            "p": "sensor",
            "name": "Version",
            "stat_t": house.topic("Bridge/Info"),
            "val_tpl": from_json("version"),
            "ent_cat": "diagnostic",
        },
    }
    if site:
        pause = house.topic("Site/Pause")
        entities["Pause"] = {
            **switch("Pause", pause, f"{pause}/Set", "{{ value or 'None' }}"),
            "avty": _distributed(house),
            "avty_mode": "all",
        }
    device = {"ids": [house.bridge], "name": "Heliograph", "mf": ORIGIN, "sw": house.version}
    return render(house, house.bridge, device, None, entities)


def _distributed(house: House) -> list[dict[str, str]]:
    return [
        {"t": house.topic("Bridge/Status")},
        {"t": house.topic("Actors/distributor/Status")},
    ]


def source_messages(
    house: House, family: str, id_: str, model: str, entities: dict[str, Entity]
) -> Messages:
    """One device for what an actor tells that is no device: of a `family` such as `tariff`."""
    availability = [
        {"t": house.topic("Bridge/Status")},
        {"t": house.topic(f"Actors/{id_}/Status")},
    ]
    own = f"{family}_{id_}"
    about = {"model": model} if model else None
    return render(
        house, f"{house.root}_{own}", describe(house, own, id_, about), availability, entities
    )


def describe(
    house: House, key: str, name: str, info: Mapping[str, str | None] | None = None
) -> dict[str, Any]:
    """A device: its id is `key` below the base, `info` says who made it."""
    found: dict[str, Any] = {
        "ids": [f"{house.root}_{key}"],
        "name": name,
        "via_device": house.bridge,
    }
    for short, long in (
        ("mf", "manufacturer"),
        ("mdl", "model"),
        ("sn", "serial"),
        ("sw", "firmware"),
    ):
        text = (info or {}).get(long)
        if text:
            found[short] = text
    return found


def render(
    house: House,
    own: str,
    device: dict[str, Any],
    availability: list[dict[str, str]] | None,
    entities: dict[str, Entity],
) -> Messages:
    """One device of the id `own` with its entities, in the form of the house."""
    if not entities:
        return {}
    if len(own) + len(house.prefix) > 200:  # noqa: PLR2004 - far below the limit of a topic
        raise ContractError(f"the id {own} is too long for discovery")
    shared: dict[str, Any] = {"dev": device, "o": {"name": ORIGIN, "sw": house.version}}
    if availability is not None:
        shared |= {"avty": availability, "avty_mode": "all"}
    for key, entity in entities.items():
        entity["uniq_id"] = f"{own}_{key}"
    if house.form == "device":
        return {f"{house.prefix}/device/{own}/config": {**shared, "cmps": entities}}
    return {
        f"{house.prefix}/{entity['p']}/{own}/{key}/config": {
            **shared,
            **{name: part for name, part in entity.items() if name != "p"},
        }
        for key, entity in entities.items()
    }
