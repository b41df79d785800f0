"""What is published so that what is gone disappears, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from bridge.config import Config
from bridge.config.model import ActorConfig
from bridge.config.settings import DiscoverySettings, SiteSettings
from bridge.contract import load_contract
from bridge.discovery import (
    House,
    bridge_messages,
    consumer_messages,
    device_messages,
    orphans,
    removal,
    shape_of,
    site_messages,
)

CONTRACT = load_contract()
DEVICE = House("heliograph", "homeassistant", "device", "0.1.0")
COMPONENTS = House("heliograph", "homeassistant", "components", "0.1.0")
TOPIC = "homeassistant/device/heliograph_meter/config"


def meter(house: House, *quantities: str, device: str = "meter") -> dict[str, Any]:
    return device_messages(CONTRACT, house, device, quantities=quantities)


def test_an_entity_is_first_reduced_to_its_platform_and_then_left_out() -> None:
    before, after = meter(DEVICE, "GridPower", "PvPower"), meter(DEVICE, "GridPower")
    steps = removal(shape_of(before), after)
    assert [topic for topic, _ in steps] == [TOPIC, TOPIC]
    first, last = steps[0][1], steps[1][1]
    assert first is not None
    assert first["cmps"]["PvPower"] == {"p": "sensor"}
    assert first["cmps"]["GridPower"] == after[TOPIC]["cmps"]["GridPower"]
    assert last == after[TOPIC]


def test_nothing_gone_needs_one_message() -> None:
    after = meter(DEVICE, "GridPower", "PvPower")
    assert removal(shape_of(meter(DEVICE, "GridPower")), after) == [(TOPIC, after[TOPIC])]
    assert removal({}, after) == [(TOPIC, after[TOPIC])]


def test_a_device_that_is_gone_leaves_an_empty_payload() -> None:
    assert removal(shape_of(meter(DEVICE, "GridPower")), {}) == [(TOPIC, None)]


def test_in_the_components_form_each_entity_has_its_own_topic() -> None:
    before, after = meter(COMPONENTS, "GridPower", "PvPower"), meter(COMPONENTS, "GridPower")
    gone = "homeassistant/sensor/heliograph_meter/PvPower/config"
    steps = removal(shape_of(before), after)
    assert steps == [*after.items(), (gone, None)]


def test_switching_the_form_hands_entities_over_before_the_old_topics_go() -> None:
    for old, new in ((DEVICE, COMPONENTS), (COMPONENTS, DEVICE)):
        before, after = meter(old, "GridPower", "PvPower"), meter(new, "GridPower", "PvPower")
        steps = removal(shape_of(before), after)
        marks, rest = steps[: len(before)], steps[len(before) :]
        assert marks == [(topic, {"migrate_discovery": True}) for topic in before]
        assert rest == [*after.items(), *((topic, None) for topic in before)]


def retained(*messages: dict[str, Any]) -> dict[str, bytes]:
    return {
        topic: msgspec.json.encode(payload) for each in messages for topic, payload in each.items()
    }


def config(*actors: str, base: str = "heliograph", **discovery: Any) -> Config:
    return Config(
        state=Path("unused"),
        base=base,
        discovery=DiscoverySettings(**discovery),
        site=SiteSettings(grid="meter"),
        actors={name: ActorConfig(name, "external", None) for name in actors},
    )


def test_only_devices_without_an_actor_are_orphans() -> None:
    found = retained(
        meter(DEVICE, "GridPower"),
        meter(DEVICE, "Power", device="meter-2"),
        meter(DEVICE, "Power", device="meter2"),
        meter(DEVICE, "Power", device="old"),
        site_messages(CONTRACT, DEVICE),
        consumer_messages(CONTRACT, DEVICE, "pool"),
        bridge_messages(DEVICE, site=True),
    )
    assert orphans(found, config("meter", "distributor")) == [
        "homeassistant/device/heliograph_meter2/config",
        "homeassistant/device/heliograph_old/config",
    ]


def test_the_other_form_is_an_orphan_too() -> None:
    single = meter(COMPONENTS, "GridPower")
    found = retained(single, meter(DEVICE, "GridPower"))
    assert orphans(found, config("meter")) == list(single)
    assert orphans(found, config("meter", form="components")) == [TOPIC]


def test_discovery_switched_off_removes_all_of_ours() -> None:
    found = retained(meter(DEVICE, "GridPower"), consumer_messages(CONTRACT, DEVICE, "pool"))
    assert orphans(found, config("meter", enabled=False)) == list(found)


def test_nobody_elses_messages_are_touched() -> None:
    foreign = meter(DEVICE, "GridPower", device="old")["homeassistant/device/heliograph_old/config"]
    other_origin = {**foreign, "o": {"name": "zigbee2mqtt"}}
    neighbour = House("heliograph/garage", "homeassistant", "device", "0.1.0")
    second = House("heliograph_2", "homeassistant", "device", "0.1.0")
    found = {
        **retained(
            {"homeassistant/device/heliograph_a/config": other_origin},
            {"homeassistant/device/something_else/config": foreign},
            meter(neighbour, "Power", device="old"),
            meter(second, "Power", device="old"),
            meter(House("heliograph", "other"), "Power", device="old"),
            {"homeassistant/sensor/heliograph_old/x/y/config": foreign},
        ),
        "homeassistant/device/heliograph_rubbish/config": b"\xff\x00 not json",
        "homeassistant/device/heliograph_list/config": b"[1, 2]",
        "homeassistant/device/heliograph_deep/config": b"[" * 100_000,
        "homeassistant/device/heliograph_odd/config": b'{"o": {"name": "Heliograph"}, "cmps": [1]}',
        "homeassistant/device/heliograph_odd2/config": b'{"o": "Heliograph", "cmps": {"a": 1}}',
        "homeassistant/device/heliograph_odd3/config": (
            b'{"o": {"name": "Heliograph"}, "cmps": {"a": {"stat_t": 5}, "b": 7}}'
        ),
        "homeassistant/device/heliograph_odd4/config": (
            b'{"o": {"name": "Heliograph"}, "stat_t": "heliograph/Devices"}'
        ),
    }
    assert orphans(found, config("meter")) == []
    assert orphans(found, config("meter", enabled=False)) == []
