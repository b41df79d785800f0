"""The skeleton of an inverter made of registers, copied with its test and run as a real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import DeviceError
from tests.actors.kinds import INVERTER, ROOT, last, make, running, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config.kinds import Kind
    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SET = "heliograph/Devices/dut/BatterySetpoint/Set"
# A slip of the pen in the table -> the words in it that it changes.
SLIPS = {
    "read": ("read: holding", "read: input"),
    "write": ("write: auto", "write: multiple"),
    "unit": ("unit: 1 ", "unit: 3 "),
    "word_order": ("word_order: little", "word_order: big"),
    "watchdog": ("watchdog: 60", "watchdog: 600"),
    "back": ("back: {mode: auto, setpoint: 0}", "back: {mode: auto}"),
    "sign of a reading": ("factor: -1,", "factor: 1,"),
    "sign of a setpoint": ("setpoint: -value", "setpoint: value"),
    "range": ("min: -5000\n    max: 5000", "min: -4000\n    max: 4000"),
    "no value": ("s16: 0x8000", "s16: 0x7FFF"),
    "valid": ("valid: [0, 100]", "valid: [0, 200]"),
}


def copied_tests(kind: Kind) -> Path:
    """The tests that CONTRIBUTING's commands have copied beside the kind."""
    return kind.folder.parents[2] / "tests" / INVERTER


def start(folder: Path) -> subprocess.Popen[str]:
    """The copied tests below `folder`, in a process of their own."""
    top = folder / "tests" / INVERTER
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.conftest", str(top)]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    path = os.pathsep.join((str(folder), str(ROOT)))
    return subprocess.Popen(
        [*command, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_copy_has_its_own_name_everywhere(inverter: Kind) -> None:
    assert inverter.load().kind == INVERTER
    files = [*inverter.folder.glob("*.*"), *copied_tests(inverter).glob("*.*")]
    assert "test_yourinverter.py" in {path.name for path in files}
    for path in files:
        assert "template" not in path.read_text().lower(), path.name


def test_the_copied_tests_pass(inverter: Kind) -> None:
    with start(inverter.folder.parents[2]) as process:
        told, _ = process.communicate(timeout=50)
        assert process.returncode == 0, told
        assert re.search(r"\b[6-9] passed", told)


@pytest.mark.slow
@pytest.mark.parametrize("slip", SLIPS)
def test_the_copied_tests_notice_a_slip_of_the_pen(
    inverter: Kind, tmp_path: Path, slip: str
) -> None:
    right, wrong = SLIPS[slip]
    whole = inverter.folder.parents[2]
    shutil.copytree(
        whole, tmp_path, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    table = tmp_path / inverter.folder.relative_to(whole) / "registers.yaml"
    text = table.read_text(encoding="utf-8")
    assert text.count(right) == 1
    table.write_text(text.replace(right, wrong), encoding="utf-8")
    with start(tmp_path) as process:
        told, _ = process.communicate(timeout=50)
    assert process.returncode == 1, told
    assert "1 failed" in told


def results(them: Link) -> list[Any]:
    return [
        json.loads(each) for each in them.payloads("heliograph/Devices/dut/BatterySetpoint/Result")
    ]


async def test_a_write_that_the_device_ignores_is_told(
    inverter: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    simulator: Any = inverter.simulator()
    async with simulator.Simulator() as sim:
        settings = settings_for(inverter, sim)
        async with running(inverter, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            sim.fault = "ignore_writes"
            them.connection.send(SET, b"1500", qos=1)
            await them.until(lambda: len(results(them)) == 1)
            assert results(them)[0]["ok"] is False
            assert results(them)[0]["error"] == ("setpoint was set to -1500, but the device has 0")
            sim.fault = None
            them.connection.send(SET, b"1500", qos=1)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "1500", 3)


async def test_without_a_bridge_a_control_needs_a_device_that_answers(
    inverter: Kind, tmp_path: Path
) -> None:
    simulator: Any = inverter.simulator()
    async with simulator.Simulator() as sim:
        actor: Any = make(inverter, settings_for(inverter, sim), tmp_path)
        with pytest.raises(DeviceError, match="does not answer yet"):
            await actor.write_control("BatterySetpoint", 5.0, device="dut")
