"""What is told of a grid setpoint that stands while nothing is lent, and what comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from actors.venus.venus_mqtt.decode import Gone
from actors.venus.venus_mqtt.grid import Standing, active
from actors.venus.venus_mqtt.paths import AC_SETPOINT, HUB4_MODE, OVERRIDE
from actors.venus.venus_mqtt.setpoint import Combiner
from tests.actors.kinds import last
from tests.venus_mqtt.rig import AC, bridged
from tests.venus_mqtt.test_controls import SETPOINT, WARNING, answer, command, ready

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SAID = "Actors/dut/Messages/Operational"


def told(them: Link) -> float | None:
    found = json.loads(last(them, "Devices/dut/State") or "{}").get("ActiveGridSetpoint")
    return None if found is None else float(found)


@pytest.mark.anyio
async def test_a_setpoint_by_hand_is_told_and_is_what_comes_back(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await them.until(lambda: told(them) == 50)
        player.plant.settings[AC] = 500.0  # a person, in VRM
        await them.until(lambda: told(them) == 500)
        words = (
            "the GX's grid setpoint was set to 500 W on the GX or in VRM:"
            " that is what comes back after a GridSetpoint"
        )
        await them.until(lambda: (last(them, SAID) or "").endswith(words))
        them.connection.send(SETPOINT, command(3000), qos=1)
        assert (await answer(them))["ok"]
        await them.until(lambda: told(them) == 3000)
        them.connection.send(SETPOINT, b"", qos=1)
        await them.until(lambda: told(them) == 500)
        assert player.plant.setpoint == 500
        assert last(them, WARNING) in (None, "")
        assert sum(b"VRM" in each for each in them.payloads(f"heliograph/{SAID}")) == 1


@pytest.mark.anyio
async def test_beside_the_owners_default_it_stands_with_a_warning_until_the_next_lease(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port, default_setpoint=-10.0) as (player, them):
        await them.until(lambda: told(them) == -10)
        assert last(them, WARNING) in (None, "")
        player.plant.settings[AC] = 500.0
        await them.until(lambda: "is 500 W, set on the GX or in VRM" in (last(them, WARNING) or ""))
        assert player.plant.setpoint == 500
        them.connection.send(SETPOINT, command(300), qos=1)
        assert (await answer(them))["value"] == 290
        await them.until(lambda: last(them, WARNING) == "")
        them.connection.send(SETPOINT, b"", qos=1)
        await them.until(lambda: player.plant.setpoint == -10)
        await ready(them)
        assert last(them, WARNING) == ""


def test_what_is_there_at_first_is_no_news_and_a_loss_neither() -> None:
    standing = Standing(None)
    found = [standing.news(each) for each in (50.0, None, 50.0, 50.04, 60.0, 60.0)]
    assert [each is not None for each in found] == [False] * 4 + [True, False]
    assert standing.warning(60.0) is None
    assert Standing(-10.0).warning(None) is None
    assert Standing(-10.0).warning(-10.0) is None
    assert Standing(-10.0).news(3.0) is None


@pytest.mark.parametrize(
    ("heard", "watts"),
    [
        ({}, None),
        ({AC_SETPOINT: 50.0}, 50),
        ({AC_SETPOINT: 50.0, OVERRIDE: Gone.NULL, HUB4_MODE: 1.0}, 50),
        ({AC_SETPOINT: 50.0, OVERRIDE: -3000.0, HUB4_MODE: 2.0}, -3000),
        ({AC_SETPOINT: 50.0, OVERRIDE: 0.0}, 0),
        ({AC_SETPOINT: 50.0, HUB4_MODE: 3.0}, None),
    ],
)
def test_what_is_in_force(heard: dict[str, float | Gone], watts: float | None) -> None:
    assert active(heard) == watts


def test_what_was_asked_for_and_what_is_in_force() -> None:
    assert Combiner(None, -100, 100).in_force(30) == (30, None)
    assert Combiner(0.0, -100, 100).in_force(30) == (30, None)
    value, why = Combiner(-10.0, -1000, 1000).in_force(300)
    assert value == 290
    assert why is not None
    assert why.startswith("290 W is in force: the 300 W asked for")
