"""What a charger tells of its car, also while it sleeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.actor import Actor
from bridge.steering import Car
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
