"""The simulator as seen by aioshelly, the library that Home Assistant uses."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from actors.devices.shelly.sim import MODELS, Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "aioshelly_check.py"
LOOPBACK = "127.0.0.2"
LATER = [name for name, model in MODELS.items() if model.generation > 1]
FIRST = [name for name, model in MODELS.items() if model.generation == 1]

# The first run installs aioshelly, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def aioshelly() -> Path:
    return oracle_python(["aioshelly==13.35.0"])


@pytest.mark.parametrize(
    ("password", "firmware"), [(None, None), ("shpw", None), ("shpw", "2.0.0")]
)
@pytest.mark.parametrize("model", LATER)
async def test_rpc_devices(
    aioshelly: Path, model: str, password: str | None, firmware: str | None
) -> None:
    powers = [1500.0, -700.0, 20.0]
    async with Simulator(model, power=powers, password=password, firmware=firmware) as sim:
        sim.advance(7200)
        arguments = [sim.host, str(sim.port), *([password] if password else [])]
        seen = await ask_oracle(aioshelly, SCRIPT, "rpc", *arguments)
    assert seen["model"] == MODELS[model].code
    assert seen["gen"] == MODELS[model].generation
    assert seen["firmware_supported"] is True
    assert "Shelly.GetStatus" in seen["methods"]
    assert {"sys", "wifi"} <= set(seen["config"])
    assert seen["unknown"] == [404, "No handler for No.Such"]
    assert seen.get("wrong_password") == ("refused" if password else None)
    if MODELS[model].outputs:
        assert seen["pushed"]["output"] is False
    check_status(model, seen["status"], seen.get("pushed", {}))


def check_status(model: str, status: dict[str, Any], pushed: dict[str, Any]) -> None:
    if model == "pro3em":
        assert status["em:0"]["total_act_power"] == 820.0
        assert status["em:0"]["b_act_power"] == -700.0
        assert status["emdata:0"]["total_act"] == 3040.0
        assert status["emdata:0"]["b_total_act_ret_energy"] == 1400.0
    elif model == "proem50":
        assert [status[f"em1:{n}"]["act_power"] for n in (0, 1)] == [1500.0, -700.0]
        assert status["em1data:1"]["total_act_ret_energy"] == 1400.0
    elif model == "plus2pm":
        assert [status[f"switch:{n}"]["apower"] for n in (0, 1)] == [1500.0, -700.0]
        assert pushed["apower"] == 0.0
    elif model == "plus1pm":
        assert status["switch:0"]["apower"] == 1500.0
        assert status["switch:0"]["aenergy"]["total"] == 3000.0
        assert pushed["apower"] == 0.0
    elif model == "pmmini_g3":
        assert status["pm1:0"]["apower"] == 1500.0
        assert status["pm1:0"]["ret_aenergy"]["total"] == 0.0
    else:
        assert "apower" not in status["switch:0"]


async def test_rpc_monophase(aioshelly: Path) -> None:
    async with Simulator("pro3em", profile="monophase", power=[1.0, 2.0, -3.0]) as sim:
        seen = await ask_oracle(aioshelly, SCRIPT, "rpc", sim.host, str(sim.port))
    assert "em:0" not in seen["status"]
    assert [seen["status"][f"em1:{n}"]["act_power"] for n in range(3)] == [1.0, 2.0, -3.0]
    assert "EM1.GetStatus" in seen["methods"]
    assert "EM.GetStatus" not in seen["methods"]


@pytest.mark.parametrize("password", [None, "shpw"])
@pytest.mark.parametrize("model", FIRST)
async def test_block_devices(aioshelly: Path, model: str, password: str | None) -> None:
    try:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 80))
    except OSError as error:
        pytest.skip(f"aioshelly insists on port 80, and {LOOPBACK}:80 is closed to us: {error}")
    powers = [-900.0, 10.0, 20.0]
    async with Simulator(model, LOOPBACK, 80, power=powers, password=password) as sim:
        arguments = [LOOPBACK, *([password] if password else [])]
        seen = await ask_oracle(aioshelly, SCRIPT, "block", *arguments)
        assert sim.output == [False]
    assert seen["model"] == MODELS[model].code
    assert seen["firmware_supported"] is True
    assert seen["requires_auth"] is (password is not None)
    assert seen.get("wrong_password") == ("refused" if password else None)
    assert seen["relay"]["ison"] is False
    status = seen["status"]
    if model == "3em":
        assert status["total_power"] == -870.0
    if model in {"em", "3em"}:
        assert status["emeters"][0]["power"] == -900.0
    if model == "plug_s":
        assert status["meters"][0]["power"] == -900.0
