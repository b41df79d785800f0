"""What a command loads: nothing heavy that it does not use."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.actors.kinds import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = (
    *("aiohttp", "amqtt", "dbus_fast", "jmespath", "pymodbus", "rich", "zeroconf"),
    *("bridge.importing", "bridge.registers", "bridge.switching.companion", "bridge.cli.watch"),
)
_LOOK = """\
import sys
from bridge.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("LOADED", *sys.modules)
"""


def loaded(*words: str) -> set[str]:
    """The modules that are there after a command."""
    command = [sys.executable, "-c", _LOOK, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("run", "--help")])
def test_help_loads_neither_a_library_of_devices_nor_mqtt(words: tuple[str, ...]) -> None:
    found = loaded(*words)
    heavy = {*HEAVY, "aiomqtt", "asyncio"} - {"bridge.cli.watch"}
    assert found & heavy == set()


def test_check_loads_only_what_the_kinds_need(tmp_path: Path) -> None:
    house = tmp_path / "house.yaml"
    house.write_text("site: {grid: meter}\nactors:\n  meter: {kind: shelly, host: 127.0.0.1}\n")
    found = loaded("check", str(house))
    assert "actors.devices.shelly.actor" in found
    assert found & set(HEAVY) == set()
    assert "actors.venus.venus_mqtt.actor" not in found
