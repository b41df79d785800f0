"""A device's registers over real TCP: few requests, refusals are learnt, writes are checked."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from bridge.clock import Clock
from bridge.errors import DeviceError, DeviceRefused, DeviceTimeout
from bridge.modbus.link import LinkSpec, links
from bridge.modbus.registers import Registers
from bridge.modbus.tcp import TcpWire
from bridge.modbus.wire import ILLEGAL_VALUE, Refusal
from bridge.registers.controls import Step
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import RegisterSimulator
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.registers import RegisterMap

ROWS = [
    row(100, "power", "s16", unit="W", quantity="PvPower"),
    row(101, "soc", unit="%", quantity="BatterySoc"),
    row(104, "grid", "s32", unit="W", quantity="GridPower"),
    row(110, "total", "u32", unit="kWh", quantity="PvEnergy"),
    row(200, "model", "string", words=4, info="model"),
    row(300, "mode", access="RW", enum={0: "auto", 1: "remote"}),
    row(301, "setpoint", "s16", access="RW"),
    row(302, "low", access="RW", mask=0x000F),
    row(302, "high", access="RW", mask=0x00F0),
    row(303, "trigger", access="W"),
    row(400, "doubtful", quantity="BatterySoh") | {"status": "unconfirmed"},
]


class Made(RegisterSimulator):
    def __init__(self, made: RegisterMap, **more: Any) -> None:
        self.made = made
        super().__init__(**more)

    def units(self) -> dict[int, Unit]:
        unit = Unit(self.made)
        unit.fill(range(102, 116), 0)
        return {1: unit}

    @property
    def unit(self) -> Unit:
        return self.bank.units[1]


@contextlib.asynccontextmanager
async def reading(
    folder: Path, *rows: dict[str, Any], **more: Any
) -> AsyncIterator[tuple[Registers, Made]]:
    made = table(folder, *(rows or ROWS))
    async with Made(made) as sim:
        spec = LinkSpec(transport="modbus", host=sim.host, port=sim.port)
        async with links().use(spec, lambda: TcpWire(sim.host, sim.port)) as link:
            yield Registers(made, link, timeout=0.5, **more), sim


async def test_a_poll_reads_blocks_and_counters_less_often(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit.put({"power": -5, "soc": 71, "grid": -70000, "total": 9, "model": "HX-5"})
        await found.poll()
        assert found.quantities() == {
            "PvPower": -5,
            "BatterySoc": 71,
            "GridPower": -70000,
            "PvEnergy": 9,
        }
        assert found.info()["model"] == "HX-5"
        assert sim.bank.reads == [(1, 100, 12), (1, 200, 4)]
        await found.poll()
        assert sim.bank.reads[2:] == [(1, 100, 6)]


async def test_without_a_row_that_changes_fast_every_poll_still_asks(tmp_path: Path) -> None:
    async with reading(tmp_path, row(110, "total", "u32", unit="kWh", quantity="PvEnergy")) as (
        found,
        sim,
    ):
        await found.poll()
        sim.fault = "silence"
        found.timeout = 0.1
        with pytest.raises(DeviceTimeout):
            await found.poll()


async def test_unconfirmed_rows_are_read_only_when_asked_for(tmp_path: Path) -> None:
    async with reading(tmp_path, unconfirmed=True) as (found, sim):
        sim.unit["doubtful"] = 97
        await found.poll()
        assert found.quantities()["BatterySoh"] == 97
        await found.fresh(["mode"])
        with pytest.raises(DeviceError, match="never written"):
            await found.write([Step("doubtful", 1)])


async def test_what_is_refused_is_unknown_and_not_asked_for_again(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit["power"] = 5
        sim.unit.sealed = {104, 105}
        await found.poll()
        assert found.quantities()["GridPower"] is None
        assert found.quantities()["PvPower"] == 5
        assert list(found.refused) == ["grid"]
        assert "does not have these registers" in found.refused["grid"]
        asked = len(sim.bank.reads)
        await found.poll()
        assert sim.bank.reads[asked:] == [(1, 100, 2)]


class Later(Clock):
    """The real clock, set forward."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


async def test_what_is_refused_is_asked_for_once_an_hour_one_row_with_each_poll(
    tmp_path: Path,
) -> None:
    clock = Later()
    rows = [row(100 + n, f"row{n}", quantity=f"PvString{n}Power") for n in range(1, 9)]
    async with reading(tmp_path, *rows, clock=clock) as (found, sim):
        sim.unit.sealed = {103, 104, 105, 106}
        await found.poll()
        usual = found.expected_requests()["fast"]
        sim.unit.sealed = {104}
        clock.ahead = 3700
        for _ in range(5):
            asked = found.requests
            await found.poll()
            assert found.requests - asked <= usual + 1
        assert list(found.refused) == ["row4"]
        asked = found.requests
        await found.poll()
        assert found.requests - asked == found.expected_requests()["fast"] == 2
        assert found.quantities()["PvString3Power"] == 0


