"""Forecasts in Home Assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.config import load_text
from bridge.contract import load_contract
from bridge.discovery import House, forecast_messages, orphans
from tests.discovery.checker import check

CONTRACT = load_contract()
DEVICE = House("home/helio", version="1.0")
COMPONENTS = House("home/helio", form="components", version="1.0")


def made(house: House = DEVICE, *, measured: bool = True) -> dict[str, Any]:
    return forecast_messages(CONTRACT, house, "sun", measured=measured, kind="open_meteo")


def parts(messages: dict[str, Any]) -> dict[str, Any]:
    (message,) = messages.values()
    found: dict[str, Any] = message["cmps"]
    return found


@pytest.mark.parametrize("house", [DEVICE, COMPONENTS], ids=["device", "components"])
def test_it_is_accepted(house: House) -> None:
    check(made(house))


def test_power_energies_and_figures() -> None:
    found = parts(made())
    assert set(found) == set(CONTRACT.values["forecast"])
    assert found["PvPower"]["dev_cla"] == "power"
    assert found["PvPower"]["val_tpl"] == "{{ value or 'None' }}"
    for name in ("EnergyToday", "EnergyRemaining", "EnergyTomorrow"):
        assert found[name]["dev_cla"] == "energy"
        assert found[name]["unit_of_meas"] == "kWh"
        # What is expected is no counter: the energy dashboard must not add it up.
        assert "stat_cla" not in found[name]
    assert found["Bias"]["unit_of_meas"] == "%"
    assert found["Accuracy"]["ent_cat"] == "diagnostic"


def test_a_house_without_measured_pv_has_no_figures_of_accuracy() -> None:
    assert set(parts(made(measured=False))) == {
        "PvPower",
        "EnergyToday",
        "EnergyRemaining",
        "EnergyTomorrow",
    }


def test_every_topic_is_one_of_the_contract() -> None:
    for entity in parts(made()).values():
        assert CONTRACT.match(entity["stat_t"].removeprefix("home/helio/")) is not None


def test_a_forecast_that_is_no_longer_configured_goes() -> None:
    text = "base: home/helio\nactors:\n  {}: {{kind: solcast, token: k, site: a}}\n"
    retained = {topic: msgspec.json.encode(each) for topic, each in made().items()}
    gone = load_text(text.format("other"), Path("house.yaml"))
    there = load_text(text.format("sun"), Path("house.yaml"))
    assert orphans(retained, gone) == list(retained)
    assert orphans(retained, there) == []
