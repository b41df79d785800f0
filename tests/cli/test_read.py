"""`heliograph read` and `doctor`: all quantities with units, and what a device refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors._template.sim import Simulator
from bridge.cli.main import main
from bridge.cli.table import foremost
from bridge.config.kinds import all_kinds
from bridge.hold import Hold

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.command import Commands

Capsys = pytest.CaptureFixture[str]
# Of the others no register says whether they are set.
CONTROLS = {
    "deye": (
        *("WorkMode", "ExportLimit", "ZeroExportPower", "GridCharge", "GridChargeCurrent"),
        *("MaxChargeCurrent", "MaxDischargeCurrent", "MinSoc", "TimeOfUse", "BatterySetpoint"),
        "Schedule",
    ),
    "goodwe": ("WorkMode", "MinSoc", "ExportLimit"),
    "sma": (),
    "sun2000": ("MaxChargePower", "MaxDischargePower", "MinSoc", "MaxSoc", "ExportLimit"),
    "sunspec": ("MaxChargePower", "MaxDischargePower", "MinSoc"),
    "victron_modbus": (
        *("MinSoc", "MaxChargeCurrent", "MaxDischargePower", "ExportLimit", "EssMode"),
        "GridSetpoint",
    ),
}
INVERTERS = ("deye", "goodwe", "sma", "sun2000", "sunspec", "victron_modbus")


def simulator(name: str, **options: Any) -> Any:
    module: Any = all_kinds()[name].simulator()
    return module.Simulator(host="127.0.0.1", port=0, **options)


def configured(folder: Path, name: str, sim: Any, more: str = "") -> str:
    path = folder / "house.yaml"
    settings = f"kind: {name}, host: 127.0.0.1, port: {sim.port}{more}"
    path.write_text(
        f'broker: {{url: "mqtt://127.0.0.1:1"}}\nstate: {folder}/state\n'
        f"actors:\n  ess: {{{settings}}}\n"
    )
    return str(path)


async def command(*words: str) -> int:
    return await anyio.to_thread.run_sync(main, list(words))


async def test_a_reading_has_values_and_units(heliograph: Commands) -> None:
    async with Simulator(power=3120.5) as sim:
        heliograph.configure(sim.port)
        code, out, err = await heliograph.run("read", "ess", "--json")
        assert (code, err) == (0, "")
        assert json.loads(out) == {
            "PvPower": {"value": 3120.5, "unit": "W"},
            "PvEnergy": {"value": 8123.456, "unit": "kWh"},
        }
        sim.status["power_w"] = None
        code, out, _ = await heliograph.run("read", "ess")
        assert out.splitlines()[0].split() == ["PvPower", "unknown"]
        assert out.splitlines()[1].split() == ["PvEnergy", "8123.456", "kWh"]
        code, _, err = await heliograph.run("read", "ess", "--device", "east")
        assert (code, err) == (2, "ess has no device ess-east; it has ess\n")


async def test_a_running_bridge_may_be_why_a_device_does_not_answer(heliograph: Commands) -> None:
    heliograph.configure(1)
    code, _, err = await heliograph.run("read", "ess")
    assert (code, err) == (1, "the device at 127.0.0.1:1 cannot be reached\n")
    hold = Hold(heliograph.state, "ess", "bridge")
    assert hold.take() is None
    code, _, err = await heliograph.run("read", "ess")
    assert code == 1
    assert err.startswith(
        "the device at 127.0.0.1:1 cannot be reached; the running bridge (process"
    )
    assert err.endswith(") has it, and some devices take only one client at a time\n")
    hold.release()
    assert hold.take() is None, "a look takes nothing away"
    hold.release()


@pytest.mark.parametrize("name", INVERTERS)
async def test_every_inverter_is_read_with_units(name: str, tmp_path: Path, capsys: Capsys) -> None:
    async with simulator(name) as sim:
        config = configured(tmp_path, name, sim)
        assert await command("read", "ess", "--config", config, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    own = found.get("ess", found)
    assert set(own.pop("controls", {})) == set(CONTROLS[name])
    known = [name for name, each in own.items() if each["value"] is not None]
    assert len(known) > 5
    assert own["InverterPower" if name == "sunspec" else "GridPower"]["unit"] == "W"
    assert {each["unit"] for each in own.values()} > {"W"}


async def test_what_the_controls_are_set_to_is_read_too(tmp_path: Path, capsys: Capsys) -> None:
    async with simulator("deye") as sim:
        config = configured(tmp_path, "deye", sim)
        sim.rows["battery_shutdown_soc"] = 23
        sim.rows["tou_enable"] = "on"
        assert await command("read", "ess", "--config", config, "--json") == 0
        controls = json.loads(capsys.readouterr().out)["controls"]
        assert controls["MinSoc"] == {"value": 23, "unit": "%"}
        assert controls["WorkMode"] == {"value": "export_first", "unit": None}
        assert controls["TimeOfUse"] == {"value": True, "unit": None}
        assert controls["BatterySetpoint"] == {"value": None, "unit": "W"}
        assert controls["Schedule"]["value"].startswith("00:00 12000W 80% grid; 05:00 ")
        assert await command("read", "ess", "--config", config) == 0
    quantities, _, shown = capsys.readouterr().out.partition("controls, as they are set now\n")
    assert "BatterySoc" in quantities
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert (lines["MinSoc"], lines["WorkMode"]) == ("23 %", "export_first")
    assert (lines["TimeOfUse"], lines["BatterySetpoint"]) == ("on", "unknown")


async def test_an_actor_with_several_devices_shows_all_of_them(
    tmp_path: Path, capsys: Capsys
) -> None:
    async with simulator("victron_modbus") as sim:
        config = configured(tmp_path, "victron_modbus", sim)
        assert await command("read", "ess", "--config", config, "--json") == 0
        every = json.loads(capsys.readouterr().out)
        assert {"ess", "ess-vebus", "ess-battery", "ess-grid"} <= set(every)
        assert await command("read", "ess", "--config", config) == 0
        heads = [line for line in capsys.readouterr().out.splitlines() if line.endswith(":")]
        assert heads == [f"{device}:" for device in every]
        words = ("read", "ess", "--config", config, "--device", "battery", "--json")
        assert await command(*words) == 0
        assert set(json.loads(capsys.readouterr().out)) == set(every["ess-battery"])


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no broker: do not wait for it."""
    monkeypatch.setattr("bridge.cli.doctor_broker.CONNECT", 0.1)


