"""A register device that takes connections and never answers: lost, not hung; nobody waits."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest

from bridge.register_device import Bound, RegisterDevice, RegisterSettings
from bridge.registers.model import Pacing
from bridge.runner import Runner
from tests.registers.made_up import row, table
from tests.runtime.virtual import VIRTUAL, Wire, context, hear

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bridge.actor import Context
    from bridge.modbus.registers import Registers
    from bridge.registers import RegisterMap

STATUS, HEALTH = "Devices/dut/Status", "Actors/dut/Health"
RESULT = "Devices/dut/BatterySetpoint/Result"
ROWS = [
    row(10, "grid", "s16", unit="W", quantity="GridPower"),
    row(500, "pv", unit="W", quantity="PvPower"),
    row(20, "power", "s16", access="RW", range=[-3000, 3000]),
]
CONTROLS: dict[str, Any] = {
    "BatterySetpoint": {
        "min": -3000,
        "max": 3000,
        "set": {"power": "value"},
        "back": {"power": "original"},
    }
}


@pytest.fixture(scope="module", params=[VIRTUAL], ids=["virtual"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


class Mute:
    """The wire of a device whose words are in `words`; while `mute` it answers nothing."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}
        self.mute = False
        self.connected = False
        self.asked: list[float] = []

    async def connect(self) -> None:
        self.connected = True

    async def close(self) -> None:
        self.connected = False

    async def read(self, unit: int, function: int, address: int, count: int) -> list[int]:
        await self._answer()
        return [self.words.get(each, 0) for each in range(address, address + count)]

    async def write(self, unit: int, function: int, address: int, words: Sequence[int]) -> None:
        await self._answer()
        self.words.update(enumerate(words, address))

    async def _answer(self) -> None:
        self.asked.append(anyio.current_time())
        await anyio.sleep(0.01)
        if self.mute:
            await anyio.sleep_forever()


class Kind(RegisterDevice):
    kind = "mute"
    Settings = RegisterSettings
    quantities: ClassVar[tuple[str, ...]] = ("GridPower", "PvPower")
    controls: ClassVar[tuple[str, ...]] = tuple(CONTROLS)
    made: ClassVar[RegisterMap]
    way: Mute

    def pacing(self) -> Pacing:
        return Pacing()

    def devices(self) -> Sequence[Bound]:
        return (Bound(device=self.id, table=self.made),)

    def wire(self) -> Any:
        return self.way


@contextlib.asynccontextmanager
async def living(folder: Path, way: Mute, **given: Any) -> AsyncIterator[tuple[Runner, Wire]]:
    """The device in the hands of a runner."""
    (folder / "tables").mkdir()
    Kind.made = table(folder / "tables", *ROWS, controls=CONTROLS)
    settings = RegisterSettings(host="192.0.2.1", timeout=10, **given)
    wire = Wire()

    def make(found: Context) -> Kind:
        actor = Kind(found)
        actor.way = way
        wire.attach(actor)
        return actor

    async def report(*_: object) -> None:
        return

    runner = Runner(
        lambda restarts: context(folder, settings=settings, restarts=restarts),
        make,
        name="dut",
        stops_first=False,
        report=report,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        yield runner, wire
        runner.stop()
        await runner.finished.wait()


def ask(runner: Runner, payload: str) -> None:
    assert runner.actor is not None
    hear(runner.actor, "Devices/dut/BatterySetpoint/Set", payload.encode())


async def test_silence_is_lost_and_not_hung_and_commands_are_answered(tmp_path: Path) -> None:
    way = Mute()
    async with living(tmp_path, way, interval=5, retries=2) as (runner, wire):
        await anyio.sleep(12)
        assert wire.last(STATUS) == "online"
        ask(runner, '{"value": 500, "ttl": 60, "id": "a"}')
        await anyio.sleep(1)
        assert wire.json(RESULT)["ok"]
        assert way.words[20] == 500
        way.mute = True
        begun = anyio.current_time()
        await anyio.sleep(80)
        assert wire.last(STATUS) == "offline"
        assert wire.times(STATUS)[-1] - begun <= 60
        assert wire.json(HEALTH)["state"] == "degraded"
        ask(runner, '{"value": 700, "ttl": 600, "id": "b"}')
        await anyio.sleep(45)
        assert (wire.json(RESULT)["id"], wire.json(RESULT)["ok"]) == ("b", False)
        await anyio.sleep(200)
        assert runner.restarts == 0
        assert wire.last("Devices/dut/GridPower") == ""
        assert wire.json("Devices/dut/State")["PvPower"] is None
        way.mute = False
        await anyio.sleep(45)
        assert wire.last(STATUS) == "online"
        assert way.words[20] == 0, "what it was is given back"
        assert wire.last("Devices/dut/GridPower") == "0"
        assert runner.restarts == 0


async def test_many_repetitions_of_a_silent_device_are_no_hang(tmp_path: Path) -> None:
    way = Mute()
    way.mute = True
    async with living(tmp_path, way, interval=5, retries=10) as (runner, wire):
        await anyio.sleep(30)
        ask(runner, "500")
        await anyio.sleep(1)
        assert not wire.json(RESULT)["ok"]
        assert "was not read yet" in wire.json(RESULT)["error"]
        await anyio.sleep(300)
        assert runner.restarts == 0
        assert wire.last(STATUS) == "offline"


async def test_a_request_that_never_returns_is_hung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        await anyio.sleep_forever()

    way = Mute()
    async with living(tmp_path, way, interval=5) as (runner, _):
        await anyio.sleep(6)
        assert isinstance(runner.actor, Kind)
        monkeypatch.setattr(runner.actor.link, "read", never)
        await anyio.sleep(150)
        assert runner.restarts == 1


async def test_once_silent_it_is_asked_once_until_it_answers(tmp_path: Path) -> None:
    way = Mute()
    async with living(tmp_path, way, interval=5, retries=3) as (runner, _):
        await anyio.sleep(1)
        assert isinstance(runner.actor, Kind)
        found: Registers = runner.actor.registers["dut"]
        way.mute = True
        await anyio.sleep(50)
        assert found.silent
        way.asked.clear()
        await anyio.sleep(100)
        gaps = [later - earlier for earlier, later in zip(way.asked, way.asked[1:], strict=False)]
        assert min(gaps) >= 10
        way.mute = False
        await anyio.sleep(41)
        assert not found.silent
