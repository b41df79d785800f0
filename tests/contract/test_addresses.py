"""Finding the channel of an address, and the address of a pattern."""

from __future__ import annotations

import pytest

from bridge.contract import load_contract
from bridge.errors import ContractError

C = load_contract()


@pytest.mark.parametrize(
    ("address", "key", "params"),
    [
        ("Bridge/Status", "bridge_status", {}),
        ("Actors/meter/Status", "actor_status", {"actor": "meter"}),
        ("Actors/a/Messages/Warning", "actor_message", {"actor": "a", "Level": "Warning"}),
        ("Devices/ess-2/State", "device_state", {"device": "ess-2"}),
        ("Devices/d/PvString7Power", "quantity", {"device": "d", "Quantity": "PvString7Power"}),
        ("Devices/d/Switch", "control", {"device": "d", "Control": "Switch"}),
        ("Devices/d/Switch/Set", "control_set", {"device": "d", "Control": "Switch"}),
        ("Site/Surplus", "site_value", {"Value": "Surplus"}),
        ("Site/Pause/Set", "pause_set", {}),
        ("Requests/Status", "request", {"consumer": "Status"}),
        ("Requests/pool/stepsize", "request_field", {"consumer": "pool", "Field": "StepSize"}),
        ("Requests/p/PRIORITY/Set", "request_set", {"consumer": "p", "Field": "Priority"}),
        ("Tariffs/t/ImportPrice", "tariff_value", {"tariff": "t", "Value": "ImportPrice"}),
        ("Tariffs/t/Rank", "tariff_value", {"tariff": "t", "Value": "Rank"}),
        (
            "Tariffs/t/Cheapest/3h/Start",
            "tariff_cheapest",
            {"tariff": "t", "Window": "3h"},
        ),
        ("Forecasts/f/PvPower", "forecast_value", {"forecast": "f", "Value": "PvPower"}),
    ],
)
def test_match(address: str, key: str, params: dict[str, str]) -> None:
    channel = C.match(address)
    assert channel is not None
    assert channel.topic.key == key
    assert dict(channel.params) == params


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "Bridge",
        "bridge/Status",
        "Bridge/Status/",
        "/Bridge/Status",
        "Bridge/Status/More",
        "Devices/d",
        "Devices//GridPower",
        "Devices/d/gridpower",
        "Devices/d/GridPower/Set",
        "Devices/küche/GridPower",
        "Devices/" + "x" * 33 + "/GridPower",
        "Devices/d\n/GridPower",
        "Devices/+/GridPower",
        "Devices/d/{Quantity}",
        "Requests/p/allowance",
        "Requests/p/Request/Set",
        "Requests/p/Switch",
        "Site/GridVoltageL1",
        "Tariffs/t/PvPower",
        "Tariffs/t/Cheapest/5h/Start",
        "Tariffs/t/Cheapest/3h",
        "Actors/a/Messages/Panic",
        "$SYS/broker/version",
    ],
)
def test_what_is_not_declared_matches_nothing(address: str) -> None:
    assert C.match(address) is None


def test_one_address_has_one_channel() -> None:
    made = C.channel("Devices/{device}/{Quantity}", device="meter", Quantity="GridPower")
    assert made is C.match("Devices/meter/GridPower")
    assert made is C.channel("Devices/{device}/{Quantity}", Quantity="GridPower", device="meter")
    assert made is C.channel("Devices/{device}/GridPower", device="meter")
    assert made is not C.match("Devices/roof/GridPower")
    assert C.match("Requests/p/stepsize") is C.match("Requests/p/StepSize")
    assert len({made, C.match("Devices/meter/GridPower")}) == 1


def test_a_channel_decodes_by_its_quantity() -> None:
    soc = C.channel("Devices/{device}/{Quantity}", device="ess", Quantity="BatterySoc")
    assert soc.value is C.quantity("BatterySoc")
    assert soc.decode(b"55.5") == 55.5
    with pytest.raises(ContractError, match="0 to 100 %"):
        soc.decode(b"155")


@pytest.mark.parametrize(
    ("pattern", "params", "sentence"),
    [
        ("Devices/{device}/{Quantity}", {"device": "d"}, "needs Quantity, device, not device"),
        ("Bridge/Status", {"device": "d"}, "needs nothing, not device"),
        (
            "Devices/{device}/{Quantity}",
            {"device": "d", "Quantity": "Switch"},
            "Devices/d/Switch is not a topic of Devices/{device}/{Quantity}",
        ),
        (
            "Devices/{device}/{Control}",
            {"device": "d", "Control": "GridPower"},
            "Devices/d/GridPower is not a topic of",
        ),
        ("Devices/{device}/{Control}", {"device": "d", "Control": "State"}, "is not a topic of"),
        ("Devices/{device}/Status", {"device": "a b"}, "'a b' is no id"),
        ("Devices/{device}/Status", {"device": "a/b"}, "'a/b' is no id"),
        ("Devices/{device}/Status", {"device": ""}, "'' is no id"),
        ("Requests/{consumer}/Set", {"consumer": "p"}, "is not a topic of"),
        ("Requests/{consumer}/{Field}", {"consumer": "p", "Field": "a/b"}, "is not a topic of"),
        ("Nowhere", {}, "Nowhere is not a topic"),
    ],
)
def test_a_channel_that_cannot_be(pattern: str, params: dict[str, str], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        C.channel(pattern, **params)
    assert sentence in str(caught.value)


def test_the_channel_of_a_consumers_field_leaves_the_choice_to_the_sender() -> None:
    field = C.channel("Requests/{consumer}/{Field}", consumer="p", Field="Request")
    assert (field.retain, field.qos) == (False, 1)


def test_rubbish_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.contract.load._REMEMBERED", 100)
    kept = C.match("Devices/kept/GridPower")
    assert kept is not None
    for number in range(500):
        C.match(f"Devices/rubbish{number}/GridPower")
        C.match(f"rubbish/{number}")
        C.channel("Devices/{device}/Status", device=f"d{number}")
    assert len(C._matched) <= 101
    assert len(C._channels) <= 101
    assert len(C._asked) <= 101
    assert kept.encode(5) == b"5"


def test_ids() -> None:
    assert C.is_id("ess-2_b")
    assert C.is_id("x" * 32)
    assert not any(map(C.is_id, ("", "x" * 33, "a b", "a/b", "ä", "a\n", "+", "#", "$SYS")))
