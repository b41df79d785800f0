"""Tariffs in Home Assistant: prices that its energy dashboard takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.config import load_text
from bridge.contract import load_contract
from bridge.discovery import House, orphans, tariff_messages
from tests.discovery.checker import check

CONTRACT = load_contract()
DEVICE = House("home/helio", version="1.0")
COMPONENTS = House("home/helio", form="components", version="1.0")
# What the energy dashboard reads behind the slash of a price's unit.
ENERGY_UNITS = {"Wh", "kWh", "MWh", "GJ"}


def made(house: House = DEVICE, **more: Any) -> dict[str, Any]:
    given = {"currency": "EUR", "exports": True, "kind": "tibber", **more}
    return tariff_messages(CONTRACT, house, "spot", **given)


def parts(messages: dict[str, Any]) -> dict[str, Any]:
    (message,) = messages.values()
    found: dict[str, Any] = message["cmps"]
    return found


@pytest.mark.parametrize("house", [DEVICE, COMPONENTS], ids=["device", "components"])
def test_it_is_accepted(house: House) -> None:
    check(made(house))


def test_prices_are_entities_with_a_current_price() -> None:
    for name in ("ImportPrice", "ExportPrice"):
        price = parts(made(currency="SEK"))[name]
        assert price["p"] == "sensor"
        assert price["unit_of_meas"] == "SEK/kWh"
        assert price["unit_of_meas"].partition("/")[2] in ENERGY_UNITS
        assert price["stat_cla"] == "measurement"
        assert "dev_cla" not in price
        assert price["stat_t"] == f"home/helio/Tariffs/spot/{name}"
        # An empty topic is unknown, not the last price for ever.
        assert price["val_tpl"] == "{{ value or 'None' }}"
        assert price["sug_dsp_prc"] == 4
        assert price["uniq_id"] == f"home_helio_tariff_spot_{name}"


def test_one_device_available_with_the_bridge_and_its_actor() -> None:
    ((topic, message),) = made().items()
    assert topic == "homeassistant/device/home_helio_tariff_spot/config"
    assert message["dev"] == {
        "ids": ["home_helio_tariff_spot"],
        "name": "spot",
        "mdl": "tibber",
        "via_device": "home_helio_bridge",
    }
    assert message["avty_mode"] == "all"
    assert [each["t"] for each in message["avty"]] == [
        "home/helio/Bridge/Status",
        "home/helio/Actors/spot/Status",
    ]


def test_every_topic_is_one_of_the_contract() -> None:
    for entity in parts(made()).values():
        assert CONTRACT.match(entity["stat_t"].removeprefix("home/helio/")) is not None


def test_a_tariff_without_export_has_no_entity_for_it() -> None:
    assert set(parts(made())) - set(parts(made(exports=False))) == {"ExportPrice"}


def test_only_what_a_tariff_tells_is_there() -> None:
    plain = set(parts(made()))
    assert {name for name in plain if not name.startswith("Cheapest")} == {
        "ImportPrice",
        "ExportPrice",
        "Rank",
    }
    more = parts(made(extras=("SpotPrice", "Renewables")))
    assert set(more) - plain == {"SpotPrice", "Renewables"}
    assert more["SpotPrice"]["sug_dsp_prc"] == 4
    assert more["Renewables"]["sug_dsp_prc"] == 1, "a share is no price"


def test_the_cheapest_hours_are_moments() -> None:
    found = parts(made())["Cheapest3hStart"]
    assert found["dev_cla"] == "timestamp"
    assert found["name"] == "Cheapest 3 h start"
    assert "unit_of_meas" not in found


def test_a_tariff_that_is_no_longer_configured_goes() -> None:
    text = "base: home/helio\nactors:\n  {}: {{kind: fixed_tariff, price: 0.3}}\n"
    retained = {topic: msgspec.json.encode(each) for topic, each in made().items()}
    gone = load_text(text.format("other"), Path("house.yaml"))
    there = load_text(text.format("spot"), Path("house.yaml"))
    assert orphans(retained, gone) == list(retained)
    assert orphans(retained, there) == []