async def test_who_refuses_everything_while_it_starts_is_read_when_it_has(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit.sealed = set(sim.unit.words)
        with pytest.raises(DeviceRefused):
            await found.poll()
        sim.unit.sealed = set()
        for _ in range(len(ROWS)):
            with contextlib.suppress(DeviceRefused):
                await found.poll()
        assert found.refused == {}
        assert None not in found.quantities().values()


async def test_a_gap_that_the_device_refuses_is_not_read_over_again(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit["grid"] = 7
        sim.unit.sealed = {103}
        await found.poll()
        assert found.quantities()["GridPower"] == 7
        assert found.refused == {}
        asked = len(sim.bank.reads)
        await found.poll()
        assert sim.bank.reads[asked:] == [(1, 100, 2), (1, 104, 2)]


async def test_a_device_with_shorter_reads_than_the_table_says(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit.longest = 4
        sim.unit["total"] = 12
        await found.poll()
        assert found.refused == {}
        assert found.quantities()["PvEnergy"] == 12


async def test_another_device_is_said_to_be_one(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit.sealed = set(sim.unit.words)
        with pytest.raises(DeviceRefused, match="none of the registers of made up: is it another"):
            await found.poll()


@pytest.mark.parametrize("fault", ["refused", "busy"])
async def test_a_block_that_fails_for_now_is_unknown_until_it_works(
    tmp_path: Path, fault: str
) -> None:
    async with reading(tmp_path, retries=0) as (found, sim):
        sim.unit["power"] = 5
        await found.poll()
        sim.fault = fault
        with pytest.raises(Refusal):
            await found.poll()
        sim.fault = None
        await found.poll()
        assert found.quantities()["PvPower"] == 5
        assert found.refused == {}


async def test_a_lost_answer_is_asked_for_again(tmp_path: Path) -> None:
    async with reading(tmp_path, retries=2) as (found, sim):
        lost = 2

        def lose() -> None:
            nonlocal lost
            lost -= 1
            sim.fault = "silence" if lost >= 0 else None

        sim.front.ready = lose  # type: ignore[attr-defined]
        found.timeout = 0.2
        await found.poll()
        assert lost < 0


async def test_no_answer_at_all_is_an_error(tmp_path: Path) -> None:
    async with reading(tmp_path, retries=1) as (found, sim):
        sim.fault = "silence"
        found.timeout = 0.1
        with pytest.raises(DeviceTimeout):
            await found.poll()
        assert found.requests == 2


# ---------------------------------------------------------------------------------- writing


async def test_steps_are_written_in_order_and_only_what_differs(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit["mode"] = "remote"
        await found.fresh(["mode", "setpoint"])
        await found.write([Step("setpoint", -500), Step("mode", "remote"), Step("trigger", 1)])
        assert sim.bank.writes == [(1, 301, [65036]), (1, 303, [1])]
        await found.write([Step("mode", "remote")], always={"mode"})
        assert sim.bank.writes[2:] == [(1, 300, [1])]


async def test_adjacent_steps_can_go_out_as_one_write(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        await found.fresh(["mode", "setpoint"])
        await found.write([Step("mode", "remote"), Step("setpoint", 7)], atomic=True)
        assert sim.bank.writes == [(1, 300, [1, 7])]


async def test_two_fields_of_one_word_do_not_undo_each_other(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit.words[302] = 0xAB00
        await found.fresh(["low", "high"])
        await found.write([Step("low", 3), Step("high", 5)])
        assert sim.unit.words[302] == 0xAB53


async def test_the_scale_of_a_row_that_cannot_be_read_is_read_afresh(tmp_path: Path) -> None:
    rows = (
        row(500, "rate", access="W", scale_factor="rate_scale"),
        row(501, "rate_scale", "s16"),
    )
    async with reading(tmp_path, *rows) as (found, sim):
        for power, word in ((0, 50), (-1, 500)):
            sim.unit["rate_scale"] = power
            await found.fresh(["rate"])
            await found.write([Step("rate", 50)])
            assert sim.bank.writes[-1] == (1, 500, [word])


async def test_a_field_of_a_word_that_cannot_be_read_is_not_written(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        sim.unit.sealed = {302}
        with pytest.raises(DeviceError, match="low cannot be set while it cannot be read"):
            await found.write([Step("low", 3)])
        assert sim.bank.writes == []


async def test_one_value_that_does_not_fit_stops_all_steps(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):
        await found.fresh(["mode", "setpoint"])
        with pytest.raises(DeviceError, match="setpoint cannot hold 70000"):
            await found.write([Step("mode", "remote"), Step("setpoint", 70000)])
        assert sim.bank.writes == []


async def test_a_value_that_the_device_refuses_is_said(tmp_path: Path) -> None:
    async with reading(tmp_path) as (found, sim):

        def refuse(address: int, words: list[int]) -> None:
            raise Refuse(ILLEGAL_VALUE)

        sim.unit.written = refuse
        await found.fresh(["setpoint"])
        with pytest.raises(Refusal, match="does not take this value"):
            await found.write([Step("setpoint", 7)])
        assert sim.unit["setpoint"] == 0
