"""What the real kinds need of one another's devices, and what `check` says when they lack it."""

from __future__ import annotations

import pytest

from bridge.config import load_text
from bridge.errors import ConfigError

HOUSE = """\
site: {{grid: gx, pv: gx, battery: gx}}
actors:
  gx: {{kind: venus_mqtt, host: 127.0.0.1}}
  plug: {{kind: shelly, host: 127.0.0.1}}
  flow: {{kind: external}}
  prices: {{kind: fixed_tariff, price: 0.3}}
  one: {{{settings}}}
"""


def problems(settings: str) -> list[str]:
    """What is wrong with the actor `one`."""
    try:
        load_text(HOUSE.format(settings=settings), "house.yaml", env={})
    except ConfigError as error:
        return [each.sentence for each in error.problems]
    return []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            "kind: battery_guard, battery: plug, chargers: flow",
            "'battery' names 'plug' (shelly), which has no control GridSetpoint; it has Switch",
        ),
        (
            "kind: battery_guard, battery: gx, chargers: gx",
            "'chargers' names 'gx' (venus_mqtt), which tells no Power",
        ),
        (
            "kind: battery_guard, battery: gx, chargers: [flow, prices]",
            "'chargers[2]' names 'prices', which is no device",
        ),
        (
            'kind: charge_current, battery: gx, limit: "100 - SOC", soc: plug',
            "'soc' names 'plug' (shelly), which tells no BatterySoc",
        ),
        (
            "kind: time_to_go, battery: plug, capacity: 5000",
            "'battery' names 'plug' (shelly), which tells no BatteryPower",
        ),
        (
            "kind: time_to_go, battery: gx",
            "'battery' names 'gx' (venus_mqtt), which tells no BatteryCapacity: set 'capacity'",
        ),
        (
            "kind: net_meter, meter: gx, quantity: Power",
            "'meter' names 'gx' (venus_mqtt), which tells no Power",
        ),
        (
            "kind: venus_dbus, inverters: {flow: {}, one: {}}",
            "'inverters.one' names 'one', which is no device",
        ),
        (
            "kind: venus_dbus, chargers: {gx: {}}",
            "'chargers.gx' names 'gx' (venus_mqtt), which tells no Power",
        ),
    ],
)
def test_a_device_that_lacks_what_is_needed_is_refused(settings: str, sentence: str) -> None:
    found = problems(settings)
    assert len(found) == 1, found
    assert sentence in found[0]


@pytest.mark.parametrize(
    "settings",
    [
        "kind: battery_guard, battery: gx, chargers: [flow, plug], switch: plug",
        "kind: battery_guard, battery: flow, chargers: flow, control: BatterySetpoint",
        "kind: time_to_go, battery: gx, capacity: 5000",
        "kind: time_to_go",
        "kind: net_meter, meter: gx",
        "kind: venus_dbus, inverters: {gx: {}, flow: {}}, batteries: {gx: {time_to_go: flow}}",
    ],
)
def test_a_device_that_has_it_or_may_have_it_is_taken(settings: str) -> None:
    assert problems(settings) == []


def test_what_came_from_outside_is_not_repeated() -> None:
    text = HOUSE.format(settings='kind: battery_guard, battery: "${WHICH}", chargers: flow')
    with pytest.raises(ConfigError) as caught:
        load_text(text, "house.yaml", env={"WHICH": "plug"})
    assert [each.sentence for each in caught.value.problems] == [
        "actor 'one': 'battery' names its device, which has no control GridSetpoint; it has Switch"
    ]
