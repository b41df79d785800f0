"""Controls of register devices when things are not as planned: nothing unsafe stays on."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.direct import in_hand
from bridge.modbus.wire import BUSY, ILLEGAL_VALUE
from bridge.mqtt import Endpoint
from bridge.register_device import Bound, RegisterDevice, RegisterSettings
from bridge.register_journal import Originals
from bridge.registers.model import Pacing
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import RegisterSimulator
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bridge.registers import RegisterMap

ROWS = [
    row(10, "battery", "s16", unit="W", quantity="BatteryPower"),
    row(11, "soc", unit="%", quantity="BatterySoc"),
    row(12, "most", unit="W"),
    row(60, "name", "string", words=2, info="model"),
    row(20, "mode", access="RW", enum={0: "auto", 1: "remote", 2: "hold", 3: "owners"}),
    row(20, "mode_field", access="RW", mask=0x0003),
    row(21, "power", "s16", access="RW", range=[-3000, 3000]),
    row(22, "low", access="RW", mask=0x000F),
    row(22, "high", access="RW", mask=0x00F0),
    row(23, "floor", access="RW", range=[0, 100], persistent=True),
    row(24, "limit", access="RW", persistent=True),
    row(25, "beside", access="RW"),
]
CONTROLS: dict[str, Any] = {
    "BatterySetpoint": {
        "max": "most",
        "min": "-most",
        "set": {"power": "value", "mode": "remote"},
        "back": {"power": "original", "mode": "original"},
        "default": {"power": 0, "mode": "auto"},
    },
    "BatteryMode": {
        "options": {"hold": {"mode": "hold"}, "charge": {"low": 3, "high": 5, "mode": "hold"}},
        "back": {"mode": "original"},
        "default": {"mode": "auto"},
    },
    "MinSoc": {"register": "floor"},
    "MaxSoc": {"register": "mode_field"},
    "GridSetpoint": {
        "set": {"limit": 9, "beside": "value"},
        "back": {"limit": "original", "beside": "original"},
        "atomic": True,
    },
}


class Made(RegisterSimulator):
    made: ClassVar[RegisterMap]

    def units(self) -> dict[int, Unit]:
        return {1: Unit(self.made)}

    @property
    def unit(self) -> Unit:
        return self.bank.units[1]


class Kind(RegisterDevice):
    """A battery whose table the test gives; `offered` and `parts` may change while it lives."""

    kind = "made_up"
    Settings = RegisterSettings
    quantities: ClassVar[tuple[str, ...]] = ("BatteryPower", "BatterySoc")
    controls: ClassVar[tuple[str, ...]] = tuple(CONTROLS)
    made: ClassVar[RegisterMap]
    offered: ClassVar[tuple[str, ...] | None] = None

    def pacing(self) -> Pacing:
        return Pacing()

    def devices(self) -> Sequence[Bound]:
        return (Bound(device=self.id, table=self.made, controls=self.offered),)


def device(folder: Path, port: int, **more: Any) -> Kind:
    given: dict[str, Any] = {"interval": 0.1, "timeout": 0.5, "retries": 0, **more}
    settings = RegisterSettings(host="127.0.0.1", port=port, **given)
    config = Config(state=folder / "state")
    endpoint = Endpoint("localhost", 1)
    return Kind(Context("dut", settings, config, load_contract(), endpoint, Clock()))


@pytest.fixture(autouse=True)
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tables").mkdir()
    found = table(tmp_path / "tables", *ROWS, controls=CONTROLS)
    for each in (Kind, Made):
        monkeypatch.setattr(each, "made", found, raising=False)
    monkeypatch.setattr(Kind, "offered", None)


@contextlib.asynccontextmanager
async def at_home(sim: Made, folder: Path, **more: Any) -> AsyncIterator[Kind]:
    """A device that lives as in a bridge, and was read once."""
    found = device(folder, sim.port, **more)
    async with in_hand(found):
        with anyio.fail_after(5):
            while not found.desk.offered():  # noqa: ASYNC110 - it is polled
                await anyio.sleep(0.02)
        yield found


@contextlib.asynccontextmanager
async def simulator() -> AsyncIterator[Made]:
    async with Made() as sim:
        sim.unit.put({"mode": "owners", "power": 70, "most": 2000, "soc": 50, "limit": 9})
        yield sim


async def told(found: Kind, control: str, payload: str) -> str | None:
    return (await found.desk.submit(control, payload.encode())).error


async def until(ready: Any) -> None:
    with anyio.fail_after(5):
        while not ready():  # noqa: ASYNC110 - it is polled
            await anyio.sleep(0.02)


# ---------------------------------------------------------------------------- refused commands


async def test_a_command_that_is_refused_changes_nothing_at_all(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path) as found:
        sim.unit["most"] = 9000
        found.registers["dut"].values["most"] = 9000.0
        error = await told(found, "BatterySetpoint", "4000")
        assert error == "power 4000 is not between -3000 and 3000"
        assert not found.desk.owed("BatterySetpoint")
    assert sim.bank.writes == []


async def test_a_control_that_is_refused_leaves_the_one_that_is_held_alone(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path) as found:
        assert await told(found, "BatteryMode", "hold") is None
        before = list(sim.bank.writes)
        error = await told(found, "BatterySetpoint", "500")
        assert error == (
            "BatterySetpoint cannot be set while BatteryMode is held: give that back first"
        )
        assert sim.bank.writes == before
        assert sim.unit["mode"] == "hold"
        assert await told(found, "BatteryMode", "") is None
        assert sim.unit["mode"] == "owners"


async def test_another_name_for_a_row_that_is_held_is_refused_too(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path) as found:
        assert await told(found, "BatteryMode", "hold") is None
        assert "while BatteryMode is held" in (await told(found, "MaxSoc", "1") or "")
        assert sim.unit["mode"] == "hold"


async def test_a_stop_before_the_first_write_leaves_the_device_alone(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path, timeout=3) as found:
        sim.front.delay = 0.3  # type: ignore[attr-defined]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.desk.submit, "BatterySetpoint", b"500")
            await until(lambda: found.desk.owed("BatterySetpoint"))
            tasks.cancel_scope.cancel()
    assert sim.bank.writes == []


async def test_the_range_is_the_one_that_holds_now(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path) as found:
        found.registers["dut"].values["most"] = 400.0
        error = await told(found, "BatterySetpoint", "500")
        assert error == "BatterySetpoint 500 is not between -400 and 400 W"
    assert sim.bank.writes == []


# ---------------------------------------------------------------------------- writing


async def test_a_value_that_was_changed_on_the_device_is_written_again(tmp_path: Path) -> None:
    async with simulator() as sim:
        sim.unit["floor"] = 20
        async with at_home(sim, tmp_path) as found:
            await until(lambda: found.registers["dut"].values["floor"] == 20)
            sim.unit["floor"] = 30  # on its display; it is read every 30 s only
            assert await told(found, "MinSoc", "20") is None
            assert sim.unit["floor"] == 20


async def test_two_fields_of_one_word_are_read_back_as_fields(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path) as found:
        asked = len(sim.bank.reads)
        assert await told(found, "BatteryMode", "charge") is None
        assert sim.unit.words[22] == 0x53
        # Once before the steps and once after them: the first try was right.
        assert len([each for each in sim.bank.reads[asked:] if 20 <= each[1] <= 22]) == 2


async def test_rows_in_flash_count_also_when_they_only_go_along(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path, daily_writes=2) as found:
        # `limit` holds 9 already, and goes out with the row beside it.
        assert await told(found, "GridSetpoint", "9") is None
        assert await told(found, "GridSetpoint", "8") is None
        assert "is kept in flash" in (await told(found, "GridSetpoint", "7") or "")
        assert sim.unit["beside"] == 0  # given back, which is exempt


# ---------------------------------------------------------------------------- giving back


async def test_what_is_refused_does_not_keep_the_rest_from_being_given_back(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path) as found:
        assert await told(found, "BatterySetpoint", "500") is None

        def refuse(address: int, _words: list[int]) -> None:
            if address == 21:
                raise Refuse(ILLEGAL_VALUE)

        sim.unit.written = refuse
        assert "could not be given back yet" in (await told(found, "BatterySetpoint", "") or "")
        assert sim.unit["mode"] == "owners"
        assert found.desk.owed("BatterySetpoint")


async def test_a_row_in_flash_that_takes_nothing_is_not_worn_out(tmp_path: Path) -> None:
    async with simulator() as sim, at_home(sim, tmp_path, daily_writes=2) as found:
        assert await told(found, "GridSetpoint", "5") is None
        sim.fault = "ignore_writes"
        before = len(sim.bank.writes)
        for _ in range(12):
            assert await told(found, "GridSetpoint", "") is not None
        assert len(sim.bank.writes) - before <= 2 * 4


async def test_originals_that_fit_no_row_any_more_are_left_out(tmp_path: Path) -> None:
    async with simulator() as sim:
        first = device(tmp_path, sim.port)
        noted = Originals(first.state)
        noted.note("dut", "BatterySetpoint", {"power": (1, 2), "former_row": (7,), "mode": (3,)})
        first.state.save("leases", {"held": [["dut", "BatterySetpoint"]]})
        sim.unit.put({"mode": "remote", "power": 900})
        async with at_home(sim, tmp_path) as found:
            await until(lambda: not found.desk.owed("BatterySetpoint"))
        assert (sim.unit["mode"], sim.unit["power"]) == ("owners", 0)


async def test_a_control_that_is_not_offered_any_more_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulator() as sim:
        first = device(tmp_path, sim.port)
        Originals(first.state).note("dut", "BatterySetpoint", {"power": (70,), "mode": (3,)})
        first.state.save("leases", {"held": [["dut", "BatterySetpoint"]]})
        sim.unit.put({"mode": "remote", "power": 900})
        monkeypatch.setattr(Kind, "offered", ("MinSoc",))
        async with at_home(sim, tmp_path) as found:
            await until(lambda: sim.unit["mode"] == "owners")
            await until(lambda: not found.desk.owed("BatterySetpoint"))
            assert await told(found, "BatterySetpoint", "100") == (
                "dut has no control BatterySetpoint"
            )
        assert sim.unit["power"] == 70


async def test_what_nobody_can_give_back_is_told(tmp_path: Path) -> None:
    async with simulator() as sim:
        first = device(tmp_path, sim.port)
        Originals(first.state).note("dut", "ChargeCurrent", {"amps": (70,)})
        async with at_home(sim, tmp_path) as found:
            await until(lambda: found.warnings)
            assert list(found.warnings.values()) == [
                "ChargeCurrent of dut cannot be given back: it is another device now"
            ]


# ---------------------------------------------------------------------------- another device


async def test_a_name_that_cannot_be_read_at_the_start_is_asked_for_again(tmp_path: Path) -> None:
    async with simulator() as sim:
        sim.unit["name"] = "HX-5"
        found = device(tmp_path, sim.port)
        async with found.direct():
            read = sim.unit.read

            def busy(address: int, count: int) -> list[int]:
                if address == 60:
                    raise Refuse(BUSY)
                return read(address, count)

            sim.unit.read = busy  # type: ignore[method-assign]
            await found.read_all()
            sim.unit.read = read  # type: ignore[method-assign]
            await found.read_all()
            assert found.registers["dut"].info()["model"] == "HX-5"


async def test_a_device_that_comes_back_is_asked_anew_who_it_is(tmp_path: Path) -> None:
    async with simulator() as sim:
        sim.unit["name"] = "HX-5"
        found = device(tmp_path, sim.port)
        async with found.direct():
            await found.read_all()
            await found.device_status("offline", "unplugged")
            sim.unit["name"] = "HX-8"
            await found.read_all()
            assert found.registers["dut"].info()["model"] == "HX-8"


async def test_what_another_device_does_not_give_becomes_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulator() as sim:
        found = device(tmp_path, sim.port)
        async with found.direct():
            assert (await found.read_all())["dut"] == {"BatteryPower": 0, "BatterySoc": 50}
            await found.device_status("offline", "unplugged")
            smaller = table(tmp_path / "tables", ROWS[0])
            monkeypatch.setattr(Kind, "made", smaller)
            assert (await found.read_all())["dut"] == {"BatteryPower": 0, "BatterySoc": None}