@pytest.mark.usefixtures("hasty")
async def test_doctor_says_which_registers_a_device_refuses(tmp_path: Path, capsys: Capsys) -> None:
    async with simulator("goodwe", transport="modbus") as sim:
        config = configured(tmp_path, "goodwe", sim, ", transport: modbus")
        sim.inverter.sealed.update(range(35105, 35107))
        await command("doctor", "--config", config, "--json")
    findings = json.loads(capsys.readouterr().out)
    told = [each for each in findings if each["what"] == "goodwe ess"]
    assert told[0]["ok"] is True
    remarks = [each["sentence"] for each in told[1:]]
    assert "it refuses 1 register: ppv1 (35105)" in remarks
    refused, absent = remarks[1:]
    assert "values are unknown, because the device refuses their registers: " in refused
    assert "PvString1Power" in refused
    assert "values are unknown, because the device says that it has no value: " in absent
    assert "PvString3Power" in absent


@pytest.mark.usefixtures("hasty")
async def test_doctor_reads_every_inverter(tmp_path: Path, capsys: Capsys) -> None:
    async with simulator("sma") as sim:
        config = configured(tmp_path, "sma", sim)
        await command("doctor", "--config", config)
        assert "ok     sma ess: " in capsys.readouterr().out
        await sim.stop()
        await command("doctor", "--config", config)
        assert "WRONG  sma ess: 127.0.0.1:" in capsys.readouterr().out


def test_what_people_look_for_comes_first() -> None:
    told = {"at": None, "BatteryCycles": 272, "BatteryPower": 0, "PvPower": None, "GridPower": -5}
    assert list(foremost(told, 2).items()) == [("GridPower", -5), ("BatteryPower", 0)]
    assert list(foremost(told, 9)) == ["GridPower", "BatteryPower", "BatteryCycles"]


@pytest.mark.usefixtures("hasty")
async def test_a_device_of_which_nothing_is_known_is_not_ok(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulator("sun2000") as sim:
        config = configured(tmp_path, "sun2000", sim)
        found = all_kinds()["sun2000"].load()
        monkeypatch.setattr(
            found, "refine", lambda _self, _device, values, _rows: dict.fromkeys(values)
        )
        assert await command("doctor", "--config", config) == 1
    out = capsys.readouterr().out
    assert "WRONG  sun2000 ess: it answers, but not one of its" in out
    assert "ok     sun2000" not in out
