"""The simulator as seen by two independent clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.chargers.wattpilot.sim import PASSWORD, Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPTS = Path(__file__).parents[1] / "oracles"
FIRST, SECOND = SCRIPTS / "wattpilot_check.py", SCRIPTS / "wattpilot_api_check.py"

# The first run installs them, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def wattpilot() -> Path:
    return oracle_python(["wattpilot==0.2"])


@pytest.fixture(scope="module")
def wattpilot_api() -> Path:
    return oracle_python(["wattpilot-api==1.6.0"], least=(3, 12))


def quick(**more: object) -> Simulator:
    return Simulator(**{"period": 0.1, "speed": 20.0, "parts": 3, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("secured", [True, False])
async def test_wattpilot_reads_and_sets(wattpilot: Path, secured: bool) -> None:
    async with quick(secured=secured) as sim:
        seen = await ask_oracle(wattpilot, FIRST, f"127.0.0.1:{sim.port}", PASSWORD)
        keys = set(sim.status())
    before, after = seen["before"], seen["after"]
    assert (before["serial"], before["devicetype"]) == ("32154321", "wattpilot")
    assert before["version"] == "40.7"
    assert before["secured"] is (True if secured else None)
    assert (before["mode"], before["amp"], before["power"]) == ("Eco", 16, 0)
    assert (before["car"], before["allowed"], before["access"]) == ("ready", False, "Open")
    assert (before["voltage1"], before["frequency"]) == (230, 49.982)
    assert before["total"] == 1_076_098
    assert set(before["keys"]) == keys
    # One phase of 9 A at 230 V; this client counts in kW.
    assert (after["mode"], after["amp"], after["car"]) == ("Default", 9, "charging")
    assert after["power"] == pytest.approx(2.07, abs=0.7)
    assert (after["power3"], after["amps2"]) == (0, 0)
    assert after["phases"] == [True, True, True, True, False, False]
    assert [each["success"] for each in seen["answers"]] == [True, True, True, True, False]
    assert seen["answers"][-1]["message"] == "unknown key"
    assert sim.commands == [("amp", 9), ("lmo", 3), ("psm", 1), ("frc", 2), ("nope", 1)]


async def test_wattpilot_is_refused_with_a_wrong_password(wattpilot: Path) -> None:
    async with quick() as sim:
        seen = await ask_oracle(wattpilot, FIRST, f"127.0.0.1:{sim.port}", "wrong")
    assert seen["connected"] is False
    assert [each["message"] for each in seen["answers"]] == ["Wrong password"]


@pytest.mark.parametrize("announce", [True, False])
@pytest.mark.parametrize("model", ["home_11", "flex"])
async def test_wattpilot_api_reads_and_sets(
    wattpilot_api: Path, model: str, announce: bool
) -> None:
    async with quick(model=model, announce=announce) as sim:
        seen = await ask_oracle(wattpilot_api, SECOND, f"127.0.0.1:{sim.port}", PASSWORD)
        keys = set(sim.status())
    before, after = seen["before"], seen["after"]
    flex = model == "flex"
    assert before["device_type"] == ("wattpilot_flex" if flex else "wattpilot")
    assert (before["serial"], before["version"]) == ("32154321", "40.7")
    assert (before["mode"], before["amp"]) == (4, 32 if flex else 16)
    assert before["amx"] == before["amp"]
    assert (before["voltage1"], before["power"], before["error"]) == (230, 0, 0)
    assert keys <= set(before["keys"])
    assert (after["mode"], after["amp"], after["amx"]) == (3, 9, 8)
    assert after["car"] == 2
    assert after["amps2"] == 0
    # One phase of 8 A at 230 V; this one counts in kW, too.
    assert 1.3 < after["power"] <= 1.84
    assert "value out of range" in seen["refused"]
    assert sim.logins == 1


@pytest.mark.parametrize("answer_ids", ["text", "number"])
async def test_wattpilot_api_without_signatures(wattpilot_api: Path, answer_ids: str) -> None:
    async with quick(secured=False, volatile=False) as sim:
        sim.answer_ids = answer_ids
        seen = await ask_oracle(wattpilot_api, SECOND, f"127.0.0.1:{sim.port}", PASSWORD)
    assert seen["after"]["amp"] == 9
    assert seen["before"]["amx"] is None


@pytest.mark.parametrize("model", ["home_11", "flex"])
async def test_wattpilot_api_is_refused_with_a_wrong_password(
    wattpilot_api: Path, model: str
) -> None:
    async with quick(model=model) as sim:
        seen = await ask_oracle(wattpilot_api, SECOND, f"127.0.0.1:{sim.port}", "wrong")
        assert sim.refused == 1
    assert seen == {"connected": False}
