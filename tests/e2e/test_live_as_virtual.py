"""The live loop behaves as the simulated one: a house over MQTT, and the same in virtual time.

Half an hour and more of house time, some forty times as fast as life: a bridge with its broker, the
site's balance and the prices of a tariff on one side, `heliograph simulate` on the other, with the
same settings. What may differ: deciding by value looks every 5 s at who runs, and the two do not
look in the same second; a division of es-ESS may see the sun a second earlier.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bridge.config import load_text
from bridge.simulate.curve import expression
from bridge.simulate.house import play
from bridge.simulate.made.houses import make
from bridge.simulate.policy import Owner, find_policy
from bridge.simulate.weather import make_weather
from tests.e2e.lockstep import live_house, play_live

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config import Config
    from bridge.simulate.record import Record
    from bridge.simulate.scenario import Scenario
    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(900)]

# Of the mean allowance, and of what was delivered.
_SHARE = 0.03


def config(scenario: Scenario, strategy: str, broker: str, folder: Path) -> Config:
    """The scenario's house as its owner would write it down."""
    battery = scenario.battery
    roles = {"grid": "house", "pv": "house"} | ({"battery": "house"} if battery else {})
    distributor: dict[str, Any] = {"kind": "distributor", "strategy": strategy, "tariff": "market"}
    if battery is not None:
        distributor |= {
            "reservation": expression(battery.reservation_curve),
            "stored_value": msgspec.to_builtins(battery.stored_value_tiers),
            "max_charge": battery.max_charge_w,
            "max_discharge": battery.max_discharge_w,
        }
    whole = {
        "broker": {"url": broker},
        "state": str(folder),
        "discovery": {"enabled": False},
        "site": roles,
        "consumers": {
            spec.id: {"value_per_kwh": spec.value_per_kwh, "start_cost": spec.start_cost}
            for spec in scenario.consumers
        },
        "actors": {"house": {"kind": "external"}, "distributor": distributor},
    }
    return load_text(msgspec.json.encode(whole))  # all JSON is YAML


def switches(record: Record, consumer: int) -> list[tuple[int, bool]]:
    return [(second, on) for second, one, on in record.switches if one == consumer]


def allowances(record: Record, consumer: int) -> list[float]:
    """What it was allowed in each second, W."""
    changes = {second: watts for second, one, watts in record.allowances if one == consumer}
    found, now = [], 0.0
    for second in range(record.seconds):
        now = changes.get(second, now)
        found.append(now)
    return found


@pytest.mark.parametrize(
    ("name", "number", "first", "minutes", "strategy", "late"),
    [
        ("clouds", 0, 300, 18, "value", 6),
        ("clouds_battery", 1, 420, 8, "value", 6),
        ("clouds_battery", 1, 480, 6, "surplus", 1),
        ("clouds", 0, 420, 7, "es_ess", 1),
    ],
)
async def test_the_same_house_live_and_in_virtual_time(
    mosquitto: Mosquitto,
    tmp_path: Path,
    name: str,
    number: int,
    first: int,
    minutes: int,
    strategy: str,
    late: int,
) -> None:
    """`first`: the minute of the scenario with which it begins; `late`: s between two switches."""
    scenario, day = make(name, number)
    begin = scenario.first_row + first
    scenario = msgspec.structs.replace(scenario, first_row=begin, duration_s=60 * minutes)
    weather = make_weather(scenario, day)
    made = config(scenario, strategy, mosquitto.url, tmp_path)
    owner = Owner(made.actors["distributor"].settings, made.consumers)
    virtual = play(scenario, weather, find_policy("heliograph"), owner=owner)
    async with live_house(made, mosquitto.port) as house:
        live = await play_live(house, scenario, weather)

    assert sum(virtual.delivered_wh) > 100  # there was something to share
    for index, spec in enumerate(scenario.consumers):
        expected, found = switches(virtual, index), switches(live, index)
        assert [on for _, on in found] == [on for _, on in expected], spec.id
        for (then, _), (now, _) in zip(expected, found, strict=True):
            assert abs(now - then) <= late, (spec.id, expected, found)
        one, other = allowances(virtual, index), allowances(live, index)
        apart = sum(abs(a - b) for a, b in zip(one, other, strict=True))
        assert apart <= _SHARE * sum(one), (spec.id, virtual.allowances, live.allowances)
        wh = virtual.delivered_wh[index]
        assert live.delivered_wh[index] == pytest.approx(wh, rel=_SHARE), spec.id
        # A lease that is not renewed in 30 s would have ended a run.
        heard = house.heard[spec.id]
        assert max(now - then for then, now in pairwise(heard)) <= 12
