"""Discovery messages: accepted by a strict reading of the rules, identities and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bridge.contract import load_contract
from bridge.discovery import (
    House,
    bridge_messages,
    consumer_messages,
    device_messages,
    site_messages,
)
from bridge.discovery.entities import words
from tests.discovery.checker import check

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACT = load_contract()
INFO = {"manufacturer": "Shelly", "model": "Pro 3EM", "serial": "a1b2", "firmware": "1.4.4"}
HOUSES = [
    House(base, prefix, form, "0.1.0")
    for base, prefix in (("heliograph", "homeassistant"), ("home/sun", "ha/disco"))
    for form in ("device", "components")
]


def everything(house: House) -> dict[str, Any]:
    """Each kind of message with all that the contract knows."""
    return {
        **device_messages(
            CONTRACT,
            house,
            "meter",
            info=INFO,
            quantities=CONTRACT.members,
            controls=CONTRACT.controls.values(),
        ),
        **site_messages(CONTRACT, house),
        **consumer_messages(CONTRACT, house, "pool", name="Pool pump"),
        **consumer_messages(CONTRACT, house, "ev-1"),
        **bridge_messages(house, site=True),
    }


def entities(messages: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All entities by unique id, the same in both forms."""
    found: dict[str, dict[str, Any]] = {}
    for topic, payload in messages.items():
        if "cmps" in payload:
            for part in payload["cmps"].values():
                found[part["uniq_id"]] = {
                    **{key: payload[key] for key in ("avty", "avty_mode") if key in payload},
                    **part,
                }
        else:
            part = {key: value for key, value in payload.items() if key not in ("dev", "o")}
            found[part["uniq_id"]] = {"p": topic.split("/")[-4], **part}
    return found


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: f"{house.base}-{house.form}")
def test_all_that_the_contract_knows_is_accepted(house: House) -> None:
    check(everything(house), house.prefix)


def test_the_checker_refuses_what_home_assistant_refuses() -> None:
    spoilers: list[Callable[[dict[str, Any]], object]] = [
        lambda m: m["cmps"]["GridPower"].update(unit_of_meas="kWh"),
        lambda m: m["cmps"]["GridPower"].update(stat_cla="total"),
        lambda m: m["cmps"]["GridPower"].update(ent_cat="config"),
        lambda m: m["cmps"]["GridPower"].update(colour="red"),
        lambda m: m["cmps"]["InverterState"].update(unit_of_meas="W"),
        lambda m: m["cmps"]["MinSoc"].update(max=-1),
        lambda m: m["cmps"]["MinSoc"].update(ret=True),
        lambda m: m["cmps"].clear(),
        lambda m: m["o"].clear(),
        lambda m: m["dev"].pop("ids"),
        lambda m: m.update(avty_mode="latest"),
    ]
    for spoil in spoilers:
        messages = device_messages(
            CONTRACT,
            HOUSES[0],
            "meter",
            quantities=["GridPower", "InverterState"],
            controls=[CONTRACT.control("MinSoc")],
        )
        check(messages)
        spoil(next(iter(messages.values())))
        with pytest.raises((AssertionError, KeyError)):
            check(messages)


def test_both_forms_announce_the_same_entities() -> None:
    assert entities(everything(HOUSES[0])) == entities(everything(HOUSES[1]))


def test_identities_are_those_of_the_contract() -> None:
    messages = everything(HOUSES[0])
    assert set(messages) == {
        f"homeassistant/device/heliograph_{name}/config"
        for name in ("meter", "site", "request_pool", "request_ev-1", "bridge")
    }
    found = entities(messages)
    assert "heliograph_meter_GridPower" in found
    assert "heliograph_request_pool_Priority" in found
    assert "heliograph_site_Surplus" in found
    nested = entities(everything(HOUSES[2]))
    assert "home_sun_meter_GridPower" in nested
    assert nested["home_sun_meter_GridPower"]["stat_t"] == "home/sun/Devices/meter/State"


def test_topics_of_the_components_form() -> None:
    topics = set(everything(HOUSES[1]))
    assert "homeassistant/sensor/heliograph_meter/GridPower/config" in topics
    assert "homeassistant/switch/heliograph_meter/Switch/config" in topics
    assert "homeassistant/number/heliograph_request_pool/Priority/config" in topics


