"""The actor against the simulator: what it publishes, and what it does about trouble."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.devices.lg_ess.actor import LgEss
from actors.devices.lg_ess.sim import MODELS, PASSWORD, Simulator
from bridge.config.secret import Secret
from bridge.config.settings import SiteSettings
from bridge.contract import load_contract
from bridge.errors import DeviceRefused
from tests.lg_ess.rig import build, running, wait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("model", MODELS)
async def test_every_model_is_published_with_our_signs(tmp_path: Path, model: str) -> None:
    async with (
        Simulator(model, pv=2400, load=500, battery=-1300) as sim,
        running(build(tmp_path, sim)) as rig,
    ):
        await rig.until("GridFrequency")
        state = rig.state()
        assert (state["PvPower"], state["LoadPower"]) == (2400, 500)
        assert (state["BatteryPower"], state["GridPower"]) == (-1300, -600)
        assert state["BatteryState"] == "charging"
        assert state["InverterState"] == "running"
        strings = MODELS[model].strings
        assert state[f"PvString{strings}Power"] == pytest.approx(2400 / strings, abs=1)
        assert f"PvString{strings + 1}Power" not in state
        assert ("PvEnergyToday" in state) is (model != "home15")
        assert ("BatteryCapacity" in state) is (model != "home15")
        info = json.loads(rig.value("Info") or "")
        assert info["manufacturer"] == "LG"
        assert MODELS[model].code in info["model"]
        assert info["firmware"] == MODELS[model].firmware
        assert info["serial"] == "...0042"
        assert not any(PASSWORD in text or "DE2001" in text for _, text in rig.sent)


async def test_every_quantity_is_declared(tmp_path: Path) -> None:
    contract = load_contract()
    for model in MODELS:
        async with Simulator(model) as sim:
            actor = build(tmp_path / model, sim)
            async with actor.direct():
                names = await actor.read_once()
        known = {contract.quantity(name).family or name for name in names}
        assert known <= set(LgEss.quantities)


@pytest.mark.parametrize(
    ("model", "controls"),
    [
        ("home5", {"Operation", "WinterMode", "WinterPeriod", "ChargeStrategy"}),
        (
            "home10",
            {"Operation", "WinterMode", "WinterPeriod", "ChargeStrategy", "BackupMode"}
            | {"BackupReserve", "GridCharge", "BatteryMode"},
        ),
        ("home15", {"Operation", "WinterMode", "WinterPeriod", "ChargeStrategy", "BackupMode"}),
    ],
)
async def test_each_model_offers_what_it_has(
    tmp_path: Path, model: str, controls: set[str]
) -> None:
    async with Simulator(model) as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("WinterPeriod", "11-01/02-28")
        await wait(lambda: set(rig.actor.desk.offered()) == controls)
        assert rig.value("Operation") == "true"
        assert rig.value("WinterMode") == "false"


@pytest.mark.slow
async def test_the_powers_come_in_time_and_the_rest_between_them(tmp_path: Path) -> None:
    async with (
        Simulator() as sim,
        running(build(tmp_path, sim, common_interval=0.5, settings_interval=1.5)) as rig,
    ):
        await rig.until("Status", "online")
        begun, asked = anyio.current_time(), len(sim.requests)
        await anyio.sleep(3.2)
        seconds = anyio.current_time() - begun
        pages = sim.requests[asked:]
        count = {name: sum(name in page for page in pages) for name in ("home", "common", "batt")}
        assert count["home"] > 5 * seconds
        assert seconds / 0.5 / 2 < count["common"] <= seconds / 0.45 + 1
        assert 1 <= count["batt"] <= 3
        # At most one other page between two readings of the powers.
        inner = [page for page in pages if "home" not in page]
        gaps = "".join("h" if "home" in page else "x" for page in pages)
        assert inner
        assert "xx" not in gaps


async def test_what_common_told_long_ago_is_unknown(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim, timeout=0.3)) as rig:
        await wait(lambda: rig.state().get("GridFrequency") == pytest.approx(50.01))

        def deny(page: str) -> None:
            raise DeviceRefused(f"{page} is refused")

        real = rig.actor._read_page

        async def read(page: str) -> None:
            if "common" in page:
                deny(page)
            await real(page)

        rig.actor._read_page = read  # type: ignore[method-assign]
        await wait(lambda: rig.state().get("GridFrequency", 0) is None)
        assert rig.state()["PvPower"] == 2410
        assert "common is refused" in (rig.last("Actors/ess/Messages/Warning") or "")
        rig.actor._read_page = real  # type: ignore[method-assign]
        # The next try of what failed comes after a minute.
        rig.actor.clock.moved += 61  # type: ignore[attr-defined]
        await wait(lambda: rig.state().get("GridFrequency") == pytest.approx(50.01))
        await wait(lambda: rig.last("Actors/ess/Messages/Warning") == "")


async def test_an_expired_session_is_not_noticed(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Status", "online")
        for _ in range(3):
            sim.expire()
            seen = len(rig.sent)
            await wait(lambda seen=seen: len(rig.sent) > seen + 3)  # type: ignore[misc]
        assert [text for topic, text in rig.sent if topic.endswith("ess/Status")] == ["online"]
        assert sim.logins == 4


async def test_a_wrong_password_is_a_plain_sentence_without_it(tmp_path: Path) -> None:
    wrong = Secret("0123456789ab")
    async with Simulator() as sim, running(build(tmp_path, sim, password=wrong)) as rig:
        await rig.until("Status", "offline")
        health = rig.last("Actors/ess/Health") or ""
        assert "refuses the password" in health
        assert not any("0123456789ab" in text for _, text in rig.sent)
        await anyio.sleep(0.3)
        assert sim.logins_refused == 1


@pytest.mark.parametrize("fault", ["stall", "html", "truncated", "nulls", "words", "500"])
async def test_trouble_is_told_and_got_over(tmp_path: Path, fault: str) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim, timeout=0.2)) as rig:
        await rig.until("Status", "online")
        sim.fault = fault
        await rig.until("Status", "offline")
        states = len([1 for topic, _ in rig.sent if topic == "Devices/ess/State"])
        await anyio.sleep(0.2)
        assert len([1 for topic, _ in rig.sent if topic == "Devices/ess/State"]) == states
        sim.fault = None
        await rig.until("Status", "online")


async def test_rubbish_of_memory_is_refused_as_out_of_range(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Status", "online")
        sim.fault = "memory"
        await wait(lambda: rig.state().get("PvPower", 0) is None)
        assert rig.state()["BatterySoc"] is None
        assert "above" in (rig.last("Actors/ess/Messages/Warning") or "")


async def test_a_half_answer_is_half_unknown(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Status", "online")
        sim.fault = "half"
        await wait(lambda: rig.state().get("GridPower", 0) is None)
        assert rig.state()["BatteryPower"] is None
        assert rig.state()["PvPower"] == 2410


async def test_a_fault_of_the_device_is_a_warning(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("InverterState", "running")
        sim.plant.fault = "pcs_fault_7"
        await rig.until("InverterState", "fault")
        await wait(lambda: "pcs_fault_7" in (rig.last("Actors/ess/Messages/Warning") or ""))
        sim.plant.fault = "pcs_ok"
        await wait(lambda: rig.last("Actors/ess/Messages/Warning") == "")


async def test_a_grid_that_is_read_too_slowly_is_told(tmp_path: Path) -> None:
    site = SiteSettings(grid="ess")
    async with Simulator() as sim:
        async with running(build(tmp_path, sim, site=site, interval=10.0)) as rig:
            await wait(lambda: "let a meter be" in (rig.last("Actors/ess/Messages/Warning") or ""))
        async with running(build(tmp_path, sim, site=site, interval=5.0)) as rig:
            await rig.until("Status", "online")
            await anyio.sleep(0.1)
            assert rig.last("Actors/ess/Messages/Warning") is None


async def test_no_power_is_unknown_between_two_readings(tmp_path: Path) -> None:
    """The grid's power counts for 8 s in a decision, and is read every 10 s."""
    async with (
        Simulator() as sim,
        running(build(tmp_path, sim, interval=10.0, timeout=10.0)) as rig,
    ):
        await rig.until("GridPower", "-550")
        sim.fault = "stall"
        rig.actor.clock.moved += 19  # type: ignore[attr-defined]
        await rig.actor.forget_old()
        assert (rig.value("GridPower"), rig.state()["GridPower"]) == ("-550", -550)
        rig.actor.clock.moved += 2  # type: ignore[attr-defined]
        await rig.actor.forget_old()
        assert (rig.value("GridPower"), rig.state()["GridPower"]) == ("", None)
        assert rig.state()["BatteryPower"] is None
