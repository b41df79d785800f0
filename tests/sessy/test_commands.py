"""`heliograph sessy …` by hand, against the simulator."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from actors.devices.sessy.plan import Span, plan
from actors.devices.sessy.sim import Simulator
from actors.devices.sessy.simulator.battery import Battery
from bridge.cli.main import main
from bridge.errors import DeviceGarbled
from bridge.hold import Hold

if TYPE_CHECKING:
    from pathlib import Path

Capsys = pytest.CaptureFixture[str]
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(hour: int, day: int = 20) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


class Hand:
    """`heliograph sessy …` beside a simulator in the same loop."""

    def __init__(self, folder: Path, sim: Simulator, capsys: Capsys) -> None:
        self._capsys = capsys
        self.state = folder / "state"
        self.config = folder / "config.yaml"
        self.config.write_text(
            f"state: {self.state}\n"
            f"actors: {{bat: {{kind: sessy, host: 127.0.0.1, port: {sim.port}}}}}\n"
        )

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        given = ["sessy", "--config", str(self.config), *words]
        code = await anyio.to_thread.run_sync(main, given)
        out, err = self._capsys.readouterr()
        return code, out, err


# ---------------------------------------------------------------------------------------- the plan


def test_a_plan_in_spans_of_unix_seconds() -> None:
    assert plan(Battery().plan()) == [
        Span(at(0), at(1), -2200, 0.06329),
        Span(at(1), at(2), 0, 0.10235),
        Span(at(2), at(3), 1700, None),
    ]
    assert plan({"dynamic_schedule": None, "energy_prices": None}) == []


def test_a_plan_of_hours_by_date() -> None:
    found = plan(Battery().old_plan(), AMSTERDAM)
    assert found[0] == Span(at(23, 19), at(0), -2200, 0.06329)
    assert found[2] == Span(at(1), at(2), 1700, 0.2)
    assert len(found) == 24


def test_the_day_with_25_hours_has_no_hour_twice() -> None:
    day = {"date": "2026-10-25", "power": list(range(25))}
    found = plan({"power_strategy": [day], "energy_prices": None}, AMSTERDAM)
    assert found[0].start == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert found[-1].end == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert [each.power for each in found] == list(range(25))


@pytest.mark.parametrize(
    "found",
    [
        *(None, [], {}, {"status": "ok"}, "text"),
        {"dynamic_schedule": [{"power": 5}]},
        {"dynamic_schedule": [{"start_time": 7, "end_time": 7, "power": 5}]},
        {"dynamic_schedule": [{"start_time": 1e300, "end_time": 7, "power": 5}]},
        {"power_strategy": [{"power": [1]}]},
        {"power_strategy": [{"date": "today", "power": [1]}]},
        {"power_strategy": [7]},
    ],
)
def test_what_is_no_plan_is_refused(found: Any) -> None:
    with pytest.raises(DeviceGarbled):
        plan(found)


async def test_the_plan_by_hand(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        code, out, _ = await hand("--json", "plan")
        assert code == 0
        assert json.loads(out)[0] == {
            "start": "2026-11-20T00:00:00Z",
            "end": "2026-11-20T01:00:00Z",
            "power": -2200,
            "price": 0.06329,
        }
        assert "0.06329" in (await hand("plan"))[1]
        sim.fault = "no_v2"
        found = json.loads((await hand("--json", "plan"))[1])
        assert (len(found), found[0]["power"]) == (24, -2200)
        sim.fault = "list"
        code, _, err = await hand("plan")
        assert (code, "something else than its plan" in err) == (1, True)


# ------------------------------------------------------------------------------- settings and pages


async def test_settings_are_changed_one_by_one_and_read_back(
    tmp_path: Path, capsys: Capsys
) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        before = sim.battery.settings()
        assert "max_power = 2200\n" in (await hand("settings"))[1]
        assert (await hand("settings", "max_power"))[1] == "max_power = 2200\n"
        code, out, _ = await hand("--json", "settings", "max_power", "1500")
        assert (code, json.loads(out)) == (0, {"max_power": 1500})
        assert (await hand("settings", "eco_nom_charge", "on"))[1] == "eco_nom_charge = true\n"
        await hand("settings", "enabled_time", "06:00-22:00")
        changed = {"max_power": 1500, "eco_nom_charge": True, "enabled_time": "06:00-22:00"}
        assert sim.battery.settings() == before | changed
        sim.fault = "ignore_writes"
        code, _, err = await hand("settings", "max_power", "900")
        assert (code, "still has max_power 1500" in err) == (1, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("settings", "no_such", "1"), "has no setting no_such"),
        (("settings", "eco_charge_hours", "25"), "is from 0 to 24, not 25"),
        (("settings", "max_power", "much"), "is a whole number, not much"),
        (("settings", "sessy_enabled", "perhaps"), "is true or false, not perhaps"),
        (("grid-target", "30000"), "from -20000 to 20000 W"),
        (("grid-target",), "does not know what was asked for"),
    ],
)
async def test_what_makes_no_sense_is_refused_unwritten(
    tmp_path: Path, capsys: Capsys, words: tuple[str, ...], sentence: str
) -> None:
    async with Simulator() as sim:
        code, _, err = await Hand(tmp_path, sim, capsys)(*words)
        assert (code, sentence in err) == (1, True)
        assert sim.writes == []


async def test_the_grid_target_of_a_meter(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator("p1") as sim:
        hand = Hand(tmp_path, sim, capsys)
        assert (await hand("grid-target"))[1] == "grid_target = 0 W\n"
        assert (await hand("--json", "grid-target", "-100"))[1] == '{"grid_target": -100.0}\n'
        assert sim.grid_target == -100
        sim.fault = "ignore_writes"
        code, _, err = await hand("grid-target", "50")
        assert (code, "tells the grid target -100" in err) == (1, True)


async def test_a_page_as_the_device_tells_it(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        for page, key in (("power", "sessy"), ("info", "self_serial"), ("firmware", "self")):
            assert key in json.loads((await hand("show", page))[1])
        _, out, _ = await hand("show", "network")
        assert json.loads(out)["wifi_sta"]["ssid"] == "..."
        assert "EXAMPLE" not in out
        code, _, err = await hand("show", "ct")
        assert (code, "does not know what was asked for" in err) == (1, True)


async def test_nothing_is_sent_while_a_bridge_has_it(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator() as sim:
        hand = Hand(tmp_path, sim, capsys)
        hold = Hold(hand.state, "bat", "bridge")
        assert hold.take() is None
        code, _, err = await hand("settings", "max_power", "1500")
        assert (code, "is held by the running bridge" in err) == (1, True)
        assert (await hand("settings", "max_power"))[0] == 0
        hold.release()
        assert sim.writes == []
        code, _, err = await hand("--actor", "roof", "plan")
        assert (code, "say which Sessy with --actor; there is bat" in err) == (2, True)