def test_every_topic_below_the_base_is_declared() -> None:
    for part in entities(everything(HOUSES[2])).values():
        topics = [part["stat_t"], *([part["cmd_t"]] if "cmd_t" in part else [])]
        topics += [each["t"] for each in part.get("avty", [])]
        for topic in topics:
            assert CONTRACT.match(topic.removeprefix("home/sun/")) is not None, topic


def test_a_device_is_available_only_while_it_and_the_bridge_are_online() -> None:
    part = entities(everything(HOUSES[0]))["heliograph_meter_GridPower"]
    assert part["avty_mode"] == "all"
    bridge, device = part["avty"]
    assert bridge == {"t": "heliograph/Bridge/Status"}
    assert device["t"] == "heliograph/Devices/meter/Status"
    assert "'online' if value == 'online' else 'offline'" in device["val_tpl"]


def test_the_bridge_itself_shows_as_off_rather_than_unavailable() -> None:
    found = entities(bridge_messages(HOUSES[0], site=True))
    assert "avty" not in found["heliograph_bridge_Status"]
    assert found["heliograph_bridge_Pause"]["cmd_t"] == "heliograph/Site/Pause/Set"
    assert "heliograph_bridge_Pause" not in entities(bridge_messages(HOUSES[0], site=False))


def test_counters_and_prices_have_the_classes_that_statistics_need() -> None:
    found = entities(everything(HOUSES[0]))
    energy = found["heliograph_meter_GridImportEnergy"]
    assert (energy["dev_cla"], energy["stat_cla"], energy["unit_of_meas"]) == (
        "energy",
        "total_increasing",
        "kWh",
    )
    assert found["heliograph_request_pool_Energy"]["stat_cla"] == "total_increasing"
    assert found["heliograph_meter_GridPower"]["exp_aft"] == 120


def test_a_control_has_the_range_of_its_device() -> None:
    own = msgspec.structs.replace(CONTRACT.control("ChargeCurrent"), min=6, max=16)
    messages = device_messages(CONTRACT, HOUSES[0], "car", quantities=[], controls=[own])
    part = entities(messages)["heliograph_car_ChargeCurrent"]
    assert (part["min"], part["max"], part["step"], part["p"]) == (6, 16, 1, "number")
    assert part["cmd_t"] == "heliograph/Devices/car/ChargeCurrent/Set"


def test_the_owners_words_over_a_consumer_show_what_is_in_force() -> None:
    found = entities(consumer_messages(CONTRACT, HOUSES[0], "pool"))
    automatic = found["heliograph_request_pool_IsAutomatic"]
    assert automatic["p"] == "switch"
    assert automatic["stat_t"] == "heliograph/Requests/pool/Grant"
    assert automatic["cmd_t"] == "heliograph/Requests/pool/IsAutomatic/Set"
    assert "value_json.automatic" in automatic["val_tpl"]
    assert found["heliograph_request_pool_Priority"]["stat_t"] == "heliograph/Requests/pool/Grant"


def test_what_a_consumer_asks_and_draws_is_read_from_its_grant() -> None:
    found = entities(consumer_messages(CONTRACT, HOUSES[0], "ev"))
    for field in ("Request", "Consumption"):
        entity = found[f"heliograph_request_ev_{field}"]
        assert entity["stat_t"] == "heliograph/Requests/ev/Grant"
        assert f"value_json.{field.lower()} " in entity["val_tpl"]


def test_a_device_without_anything_to_show_is_not_announced() -> None:
    assert device_messages(CONTRACT, HOUSES[0], "meter", quantities=[]) == {}


def test_unknown_parts_of_the_info_are_left_out() -> None:
    info = {"manufacturer": "Shelly", "model": None, "serial": "", "firmware": None}
    messages = device_messages(CONTRACT, HOUSES[0], "m", info=info, quantities=["Power"])
    assert next(iter(messages.values()))["dev"] == {
        "ids": ["heliograph_m"],
        "name": "m",
        "via_device": "heliograph_bridge",
        "mf": "Shelly",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GridPower", "Grid power"),
        ("GridPowerL1", "Grid power L1"),
        ("PvString2Power", "PV string 2 power"),
        ("BatterySoc", "Battery state of charge"),
        ("Power", "Power"),
    ],
)
def test_names_are_for_people(name: str, text: str) -> None:
    assert words(name) == text
