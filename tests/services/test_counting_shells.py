"""The shells of time_to_go, net_meter and mqtt_sensor under virtual time: silence and its end."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.services.mqtt_sensor.actor import MqttSensor
from actors.services.mqtt_sensor.actor import Settings as SensorSettings
from actors.services.net_meter.actor import NetMeter
from actors.services.net_meter.actor import Settings as MeterSettings
from actors.services.time_to_go.actor import Settings as TimeSettings
from actors.services.time_to_go.actor import TimeToGo
from bridge.actor import Context
from bridge.config.settings import SiteSettings
from bridge.mqtt import Incoming
from bridge.payload_value import Source
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bridge.actor import Actor


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL


def make(
    kind: type[Actor], settings: Any, folder: Path, *, site: SiteSettings | None = None
) -> Any:
    given = context(folder, "dut", settings)
    config = dataclasses.replace(given.config, site=site)
    return kind(
        Context(
            "dut", settings, config, given.contract, given.endpoint, given.clock, given.restarts
        )
    )


def tell(actor: Actor, device: str, *, retained: Any = False, **values: Any) -> None:
    payload = json.dumps({"at": "2026-11-21T12:00:00Z", **values}).encode()
    hear(actor, f"Devices/{device}/State", payload, retained=retained)


async def keep(seconds: int, say: Callable[[], None]) -> None:
    for _ in range(seconds):
        say()
        await anyio.sleep(1)


def health(wire: Wire) -> str | None:
    found = wire.json("Actors/dut/Health")
    error: str | None = found["error"] if found else None
    return error


# ------------------------------------------------------------------------------------ time_to_go


async def test_the_sites_battery_tells_capacity_and_limit(tmp_path: Path) -> None:
    wire = Wire()
    site = SiteSettings(grid="meter", battery=("ess",))
    actor = make(TimeToGo, TimeSettings(smoothing=0), tmp_path, site=site)
    async with alive(actor, wire):
        await anyio.sleep(1)
        assert wire.json("Devices/dut/State")["BatteryTimeToGo"] is None
        assert "ess has not told" in (health(wire) or "")
        values: dict[str, float | None] = {"BatteryPower": 1000, "BatterySoc": 50}
        await keep(6, lambda: tell(actor, "ess", **values))
        assert "BatteryCapacity yet: set 'capacity'" in (health(wire) or "")
        values["BatteryCapacity"] = 10_000
        await keep(6, lambda: tell(actor, "ess", **values))
        assert wire.last("Devices/dut/BatteryTimeToGo") == "18000"
        assert health(wire) is None
        hear(actor, "Devices/ess/MinSoc", b"20", retained=True)
        await keep(6, lambda: tell(actor, "ess", **values))
        assert wire.last("Devices/dut/BatteryTimeToGo") == "10800"
        values["ActiveMinSoc"] = 40
        await keep(6, lambda: tell(actor, "ess", **values))
        assert wire.last("Devices/dut/BatteryTimeToGo") == "3600"


async def test_what_is_old_is_unknown_at_once(tmp_path: Path) -> None:
    wire = Wire()
    settings = TimeSettings(battery="ess", capacity=10_000, min_soc=0, interval=1, smoothing=0)
    actor = make(TimeToGo, settings, tmp_path)
    async with alive(actor, wire):
        # A retained reading has unknown age.
        await anyio.sleep(1)
        tell(actor, "ess", retained=True, BatteryPower=1000, BatterySoc=50)
        await anyio.sleep(3)
        assert wire.json("Devices/dut/State")["BatteryTimeToGo"] is None
        tell(actor, "ess", BatteryPower=-1000, BatterySoc=50)
        await anyio.sleep(2)
        assert wire.last("Devices/dut/BatteryTimeToFull") == "18000"
        await anyio.sleep(15)
        assert wire.json("Devices/dut/State")["BatteryTimeToFull"] is None
        assert wire.last("Devices/dut/BatteryTimeToFull") == ""
        assert "ess is silent" in (health(wire) or "")
        tell(actor, "ess", BatteryPower=-1000, BatterySoc=None)
        await anyio.sleep(2)
        assert health(wire) == "ess does not know its BatterySoc"


async def test_several_batteries_count_together(tmp_path: Path) -> None:
    wire = Wire()
    site = SiteSettings(grid="meter", battery=("one", "two"))
    actor = make(TimeToGo, TimeSettings(smoothing=0, interval=1), tmp_path, site=site)
    balance = {"at": "2026-11-21T12:00:00Z", "age": 0.5, "GridPower": 0.0, "PvPower": 0.0}
    balance |= {"BatteryPower": 1500.0, "BatterySoc": 50.0, "LoadPower": 1500.0, "why": None}
    async with alive(actor, wire):
        await anyio.sleep(1)
        for device, size in (("one", 10_000), ("two", 5_000)):
            tell(actor, device, BatteryCapacity=size)
        await keep(3, lambda: hear(actor, "Site/Balance", json.dumps(balance).encode()))
        assert wire.last("Devices/dut/BatteryTimeToGo") == "18000"
        await anyio.sleep(9)
        assert wire.json("Devices/dut/State")["BatteryTimeToGo"] is None


async def test_without_a_battery_it_says_so(tmp_path: Path) -> None:
    wire = Wire()
    actor = make(TimeToGo, TimeSettings(capacity=100), tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(1)
        assert health(wire) == "there is no battery: name one as 'battery', here or in 'site'"


# ------------------------------------------------------------------------------------- net_meter


async def test_phases_are_added_before_they_are_counted(tmp_path: Path) -> None:
    wire = Wire()
    site = SiteSettings(grid="meter")
    actor = make(NetMeter, MeterSettings(save=10), tmp_path, site=site)
    async with alive(actor, wire):
        await anyio.sleep(1)
        phases = {"GridPowerL1": 5000.0, "GridPowerL2": -5000.0, "GridPowerL3": 0.0}
        await keep(600, lambda: tell(actor, "meter", **phases))
        found = wire.json("Devices/dut/State")
        assert (found["GridPower"], found["GridImportEnergy"], found["GridExportEnergy"]) == (
            0,
            0,
            0,
        )
        phases["GridPowerL3"] = 3600.0
        await keep(600, lambda: tell(actor, "meter", **phases))
        found = wire.json("Devices/dut/State")
        assert found["GridImportEnergy"] == pytest.approx(0.6, abs=0.02)
        assert found["GridExportEnergy"] == 0


async def test_a_silent_meter_is_offline_and_what_flowed_is_not_made_up(tmp_path: Path) -> None:
    wire = Wire()
    actor = make(NetMeter, MeterSettings(meter="meter", save=10), tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(1)
        await keep(120, lambda: tell(actor, "meter", GridPower=-36_000))
        before = wire.json("Devices/dut/State")["GridExportEnergy"]
        assert before == pytest.approx(1.2, abs=0.15)
        await anyio.sleep(20)
        assert wire.last("Devices/dut/Status") == "stale"
        await anyio.sleep(60)
        assert wire.last("Devices/dut/Status") == "offline"
        assert "nothing was heard of the meter meter" in (health(wire) or "")
        tell(actor, "meter", GridPower=-36_000)
        await anyio.sleep(1)
        assert wire.last("Devices/dut/Status") == "online"
        assert health(wire) is None
        told = wire.last("Actors/dut/Messages/Operational") or ""
        assert "meter was silent for 81 s, which are not counted" in told
        assert wire.json("Devices/dut/State")["GridExportEnergy"] <= before + 0.15
        tell(actor, "meter", GridPower=None)
        await anyio.sleep(1)
        assert health(wire) == "meter does not know its GridPower"
        assert wire.json("Devices/dut/State")["GridPower"] is None
        hear(actor, "Devices/meter/Status", b"offline")
        await anyio.sleep(1)
        assert wire.last("Devices/dut/Status") == "offline"
        assert health(wire) == "the meter meter is offline"


async def test_a_clean_stop_saves_what_was_counted(tmp_path: Path) -> None:
    settings = MeterSettings(meter="meter", save=3600, import_start=10)
    actor = make(NetMeter, settings, tmp_path)
    async with alive(actor, Wire()):
        await anyio.sleep(1)
        await keep(100, lambda: tell(actor, "meter", GridPower=36_000))
    again, wire = make(NetMeter, settings, tmp_path), Wire()
    async with alive(again, wire):
        await anyio.sleep(1)
        tell(again, "meter", GridPower=0)
        await anyio.sleep(1)
        assert wire.json("Devices/dut/State")["GridImportEnergy"] == pytest.approx(10.99, abs=0.011)


async def test_the_first_start_is_where_the_meter_stands_and_its_reset_is_not_ours(
    tmp_path: Path,
) -> None:
    wire = Wire()
    actor = make(NetMeter, MeterSettings(meter="meter", save=10), tmp_path)
    values = {"GridPower": 0.0, "GridImportEnergy": 812.5, "GridExportEnergy": 90.25}
    async with alive(actor, wire):
        await anyio.sleep(1)
        await keep(5, lambda: tell(actor, "meter", **values))
        found = wire.json("Devices/dut/State")
        assert (found["GridImportEnergy"], found["GridExportEnergy"]) == (812.5, 90.25)
        # Its owner resets it, or another one takes its place.
        values |= {"GridPower": 36_000.0, "GridImportEnergy": 0.0, "GridExportEnergy": 0.0}
        await keep(30, lambda: tell(actor, "meter", **values))
        found = wire.json("Devices/dut/State")
        assert 812.6 <= found["GridImportEnergy"] <= 812.81
        assert found["GridExportEnergy"] == 90.25


async def test_a_house_without_a_meter(tmp_path: Path) -> None:
    wire = Wire()
    actor = make(NetMeter, MeterSettings(), tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(1)
        assert "there is no meter" in (health(wire) or "")


# ----------------------------------------------------------------------------------- mqtt_sensor


def say(actor: Actor, topic: str, payload: bytes, *, retained: bool = False) -> None:
    actor.bus._on_message(Incoming(topic, payload, retained))


async def test_a_sensor_speaks_falls_silent_and_comes_back(tmp_path: Path) -> None:
    wire = Wire()
    settings = SensorSettings(
        temperature="a/t", pressure=Source(topic="a/p", factor=0.01), name="Attic", stale=3600
    )
    actor = make(MqttSensor, settings, tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(1)
        assert wire.json("Devices/dut/Info")["model"] == "Attic"
        say(actor, "a/t", b"21.5", retained=True)
        await anyio.sleep(5)
        assert wire.last("Devices/dut/State") is None, "a retained value has unknown age"
        say(actor, "a/t", b"21.5")
        say(actor, "a/p", b"101320")
        await anyio.sleep(1)
        found = wire.json("Devices/dut/State")
        assert (found["Temperature"], found["Pressure"]) == (21.5, 1013.2)
        assert len(wire.of("Devices/dut/State")) == 1, "what comes together is one reading"
        await anyio.sleep(3500)
        assert wire.last("Devices/dut/Temperature") == "21.5"
        await anyio.sleep(120)
        assert wire.last("Devices/dut/Temperature") == ""
        assert wire.last("Devices/dut/Status") == "stale"
        await anyio.sleep(7200)
        assert wire.last("Devices/dut/Status") == "offline"
        assert health(wire) == "nothing that can be used has come on a/t for a while"
        say(actor, "a/t", b"unavailable")
        await anyio.sleep(1)
        assert wire.last("Devices/dut/Status") == "online"
        assert wire.json("Devices/dut/State")["Temperature"] is None
        say(actor, "a/t", b"2000")
        await anyio.sleep(1)
        assert "above 1000" in (wire.last("Actors/dut/Messages/Warning") or "")
        say(actor, "a/t", b"-5")
        await anyio.sleep(1)
        assert wire.last("Devices/dut/Temperature") == "-5"
        assert health(wire) is None


async def test_a_sensor_that_never_speaks(tmp_path: Path) -> None:
    wire = Wire()
    actor = make(MqttSensor, SensorSettings(humidity="a/h", stale=60), tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(1)
        say(actor, "a/h", b"sixty")
        await anyio.sleep(2)
        assert health(wire) == "a/h is not a number but 'sixty'"
        await anyio.sleep(60)
        assert wire.last("Devices/dut/Status") == "offline"


def test_a_sensor_of_nothing_is_refused() -> None:
    assert [field for field, _ in SensorSettings().check()] == ["temperature"]
    assert list(SensorSettings(pressure="p").check()) == []
