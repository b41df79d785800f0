"""What the register sheet says, worked out by hand: replace addresses, words and figures by yours.

Nothing here asks the table what is right: a slip of the pen in `registers.yaml` must fail here.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actors._template_registers.actor import TemplateRegisters
from actors._template_registers.sim import TABLE, Simulator
from tests.actors.kinds import kind_of, last, make, running, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

KIND = kind_of(TemplateRegisters)
UNIT = 1  # the sheet's Modbus unit id
READ, WRITE = 3, 6  # its functions: 3 holding or 4 input registers; 6 one word or 16 several
CONTROL = "BatterySetpoint"


def silent(sim: Any) -> Any:
    """The unit of a simulator whose house no longer moves its registers.

    `show` puts the simulated house into the registers before each answer. Without it they hold what
    the test puts there: `unit.words` is address -> word, as it goes over the wire.
    """
    sim.show = lambda: None
    return sim.bank.units[UNIT]


# ------------------------------------------------------------------------------- what is read


async def test_words_mean_what_a_person_reads_in_the_sheet(tmp_path: Path) -> None:
    async with Simulator() as sim:
        unit = silent(sim)
        # PvPower 0x0001E240, low word first; BatteryPower 0xFF9C is -100, where + is charging.
        unit.words.update({0: 1, 1: 0xE240, 2: 0x0001, 3: 0xFF9C, 4: 553, 5: 0xFFDB})
        unit.words.update({6: 0x0001, 7: 0x0000})
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            assert await actor.read_once() == {
                "InverterState": "running",
                "PvPower": 123456,
                "BatteryPower": 100,
                "BatterySoc": 55.3,
                "InverterTemperature": -3.7,
                "PvEnergy": 0.1,
            }


async def test_what_the_sheet_calls_no_value_is_unknown(tmp_path: Path) -> None:
    async with Simulator() as sim:
        unit = silent(sim)
        unit.words.update({0: 9, 4: 0xFFFF, 5: 0x8000})
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            found = await actor.read_once()
            assert found["InverterState"] is None
            assert found["BatterySoc"] is None
            assert found["InverterTemperature"] is None
            unit.words[4] = 1001  # 100.1 % cannot be
            assert (await actor.read_once())["BatterySoc"] is None


# ---------------------------------------------------------------------------- what is written


async def test_what_goes_over_the_wire(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            await actor.read_once()
            assert {(unit, function) for unit, function, _, _ in sim.bank.log} == {(UNIT, READ)}
            # 1500 W of discharge: the sheet has + for charging, and -1500 is 0xFA24.
            assert await actor.write_control(CONTROL, 1500.0, device="dut") == 1500
            assert sim.bank.units[UNIT].words[21] == 0xFA24
            assert sim.bank.units[UNIT].words[20] == 1
            assert sim.plant.battery == 1500
            await actor.write_control(CONTROL, None, device="dut")
            assert sim.bank.units[UNIT].words[21] == 0
            assert sim.bank.units[UNIT].words[20] == 0
        written = [each for each in sim.bank.log if isinstance(each[3], list)]
        assert written == [
            (UNIT, WRITE, 21, [0xFA24]),
            (UNIT, WRITE, 20, [1]),
            (UNIT, WRITE, 20, [0]),
            (UNIT, WRITE, 21, [0]),
        ]


def results(them: Link) -> list[Any]:
    found = them.payloads(f"heliograph/Devices/dut/{CONTROL}/Result")
    return [json.loads(each) for each in found]


async def test_a_setpoint_is_lent_and_given_back_at_the_stop(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    asked = f"heliograph/Devices/dut/{CONTROL}/Set"
    async with Simulator() as sim:
        settings = settings_for(KIND, sim)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-2200")
            them.connection.send(asked, b"1500", qos=1)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "1500", 2)
            await them.until(lambda: last(them, f"Devices/dut/{CONTROL}") == "1500")
            assert results(them) == [{"id": None, "ok": True, "value": 1500.0, "error": None}]
            them.connection.send(asked, b"6000", qos=1)
            await them.until(lambda: len(results(them)) == 2)
            assert results(them)[1]["error"] == f"{CONTROL} 6000 is not between -5000 and 5000 W"
            them.connection.send(asked, b"-800", qos=1)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-800", 2)
        assert sim.bank.units[UNIT]["mode"] == "auto"
        assert sim.bank.units[UNIT]["setpoint"] == 0
        assert sim.plant.setpoint is None
        assert last(them, f"Devices/dut/{CONTROL}") == ""


async def test_what_a_killed_run_left_is_given_back_at_the_start(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator() as sim:
        state = tmp_path / "dut"
        state.mkdir(parents=True)
        (state / "leases.json").write_text(f'{{"held": [["dut", "{CONTROL}"]]}}')
        unit = sim.bank.units[UNIT]
        unit.put({"mode": "remote", "setpoint": -3000})
        async with running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them:
            await them.until(lambda: unit["mode"] == "auto", 3)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-2200", 3)
        assert CONTROL not in (state / "leases.json").read_text()


# ------------------------------------------------------------------------------- the watchdog


async def test_the_inverter_forgets_a_setpoint_after_a_minute() -> None:
    async with Simulator() as sim:
        sim.bank.units[UNIT].write(21, [0xFA24])
        sim.bank.units[UNIT].write(20, [1])
        sim.forward(60)
        assert sim.plant.battery == 1500
        sim.bank.units[UNIT].write(20, [1])  # no sign of life: only the setpoint's own row is one
        sim.forward(1)
        assert sim.plant.setpoint is None


async def test_the_watchdog_is_fed_at_half_of_it(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = TABLE.controls[CONTROL]
    assert entry.watchdog == 60, "as the sheet says"
    # A minute is too long for a test: the same with 0.6 s, on both sides.
    hasty = replace(TABLE, controls={CONTROL: replace(entry, watchdog=0.6)})
    monkeypatch.setattr(TemplateRegisters, "map", classmethod(lambda _cls, _name=None: hasty))
    async with Simulator() as sim:
        sim.watchdog = 0.6
        async with running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-2200")
            them.connection.send(f"heliograph/Devices/dut/{CONTROL}/Set", b"1500", qos=1)

            def fed() -> int:
                return sim.bank.writes.count((UNIT, 21, [0xFA24]))

            await them.until(lambda: fed() >= 4, 5)
            sim.tick()
            assert sim.plant.setpoint == 1500, "it never had to forget"
