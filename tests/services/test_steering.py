"""What a charger tells of its car, also while it sleeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.actor import Actor
from bridge.steering import Balance, Car
from tests.runtime.virtual import VIRTUAL, context
from tests.services.board import Board

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL


class Ear(Actor):
    """Hears one charger."""

    kind = "ear"

    def __init__(self, state: Path) -> None:
        super().__init__(context(state, "ear"))
        self.car = Car(self, "box")

    async def run(self) -> None:
        await self.car.start()
        await anyio.sleep_forever()


def tell(board: Board, **values: Any) -> None:
    text = json.dumps({"at": "2026-11-21T12:00:00Z", **values})
    board.say("Devices/box/State", text, retain=False)


async def test_a_charger_that_sleeps_without_a_car_draws_nothing(tmp_path: Path) -> None:
    board, ear = Board(), Ear(tmp_path)
    async with board.alive(ear):
        assert ear.car.read() == (None, "box has not told its Power yet")
        tell(board, Power=0.0, VehicleState="disconnected")
        await anyio.sleep(1)
        assert ear.car.read() == (0.0, None)
        await anyio.sleep(120)
        assert ear.car.read() == (0.0, None)
        await anyio.sleep(70)
        assert ear.car.read()[0] is None
        assert "silent" in (ear.car.read()[1] or "")


async def test_a_car_that_is_there_is_never_taken_for_idle(tmp_path: Path) -> None:
    board, ear = Board(), Ear(tmp_path)
    async with board.alive(ear):
        tell(board, Power=0.0, VehicleState="disconnected")
        await anyio.sleep(1)
        tell(board, Power=3600.0, VehicleState="charging")
        await anyio.sleep(1)
        assert ear.car.read() == (3600.0, None)
        await anyio.sleep(20)
        assert ear.car.read()[0] is None


async def test_unknown_and_offline_are_no_sleep(tmp_path: Path) -> None:
    board, ear = Board(), Ear(tmp_path)
    async with board.alive(ear):
        tell(board, Power=0.0, VehicleState="disconnected")
        await anyio.sleep(1)
        board.say("Devices/box/Status", "offline")
        await anyio.sleep(1)
        assert ear.car.read() == (None, "box is offline")
        tell(board, Power=0.0, VehicleState="disconnected")
        await anyio.sleep(1)
        tell(board, Power=None, VehicleState=None)
        await anyio.sleep(1)
        assert ear.car.read()[0] is None


class Eye(Actor):
    """Reads what the site tells."""

    kind = "eye"

    def __init__(self, state: Path) -> None:
        super().__init__(context(state, "eye"))
        self.balance = Balance(self)

    async def run(self) -> None:
        await self.balance.start()
        await anyio.sleep_forever()


async def test_why_the_grid_is_unknown_is_said_for_as_long_as_the_site_speaks(
    tmp_path: Path,
) -> None:
    board, eye = Board(), Eye(tmp_path)

    def tell_site(age: float, grid: float | None, why: str | None) -> None:
        told = {"GridPower": grid, "PvPower": None, "BatteryPower": 100.0, "BatterySoc": 50.0}
        at = {"at": "2026-11-21T12:00:00Z", "age": age}
        text = json.dumps({**at, **told, "LoadPower": None, "why": why})
        board.say("Site/Balance", text, retain=False)

    async with board.alive(eye):
        tell_site(0.5, 900.0, None)
        await anyio.sleep(1)
        assert eye.balance.read("GridPower") == ({"GridPower": 900.0}, None)
        lost = "grid meter is offline, silent for 40 s"
        tell_site(40.0, None, lost)
        await anyio.sleep(1)
        assert eye.balance.read("GridPower") == ({}, lost)
        tell_site(40.0, 900.0, None)
        await anyio.sleep(1)
        assert eye.balance.read("GridPower") == ({}, "the grid's value is 41 s old")
        await anyio.sleep(20)
        assert eye.balance.read("GridPower") == ({}, "the site has told no balance for 21 s")
