"""The simulator as seen by aioshelly, the library that Home Assistant uses.

One process of it looks at all simulators side by side: it takes longer to start than to look.
"""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from actors.devices.shelly.sim import MODELS, Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "aioshelly_check.py"
LATER = [name for name, model in MODELS.items() if model.generation > 1]
FIRST = [name for name, model in MODELS.items() if model.generation == 1]
LOGINS = [(None, None), ("shpw", None), ("shpw", "2.0.0")]

# The first run installs aioshelly, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def aioshelly() -> Path:
    return oracle_python(["aioshelly==13.35.0"])


async def seen_by(aioshelly: Path, cases: list[list[Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await ask_oracle(aioshelly, SCRIPT, json.dumps(cases))
    assert len(found) == len(cases)
    return found


async def test_rpc_devices(aioshelly: Path) -> None:
    powers = [1500.0, -700.0, 20.0]
    kinds = [(model, *login) for model in LATER for login in LOGINS]
    async with contextlib.AsyncExitStack() as stack:
        sims = [
            await stack.enter_async_context(
                Simulator(model, power=powers, password=password, firmware=firmware)
            )
            for model, password, firmware in kinds
        ]
        for sim in sims:
            sim.advance(7200)
        cases = [["rpc", sim.host, sim.port, sim.password] for sim in sims]
        found = await seen_by(aioshelly, cases)
    assert len(kinds) == 3 * len(LATER) >= 15
    for (model, password, firmware), seen in zip(kinds, found, strict=True):
        where = (model, password, firmware, seen)
        assert "failed" not in seen, where
        assert seen["model"] == MODELS[model].code, where
        assert seen["gen"] == MODELS[model].generation, where
        assert seen["firmware_supported"] is True, where
        assert "Shelly.GetStatus" in seen["methods"], where
        assert {"sys", "wifi"} <= set(seen["config"]), where
        assert seen["unknown"] == [404, "No handler for No.Such"], where
        assert seen.get("wrong_password") == ("refused" if password else None), where
        if MODELS[model].outputs:
            assert seen["pushed"]["output"] is False, where
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
        (seen,) = await seen_by(aioshelly, [["rpc", sim.host, sim.port, None]])
    assert "em:0" not in seen["status"]
    assert [seen["status"][f"em1:{n}"]["act_power"] for n in range(3)] == [1.0, 2.0, -3.0]
    assert "EM1.GetStatus" in seen["methods"]
    assert "EM.GetStatus" not in seen["methods"]


async def test_block_devices(aioshelly: Path) -> None:
    """The library asks the first generation on port 80 only: each has an address of its own."""
    kinds = [(model, password) for model in FIRST for password in (None, "shpw")]
    hosts = [f"127.0.0.{number}" for number in range(2, 2 + len(kinds))]
    for host in hosts:
        try:
            with socket.socket() as probe:
                probe.bind((host, 80))
        except OSError as error:
            pytest.skip(f"aioshelly insists on port 80, and {host}:80 is closed to us: {error}")
    powers = [-900.0, 10.0, 20.0]
    async with contextlib.AsyncExitStack() as stack:
        sims = [
            await stack.enter_async_context(
                Simulator(model, host, 80, power=powers, password=password)
            )
            for (model, password), host in zip(kinds, hosts, strict=True)
        ]
        cases = [["block", sim.host, sim.password] for sim in sims]
        found = await seen_by(aioshelly, cases)
        assert [sim.output for sim in sims] == [[False]] * len(kinds)
    for (model, password), seen in zip(kinds, found, strict=True):
        where = (model, password, seen)
        assert "failed" not in seen, where
        assert seen["model"] == MODELS[model].code, where
        assert seen["firmware_supported"] is True, where
        assert seen["requires_auth"] is (password is not None), where
        assert seen.get("wrong_password") == ("refused" if password else None), where
        assert seen["relay"]["ison"] is False, where
        status = seen["status"]
        if model == "3em":
            assert status["total_power"] == -870.0
        if model in {"em", "3em"}:
            assert status["emeters"][0]["power"] == -900.0
        if model == "plug_s":
            assert status["meters"][0]["power"] == -900.0
