"""The actor against the simulator over real HTTP, on a real broker."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.sessy.settings import Settings
from actors.devices.sessy.sim import Simulator
from bridge.config import Config
from bridge.config.kinds import find_kind
from bridge.config.secret import Secret
from bridge.config.settings import SiteSettings
from bridge.errors import DeviceError, DeviceRefused
from tests.actors.kinds import last, make, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

KIND = find_kind("sessy")
NOM, API = "POWER_STRATEGY_NOM", "POWER_STRATEGY_API"


def settings(sim: Simulator, **more: Any) -> Settings:
    given = {"host": sim.host, "port": sim.port, "interval": 0.1, "timeout": 1.0, **more}
    return Settings(**given)


async def read(sim: Simulator, folder: Path, **more: Any) -> Any:
    actor: Any = make(KIND, settings(sim, **more), folder)
    async with actor.direct():
        return await actor.read_once()


@contextlib.asynccontextmanager
async def at_work(sim: Simulator, folder: Path, port: int, **more: Any) -> AsyncIterator[Link]:
    async with running(KIND, settings(sim, **more), folder, port) as them:
        await them.until(lambda: last(them, "Devices/dut/WorkMode"))
        yield them


def results(them: Link, control: str = "BatterySetpoint") -> list[Any]:
    topic = f"heliograph/Devices/dut/{control}/Result"
    return [json.loads(payload) for payload in them.payloads(topic)]


async def command(
    them: Link, payload: bytes, control: str = "BatterySetpoint", limit: float = 6
) -> Any:
    before = len(results(them, control))
    them.connection.send(f"heliograph/Devices/dut/{control}/Set", payload, qos=1)
    await them.until(lambda: len(results(them, control)) > before, limit)
    return results(them, control)[-1]


# ----------------------------------------------------------------------------------------- reading


async def test_each_model_says_what_it_is(tmp_path: Path) -> None:
    async with Simulator("battery", password="pw") as sim:
        login = {"username": sim.username, "password": Secret("pw")}
        found = await read(sim, tmp_path, **login)
        assert (found["BatteryPower"], found["BatterySoc"]) == (-800, pytest.approx(60, abs=0.01))
        assert (found["PvPower"], found["InverterCurrentL2"]) == (1290, pytest.approx(3.433))
    async with Simulator("p1") as sim:
        found = await read(sim, tmp_path)
        assert (found["GridPower"], found["GridImportEnergy"]) == (-1412, pytest.approx(1269.093))
        assert (found["GridPowerL1"], found["GridCurrentL1"]) == (-1320, -6)
    async with Simulator("ct", power=(500, -200, 10)) as sim:
        found = await read(sim, tmp_path)
        assert (found["GridPower"], found["GridPowerL2"]) == (310, -200)
        assert (found["GridImportEnergy"], found["GridExportEnergy"]) == (6.0, pytest.approx(0.6))
    async with Simulator("modbus", power=(500, -200, 10)) as sim:
        with pytest.raises(DeviceError, match="set `device`"):
            await read(sim, tmp_path)
        assert (await read(sim, tmp_path, device="modbus"))["GridPower"] == 310


async def test_the_role_of_a_ct_meter_comes_from_the_site(tmp_path: Path) -> None:
    async with Simulator("ct", power=(500, 0, 0)) as sim:
        actor: Any = make(KIND, settings(sim), tmp_path)
        actor.config = Config(state=tmp_path, site=SiteSettings(grid="other", pv=("dut",)))
        async with actor.direct():
            assert (await actor.read_once())["PvPower"] == 500


async def test_an_old_firmware_has_less_and_is_read(tmp_path: Path) -> None:
    async with Simulator("battery") as sim:
        sim.fault = "old_firmware"
        found = await read(sim, tmp_path)
        assert found["BatteryPower"] == -800
        assert "BatteryChargeEnergy" not in found
    async with Simulator("p1") as sim:
        sim.fault = "old_firmware"
        assert (await read(sim, tmp_path))["GridPower"] == -1412
        assert "GET /api/v1/p1/details" in sim.requests
        assert "GET /api/v1/p1/status" in sim.requests


@pytest.mark.parametrize("page", ["energy/status", "system/settings", "ota/status"])
async def test_a_page_that_fails_costs_no_powers(tmp_path: Path, page: str) -> None:
    async with Simulator("battery") as sim:
        sim.failing.add(page)
        found = await read(sim, tmp_path)
        assert (found["BatteryPower"], found["PvPower"]) == (-800, 1290)
        assert found.get("BatteryChargeEnergy") is None or page != "energy/status"


async def test_counters_that_fail_later_are_unknown_and_come_back(tmp_path: Path) -> None:
    async with Simulator("ct") as sim:
        actor: Any = make(KIND, settings(sim), tmp_path)
        async with actor.direct():
            assert (await actor.read_once())["GridImportEnergy"] == 6.0
            sim.failing.add("energy/status")
            actor._energy_at -= 60
            values = await actor.read_once()
            assert (values["GridPower"], values["GridImportEnergy"]) == (-1412, None)
            sim.failing.clear()
            actor._energy_at -= 60
            assert (await actor.read_once())["GridImportEnergy"] == 6.0


@pytest.mark.parametrize(
    ("model", "fault", "words"),
    [
        ("battery", "login", "refuses the login: set `username` and `password`"),
        ("battery", "500", "failed inside (HTTP 500)"),
        ("battery", "html", "answers with a web page instead of data"),
        ("battery", "error", "does not say what it is"),
        ("p1", "no_values", "has no values of the smart meter (P1_NOT_CONNECTED)"),
        ("battery", "redirect", "redirects to another address"),
    ],
)
async def test_faults_are_told(tmp_path: Path, model: str, fault: str, words: str) -> None:
    async with Simulator(model) as sim:
        sim.fault = fault
        with pytest.raises(DeviceError) as caught:
            await read(sim, tmp_path)
        assert words in str(caught.value)
        assert str(caught.value).startswith("the Sessy at 127.0.0.1")


async def test_a_wrong_password_is_told_and_never_shown(tmp_path: Path) -> None:
    async with Simulator("battery", password="right") as sim:
        with pytest.raises(DeviceRefused, match="check `username` and `password`") as caught:
            await read(sim, tmp_path, username=sim.username, password=Secret("wr0ng-one"))
        assert "wr0ng-one" not in str(caught.value)


async def test_a_meter_lets_nothing_be_set(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator("p1") as sim:
        async with running(KIND, settings(sim), tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/GridPower") == "-1412")
            assert last(them, "Devices/dut/WorkMode") is None
            assert "P1 meter" in (last(them, "Devices/dut/Info") or "")
        assert sim.writes == []


async def test_what_a_battery_says_of_itself_is_a_warning(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator("battery") as sim, at_work(sim, tmp_path, mosquitto.port) as them:
        sim.battery.state, sim.battery.overridden = "OVERRIDE_OVERFREQUENCY", True
        warning = lambda: last(them, "Actors/dut/Messages/Warning") or ""
        await them.until(lambda: "reports override overfrequency" in warning())
        assert "overrides its strategy" in warning()
        await them.until(lambda: last(them, "Devices/dut/InverterState") == "limited")
        sim.battery.state, sim.battery.overridden = None, False
        await them.until(lambda: warning() == "")


# ---------------------------------------------------------------------------------------- control


async def test_a_setpoint_is_lent_and_given_back(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator("battery") as sim:
        sim.battery.strategy = "POWER_STRATEGY_ROI"
        sim.battery.setpoint = -2200.0  # left there by somebody, long ago
        async with at_work(sim, tmp_path, mosquitto.port) as them:
            assert last(them, "Devices/dut/WorkMode") == "dynamic_prices"
            assert (await command(them, b"1500"))["ok"] is True
            assert (sim.battery.strategy, sim.battery.power) == (API, 1500)
            # Never for a moment under the API with what was left there.
            assert sim.writes[0] == ("power/setpoint", {"setpoint": 1500})
            assert sim.writes[1] == ("power/active_strategy", {"strategy": API})
            await them.until(lambda: last(them, "Devices/dut/BatterySetpoint") == "1500")
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "1500")
            await them.until(lambda: last(them, "Devices/dut/BatteryState") == "discharging")
            assert last(them, "Devices/dut/WorkMode") == "dynamic_prices"
            assert (await command(them, b"-900"))["value"] == -900
            assert sim.battery.power == -900
            assert (await command(them, b"0"))["ok"] is True
            assert (sim.battery.strategy, sim.battery.power) == (API, 0)
            assert (await command(them, b""))["ok"] is True
            assert (sim.battery.strategy, sim.battery.setpoint) == ("POWER_STRATEGY_ROI", 0)
            await command(them, b"700")
        assert (sim.battery.strategy, sim.battery.setpoint) == ("POWER_STRATEGY_ROI", 0)
        assert last(them, "Devices/dut/BatterySetpoint") == ""


async def test_a_lease_that_lapses_gives_back(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator("battery") as sim, at_work(sim, tmp_path, mosquitto.port) as them:
        await command(them, b'{"value": 1200, "ttl": 0.5}')
        assert sim.battery.strategy == API
        await them.until(lambda: sim.battery.strategy == NOM, 4)
        assert sim.battery.setpoint == 0


async def test_what_is_out_of_range_is_refused(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator("battery") as sim:
        sim.battery.max_power = 1700
        async with at_work(sim, tmp_path, mosquitto.port) as them:
            error = (await command(them, b"-1800"))["error"]
            assert error == "BatterySetpoint -1800 is not between -1700 and 1700 W"
            error = (await command(them, b"api", "WorkMode"))["error"]
            assert "WorkMode api is not one of self_consumption" in error
        assert sim.writes == []


async def test_the_strategy_it_keeps(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator("battery") as sim:
        async with at_work(sim, tmp_path, mosquitto.port) as them:
            assert (await command(them, b"eco", "WorkMode"))["ok"] is True
            assert sim.battery.strategy == "POWER_STRATEGY_ECO"
            await command(them, b"800")
            # While it is lent, this is what it will return to.
            assert (await command(them, b"idle", "WorkMode"))["ok"] is True
            assert sim.battery.strategy == API
        assert sim.battery.strategy == "POWER_STRATEGY_IDLE"


async def test_found_under_its_api_it_is_left_to_what_its_owner_says(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator("battery") as sim:
        sim.battery.strategy, sim.battery.setpoint = API, -2000.0
        async with at_work(sim, tmp_path, mosquitto.port, give_back="eco") as them:
            assert last(them, "Devices/dut/WorkMode") == "api"
            assert sim.battery.strategy == API  # nothing was asked of us yet
            await command(them, b"500")
        assert (sim.battery.strategy, sim.battery.setpoint) == ("POWER_STRATEGY_ECO", 0)


async def test_a_killed_bridge_gives_back_at_its_next_start(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    state = tmp_path / "dut"
    state.mkdir()
    (state / "leases.json").write_text('{"held": [["dut", "BatterySetpoint"]]}')
    (state / "strategy.json").write_text('{"former": "POWER_STRATEGY_ROI"}')
    async with Simulator("battery") as sim:
        sim.battery.strategy, sim.battery.setpoint = API, 2000.0
        async with at_work(sim, tmp_path, mosquitto.port) as them:
            await them.until(lambda: sim.battery.strategy == "POWER_STRATEGY_ROI", 4)
            assert sim.battery.setpoint == 0
            await them.until(lambda: 'held":[]' in (state / "leases.json").read_text())


async def test_a_note_that_was_lost_gives_back_the_default(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    state = tmp_path / "dut"
    state.mkdir()
    (state / "leases.json").write_text('{"held": [["dut", "BatterySetpoint"]]}')
    (state / "strategy.json").write_text('{"former": "POWER_STRATEGY_API"}')
    async with Simulator("battery") as sim:
        sim.battery.strategy, sim.battery.setpoint = API, 2000.0
        async with running(KIND, settings(sim), tmp_path, mosquitto.port) as them:
            await them.until(lambda: sim.battery.strategy == NOM, 4)


async def test_a_lend_that_wrote_nothing_leaves_the_strategy(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator("battery") as sim:
        sim.battery.strategy = "POWER_STRATEGY_ROI"
        async with at_work(sim, tmp_path, mosquitto.port) as them:
            sim.failing.add("power/active_strategy")
            found = await command(them, b"500")
            assert (found["ok"], "failed inside" in found["error"]) == (False, True)
            sim.failing.clear()
            assert (await command(them, b""))["ok"] is True
        assert (sim.battery.strategy, sim.writes) == ("POWER_STRATEGY_ROI", [])


async def test_a_setpoint_that_shows_late_is_waited_for(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator("battery") as sim:
        sim.follows_slowly = 3
        async with at_work(sim, tmp_path, mosquitto.port, interval=5) as them:
            assert (await command(them, b"1500"))["ok"] is True
        assert [body for page, body in sim.writes if page == "power/active_strategy"] == [
            {"strategy": API},
            {"strategy": NOM},
        ]


@pytest.mark.slow
async def test_a_battery_that_ignores_what_it_takes_is_told(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator("battery") as sim, at_work(sim, tmp_path, mosquitto.port) as them:
        sim.fault = "ignore_writes"
        found = await command(them, b"1500", limit=15)
        assert found["ok"] is False
        assert "does not take the strategy api" in found["error"]


@pytest.mark.slow
async def test_who_changes_the_strategy_in_the_app_is_overruled_once_a_turn(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator("battery") as sim, at_work(sim, tmp_path, mosquitto.port) as them:
        await command(them, b'{"value": 1500, "ttl": 60}')
        sim.battery.strategy = NOM
        await them.until(lambda: sim.battery.strategy == API, 6)
        assert sim.battery.power == 1500
