"""The actor against its simulator over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.fronius_meter.actor import FroniusMeter, Settings
from actors.devices.fronius_meter.sim import FAULTS, Simulator
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.config.kinds import find_kind
from bridge.config.settings import SiteSettings
from bridge.contract import load_contract
from bridge.errors import DeviceError, DeviceRefused
from bridge.mqtt import Endpoint
from tests.actors.kinds import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto


def build(
    folder: Path, sim: Simulator, site: SiteSettings | None = None, **given: Any
) -> FroniusMeter:
    settings = Settings(host="127.0.0.1", port=sim.port, **({"timeout": 0.5} | given))
    config = Config(state=folder, site=site)
    nowhere = Endpoint("localhost", 1)
    return FroniusMeter(Context("meter", settings, config, load_contract(), nowhere, Clock()))


async def read(actor: FroniusMeter) -> dict[str, Any]:
    async with actor.direct():
        return dict(await actor.read_once())


async def test_it_asks_for_its_meter(tmp_path: Path) -> None:
    async with Simulator(unit=2, powers=(1, 2, -4)) as sim:
        values = await read(build(tmp_path, sim, unit=2))
        assert values["GridPower"] == -1
        assert "Scope=Device" in sim.requests[-1]
        assert "DeviceId=2" in sim.requests[-1]
        with pytest.raises(DeviceRefused, match=r"^the inverter at .* has no meter 0"):
            await read(build(tmp_path, sim))


async def test_the_place_decides_unless_the_owner_does(tmp_path: Path) -> None:
    async with Simulator(place=1, powers=(300, 200, 100)) as sim:
        assert (await read(build(tmp_path, sim)))["LoadPower"] == 600
        values = await read(build(tmp_path, sim, site=SiteSettings(grid="g", load="meter")))
        assert values["LoadPower"] == 600
        with pytest.raises(DeviceRefused, match="in the consumption path"):
            await read(build(tmp_path, sim, site=SiteSettings(grid="meter")))
        assert (await read(build(tmp_path, sim, role="device")))["Power"] == 600
        sim.place = 0
        values = await read(build(tmp_path, sim, site=SiteSettings(grid="meter")))
        assert values["GridPower"] == 600


async def test_an_unconfirmed_sign_stands_as_a_warning_until_the_owner_says_it(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    told = "heliograph/Actors/dut/Messages/Warning"
    kind = find_kind("fronius_meter")
    async with Simulator(place=3, powers=(-300, -200, -100)) as sim:
        given: dict[str, Any] = {"host": "127.0.0.1", "port": sim.port, "interval": 0.2}
        given["role"] = "pv"
        async with running(kind, Settings(**given), tmp_path, mosquitto.port) as them:
            await them.until(lambda: any(b"location 3" in each for each in them.payloads(told)))
            sentence = them.payloads(told)[-1].decode()
            assert "which way such a meter counts is not known" in sentence
            assert "'invert: true'" in sentence
        for invert, sign in ((True, 1), (False, -1)):
            actor = build(tmp_path, sim, role="pv", invert=invert)
            assert (await read(actor))["PvPower"] == sign * 600
        async with running(kind, Settings(**given, invert=True), tmp_path, mosquitto.port) as them:
            power = "heliograph/Devices/dut/PvPower"
            await them.until(lambda: b"600" in them.payloads(power))
            # The warning of the life before is taken back.
            await them.until(lambda: them.payloads(told)[-1] == b"")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("stall", "did not answer within 0.5 s"),
        ("close", "closed the connection"),
        ("page", "answers with a web page"),
        ("truncated", "cannot be read"),
        ("text", "not a number as PowerReal_P_Sum"),
        ("unavailable", "has no meter 0 at the moment"),
        ("disabled", "is not in operation"),
        ("empty", "has no meter 0"),
        ("off", "has no Solar API: switch it on"),
        ("500", "500"),
    ],
)
async def test_every_fault_is_one_sentence_about_this_inverter(
    fault: str, words: str, tmp_path: Path
) -> None:
    assert fault in FAULTS
    async with Simulator() as sim:
        sim.fault = fault
        with pytest.raises(DeviceError) as caught:
            await read(build(tmp_path, sim))
        sentence = str(caught.value)
        assert words in sentence
        assert sentence.count(f"the inverter at 127.0.0.1:{sim.port}") == 1
        sim.fault = None
        assert (await read(build(tmp_path, sim)))["GridPower"] == pytest.approx(-249.75)


def test_one_meter_has_one_identity() -> None:
    one = Settings(host="Fronius", unit=0)
    assert one.identity() == Settings(host="fronius").identity()
    assert one.identity() != Settings(host="fronius", unit=1).identity()
