"""Several devices behind one endpoint: one that is gone does not take the others with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest
import structlog

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.errors import DeviceError
from bridge.modbus.link import links
from bridge.mqtt import Endpoint
from bridge.register_device import Bound, RegisterDevice, RegisterSettings
from bridge.registers.model import Pacing
from bridge.simulators.bank import Bank, Unit
from bridge.simulators.server import ModbusServer
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.registers import RegisterMap


class Pair(RegisterDevice):
    """A meter on unit 1 and a second one on unit 2."""

    kind = "pair"
    Settings = RegisterSettings
    quantities: ClassVar[tuple[str, ...]] = ("GridPower",)
    made: ClassVar[RegisterMap]

    def pacing(self) -> Pacing:
        return Pacing()

    def devices(self) -> Sequence[Bound]:
        second = self.made.on(2)
        return (
            Bound(device=self.id, table=self.made),
            Bound(device=f"{self.id}-two", table=second),
        )


def pair(folder: Path, port: int, **more: Any) -> Pair:
    Pair.made = table(folder, row(10, "grid", "s16", quantity="GridPower"))
    given: dict[str, Any] = {"interval": 0.1, "timeout": 0.2, "retries": 0, **more}
    settings = RegisterSettings(host="127.0.0.1", port=port, **given)
    context = Context(
        "dut", settings, Config(state=folder), load_contract(), Endpoint("localhost", 1), Clock()
    )
    return Pair(context)


async def test_a_second_device_that_is_gone_slows_nobody_down(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    found = pair(tmp_path / "made", 1)
    units = {1: Unit(Pair.made), 2: Unit(Pair.made)}
    bank = Bank(units, missing=None)
    async with ModbusServer(bank) as server:
        found = pair(tmp_path / "made", server.port)
        async with found.direct():
            assert set(await found.read_all()) == {"dut", "dut-two"}
            gone = bank.units.pop(2)
            for _ in range(3):
                assert set(await found.read_all()) == {"dut"}
                await anyio.sleep(0.45)
            asked = len(bank.log)
            for _ in range(5):
                assert set(await found.read_all()) == {"dut"}
            assert len(bank.log) == asked + 5
            assert found.status_of("dut-two") == "offline"
            bank.units[2] = gone
            with anyio.fail_after(5):
                while set(await found.read_all()) != {"dut", "dut-two"}:  # noqa: ASYNC110 - it is polled
                    await anyio.sleep(0.05)


async def test_a_second_device_that_only_refuses_is_back_with_the_next_reading(
    tmp_path: Path,
) -> None:
    (tmp_path / "made").mkdir()
    found = pair(tmp_path / "made", 1)
    bank = Bank({1: Unit(Pair.made), 2: Unit(Pair.made)})
    async with ModbusServer(bank) as server:
        found = pair(tmp_path / "made", server.port, interval=60)
        async with found.direct():
            await found.read_all()
            gone = bank.units.pop(2)
            assert set(await found.read_all()) == {"dut"}
            bank.units[2] = gone
            assert set(await found.read_all()) == {"dut", "dut-two"}


async def test_who_was_not_there_is_asked_once_and_not_several_times(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    found = pair(tmp_path / "made", 1)
    bank = Bank({1: Unit(Pair.made)}, missing=None)
    async with ModbusServer(bank) as server:
        found = pair(tmp_path / "made", server.port, interval=0.05, retries=3)
        async with found.direct():
            await found.read_all()
            assert found.registers["dut-two"].requests == 4
            await anyio.sleep(0.1)
            await found.read_all()
            assert found.registers["dut-two"].requests == 5


async def test_each_device_that_is_lost_has_its_line_and_all_at_once_have_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "made").mkdir()
    found = pair(tmp_path / "made", 1)
    async with ModbusServer(Bank({1: Unit(Pair.made), 2: Unit(Pair.made)})) as server:
        found = pair(tmp_path / "made", server.port)
        with structlog.testing.capture_logs() as lines:
            for device in ("dut", "dut-two"):
                await found.reading({"GridPower": 1.0}, device=device)
            await found.device_status("offline", "no answer", device="dut-two")
            await found._failed("cut off", 3, 3)
    said = [line["event"] for line in lines if "lost" in line["event"]]
    assert said == ["dut-two is lost: no answer", "the device is lost: cut off"]


async def test_the_own_device_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    found = pair(tmp_path / "made", 1)
    async with ModbusServer(Bank({2: Unit(Pair.made)}, missing=None)) as server:
        found = pair(tmp_path / "made", server.port)
        async with found.direct():
            with pytest.raises(DeviceError):
                await found.read_all()


async def test_actors_that_disagree_about_an_endpoint_are_told(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    pair(tmp_path / "made", 1)
    async with ModbusServer(Bank({1: Unit(Pair.made), 2: Unit(Pair.made)})) as server:
        one = pair(tmp_path / "made", server.port)
        two = pair(tmp_path / "made", server.port, transport="rtu_over_tcp")
        async with one.direct(), two.direct():
            await one.read_all()
            with pytest.raises(DeviceError, match="by two actors: only one of them can be right"):
                await two.read_all()
    assert len(links()) == 0
