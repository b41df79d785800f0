"""The way to the device: faults in plain sentences, discovery, and commands by hand."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.homevolt import steering
from actors.devices.homevolt.discover import SERVICES, service
from actors.devices.homevolt.sim import FAULTS, Simulator
from actors.devices.homevolt.steering import alike
from bridge.cli.kind import parsed
from bridge.cli.main import main
from bridge.discover import Service
from bridge.errors import DeviceError
from bridge.hold import Hold
from tests.homevolt.rig import build

if TYPE_CHECKING:
    from pathlib import Path

_UNKNOWN = {"strings", "nulls"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "_LOOKS", (0.0, 0.01))


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_is_a_sentence_with_its_name(tmp_path: Path, fault: str) -> None:
    async with Simulator() as sim:
        actor = build(tmp_path, sim)
        async with actor.direct():
            good = await actor.read_once()
            sim.fault = fault
            if fault in _UNKNOWN:
                bad = await actor.read_once()
                kept = {name: good[name] for name in ("BatteryState", "SignalStrength")}
                lost: dict[str, Any] = {**dict.fromkeys(good), **kept}
                assert bad == (good if fault == "strings" else lost)
                return
            with pytest.raises(DeviceError) as caught:
                await actor.read_once()
    assert str(caught.value).startswith(f"the Homevolt at 127.0.0.1:{sim.port} ")


async def test_a_read_is_repeated_when_the_device_is_busy(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor = build(tmp_path, sim)
        async with actor.direct(), anyio.create_task_group() as tasks:
            sim.fault = "503"

            async def recover() -> None:
                while not sim.requests:  # noqa: ASYNC110 - the simulator tells nobody
                    await anyio.sleep(0.01)
                sim.fault = None

            tasks.start_soon(recover)
            assert await actor.read_once()
        assert sim.requests == [*["GET /ems.json"] * 2, "GET /status.json"]


async def test_a_write_is_not_repeated_when_the_device_is_busy(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor = build(tmp_path, sim)
        async with actor.direct():
            sim.fault = "503"
            with pytest.raises(DeviceError, match="starting or updating"):
                await actor.client.console("sched_set 0")
        assert sim.requests == ["POST /console.json"]


def announced(name: str) -> Service:
    return Service(SERVICES[0], name, "192.168.1.9", 80)


def test_it_is_recognised_by_the_name_it_announces() -> None:
    found = service(announced("homevolt-68b6b3aabb94"))
    assert found is not None
    assert (found.what, found.serial) == ("Homevolt", "68b6b3aabb94")
    plain = service(announced("Homevolt"))
    assert plain is not None
    assert plain.serial is None
    assert service(announced("homevoltage")) is None
    assert service(announced("printer homevolt")) is None


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        *(("25", 25, True), ("25.0", 25, True), ("25", 26, False), ("true", True, True)),
        *(("1", True, True), ("false", True, False), ("a", "a", True), ("a", "b", False)),
        *(("1,2", [1, 2], True), ("1,2", [1, 3], False), ("1", [1, 2], False), ("x", 1, False)),
    ],
)
def test_parameters_are_compared_by_what_they_mean(text: str, found: Any, expected: bool) -> None:
    assert alike(text, found) is expected


# -------------------------------------------------------------------------------- by hand


class Hand:
    """`heliograph homevolt …` beside a simulator in the same loop."""

    def __init__(self, folder: Path, sim: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.config = folder / "config.yaml"
        self.state = folder / "state"
        self.config.write_text(
            f"state: {self.state}\n"
            f"actors: {{ess: {{kind: homevolt, host: 127.0.0.1, port: {sim.port}}}}}\n"
        )

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        given = ["homevolt", "--config", str(self.config), *words]
        code = await anyio.to_thread.run_sync(main, given)
        out, err = self._capsys.readouterr()
        return code, out, err


async def test_the_schedule_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        code, out, _ = await hand("schedule", "list")
        assert code == 0
        assert "solar_charge" in out
        assert "local mode off" in out
        code, _, err = await hand("schedule", "set", "charge", "--setpoint", "3000", "--max", "90")
        assert code == 0
        assert "local mode is off" in err
        assert (await hand("local", "on"))[0] == 0
        assert sim.console.local_mode
        when = ["--from", "2026-11-21T04:00", "--to", "2026-11-21T06:00"]
        code, _, err = await hand("schedule", "add", "6", "--import-limit", "5000", *when)
        assert (code, err) == (0, "")
        code, out, _ = await hand("--json", "schedule", "list")
        found = json.loads(out)
        assert [each["mode"] for each in found["schedule"]] == ["charge", "frequency_reserve"]
        assert found["schedule"][0]["params"] == {"max": 90, "setpoint": 3000}
        assert found["schedule"][1]["to"] - found["schedule"][1]["from"] == 7200
        assert (await hand("schedule", "delete", str(found["schedule"][0]["id"])))[0] == 0
        assert [each["type"] for each in sim.console.entries] == [6]
        code, _, err = await hand("schedule", "delete", "99")
        assert (code, "has no entry 99" in err) == (1, True)
        assert (await hand("schedule", "clear"))[0] == 0
        assert sim.console.entries == []


async def test_what_the_device_does_not_show_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        code, _, err = await hand("schedule", "set", "grid_charge", "--setpoint", "2500")
        assert code == 1
        assert "does not confirm 'sched_set 3 -s 2500'" in err
        code, _, err = await hand("schedule", "set", "charge", "--setpoint", "99999")
        assert (code, "not between 0 and 11000" in err) == (1, True)
        for wrong in (["idle", "--to", "tomorrow"], ["solar"]):
            with pytest.raises(SystemExit) as ended:
                await hand("schedule", "set", *wrong)
            assert ended.value.code == 2
        assert "tomorrow is no time: write it like 2026-11-21T14:30" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    ["schedule list", "schedule clear", "local on", "show ems", "params list", "params get x"],
)
def test_where_the_configuration_may_stand(words: str) -> None:
    told = ["--config", "house.yaml", "--actor", "ess", "--json"]
    for given in (["homevolt", *told, *words.split()], ["homevolt", *words.split(), *told]):
        told_by = parsed(given)
        assert told_by is not None
        found = told_by[1]
        assert (str(found.config), found.actor, found.json) == ("house.yaml", "ess", True)
    silent = parsed(["homevolt", *words.split()])
    assert silent is not None
    found = silent[1]
    assert (found.config, found.actor, found.json) == (None, None, False)


async def test_parameters_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        _, out, _ = await hand("params", "list", "fuse")
        assert re.search(r"ecu_main_fuse_size_a\W+25", out)
        assert "battery_min_soc" not in out
        assert (await hand("params", "get", "battery_min_soc"))[1] == "battery_min_soc = 10\n"
        code, out, _ = await hand("params", "set", "export_limitation_w", "5000", "--store")
        assert (code, out) == (0, "export_limitation_w = 5000\n")
        assert sim.stored == ["export_limitation_w"]
        code, _, err = await hand("params", "set", "no_such", "1")
        assert (code, "has no parameter no_such" in err) == (1, True)


async def test_a_page_as_the_device_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        code, out, _ = await hand("show", "status")
        assert code == 0
        found = json.loads(out)
        assert found["firmware"]["esp"] == "3056-1a3446ed"
        assert found["wifi_status"]["ssid"] == "..."
        assert "SIM" not in out
        assert json.loads((await hand("show", "errors"))[1])[0]["error_name"] == "ems_offline"
        assert json.loads((await hand("show", "ems"))[1])["ems"][0]["ecu_id"] == sim.ecus[0]
        sim.failing.add("/nodes.json")
        code, _, err = await hand("show", "nodes")
        assert (code, "failed inside (HTTP 500)" in err) == (1, True)
        assert not any("POST" in each for each in sim.requests)


async def test_nothing_is_sent_while_a_bridge_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        hold = Hold(hand.state, "ess", "bridge")
        assert hold.take() is None
        code, _, err = await hand("local", "on")
        assert (code, "is held by the running bridge" in err) == (1, True)
        assert (await hand("schedule", "list"))[0] == 0
        hold.release()
        assert not any("POST" in each for each in sim.requests)
        code, _, err = await hand("--actor", "roof", "local", "on")
        assert (code, "say which Homevolt with --actor; there is ess" in err) == (2, True)
