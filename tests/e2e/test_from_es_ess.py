"""The examples of es-ESS's manual: a config.ini, imported by the command, run against simulators.

The file is an es-ESS user's: its broker is the GX's own, its switches are where theirs are. What is
changed after the import are only the minimum times and delays, which would take minutes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.consumers.http_switch.sim import Simulator as Relay
from actors.devices.shelly.sim import Simulator as Shelly
from actors.venus.venus_mqtt.sim import Simulator as Gx
from bridge.mqtt import Endpoint
from tests.e2e.house import Eyes, House
from tests.runtime.links import link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.runtime.links import Link

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(150)]

TREE = "es-ESS/SolarOverheadDistributor"
COMMON = """\
[DEFAULT]
devComment1 = a remark that every section inherits

[Common]
LogLevel=APP_DEBUG
NumberOfThreads=5
ServiceMessageCount=20
ConfigVersion=8
VRMPortalID=c0619ab2d3e4
BatteryCapacityInWh=28000
BatteryMaxChargeInWh = 9000
DefaultPowerSetPoint=-10

[Mqtt]
Host=localhost
User=
Password=
Port=1883
SslEnabled=false
LocalSslEnabled=false

[Services]
SolarOverheadDistributor=true
TimeToGoCalculator=false
FroniusWattpilot=false
MqttExporter=false
MqttTemperature=false
NoBatToEV=false
Shelly3EMGrid={meter}
ShellyPMInverter={meter}
FroniusSmartmeterJSON=false
MqttPVInverter=false

[SolarOverheadDistributor]
VRMInstanceID=1000
VRMInstanceID_ReservationMonitor=1001
UpdateInterval=45000
MinBatteryCharge={curve}
"""
SWITCHES = """
[HttpConsumer:waterplay]
CustomName=Waterplay
IgnoreBatReservation=true
VRMInstanceID=1008
minimum=0
stepSize=120.0
Request=120.0
OnUrl=http://127.0.0.1:{waterplay}/relay/0/?turn=on
OffUrl=http://127.0.0.1:{waterplay}/relay/0/?turn=off
StatusUrl=http://127.0.0.1:{waterplay}/status
IsOnKeywordRegex="ison":\\s*true
Priority=5

[HttpConsumer:poolFilter]
CustomName=Pool Filter
IgnoreBatReservation=false
VRMInstanceID=1009
Request=220.0
OnUrl=http://127.0.0.1:{filter}/rpc/Switch.Set?id=1&on=true
OffUrl=http://127.0.0.1:{filter}/rpc/Switch.Set?id=1&on=false
StatusUrl=http://127.0.0.1:{filter}/rpc/Switch.GetStatus?id=1
OnKeywordRegex="output":true
PowerUrl=http://127.0.0.1:{filter}/rpc/Switch.GetStatus?id=1
PowerExtractRegex="apower":([^,]+),
Priority=30

[MqttConsumer:poolHeater]
CustomName=Pool Heater
IgnoreBatReservation=false
VRMInstanceID=1010
Request=750.0
OnTopic=Devices/pool/IO/Heater/Set
OnValue=true
OffTopic=Devices/pool/IO/Heater/Set
OffValue=false
StatusTopic=Devices/pool/IO/Heater/State
OnKeywordRegex=true
PowerTopic=Devices/pool/IO/Heater/Power
PowerExtractRegex=(.*)
Priority=31
"""
METERS = """
[Shelly3EMGrid]
VRMInstanceID=47
CustomName=Shelly 3EM (Grid)
PollFrequencyMs=1000
Username=user
Password=simulated
Host=127.0.0.1:{grid}
Metering=Net

[ShellyPMInverter:garage]
VRMInstanceID=1011
CustomName=HMS-Garage
PollFrequencyMs=1000
Username=
Password=
Host=127.0.0.1:{garage}
Phase=2
Position=0
Relay=0
"""
QUICK = "    min_on: 1\n    min_off: 0\n    start_delay: 1\n    stop_delay: 1\n"


class Moved:
    """A user who has moved: the bridge as imported, and eyes on the GX's broker."""

    def __init__(self, bridge: House, eyes: Eyes, seen: Link) -> None:
        self.bridge, self.eyes, self.seen = bridge, eyes, seen

    def told(self, topic: str) -> str:
        """The newest payload of a full topic."""
        found = self.seen.payloads(topic)
        return found[-1].decode() if found else ""

    async def until(self, check: Callable[[], object], limit: float = 30) -> None:
        await self.seen.until(check, limit)

    async def request(self, consumer: str, **fields: object) -> None:
        for name, value in fields.items():
            topic = f"{TREE}/Requests/{consumer}/{name}"
            self.seen.connection.send(topic, str(value).encode())


async def imported(folder: Path, ini: str, gx: str) -> str:
    """What the command makes of a config.ini."""
    source, made = folder / "config.ini", folder / "heliograph.yaml"
    source.write_text(ini)
    command = [sys.executable, "-m", "bridge", "import-es-ess", str(source), "-o", str(made)]
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            [*command, "--gx", gx, "--report"], capture_output=True, check=False, text=True
        )
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "simulated" not in made.read_text() + done.stdout
    return made.read_text()


@contextlib.asynccontextmanager
async def moved(folder: Path, gx: Gx, ini: str) -> AsyncIterator[Moved]:
    text = await imported(folder, ini, gx.host)
    for kind in ("http_switch", "mqtt_switch"):
        text = text.replace(f"    kind: {kind}\n", f"    kind: {kind}\n{QUICK}")
    bridge = House(gx.port, folder, "")
    bridge.config = folder / "heliograph.yaml"
    bridge.config.write_text(f"state: {folder / 'state'}\n{text}")
    place = Endpoint.from_url(f"mqtt://{gx.host}:{gx.port}")
    async with link(place, f"eyes-{time.monotonic_ns()}", filters=("#",)) as seen:
        found = Moved(bridge, Eyes(seen), seen)
        try:
            bridge.start()
            await found.eyes.until("Actors/distributor/Status", "online", 30)
            yield found
        except BaseException:
            print("\n".join(bridge.lines[-40:]))
            raise
        finally:
            process = bridge.process
            if process is not None and process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
async def gx() -> AsyncIterator[Gx]:
    """A GX where a GX listens: port 1883, at a loopback address of this test's own."""
    number = os.getpid()
    host = f"127.{1 + number % 250}.{1 + number // 250 % 250}.2"
    try:
        sim = Gx(host=host, port=1883, sun=300, load=300, soc=60)
        await sim.start()
    except OSError as error:
        pytest.skip(f"{host}:1883 cannot be used here: {error}")
    yield sim
    await sim.stop()


class Heater:
    """The pool heater: listens to `Set` and tells `State` and `Power`, as in the manual."""

    def __init__(self) -> None:
        self.on = False
        self.heard: list[bytes] = []
        self.power = 0.0

    async def run(self, host: str, port: int) -> None:
        base = "Devices/pool/IO/Heater"
        place = Endpoint.from_url(f"mqtt://{host}:{port}")
        async with link(place, "heater", filters=(f"{base}/Set",)) as pool:
            while True:
                await pool.until(lambda: len(pool.got) > len(self.heard), 1e6)
                self.heard.append(pool.got[len(self.heard)].payload)
                self.on = self.heard[-1] == b"true"
                self.power = 740.0 if self.on else 0.0
                pool.connection.send(f"{base}/State", b"true" if self.on else b"false")
                pool.connection.send(f"{base}/Power", f"{self.power:g}".encode())


async def test_waterplay_pool_filter_and_pool_heater(tmp_path: Path, gx: Gx) -> None:
    heater = Heater()
    async with (
        Relay("gen1", watts=120) as waterplay,
        Relay("gen2", watts=205, number=1) as pool,
        anyio.create_task_group() as tasks,
    ):

        async def house() -> None:
            while True:
                gx.plant.load = 300 + waterplay.power + pool.power + heater.power
                await anyio.sleep(0.1)

        tasks.start_soon(heater.run, gx.host, gx.port)
        tasks.start_soon(house)
        ini = COMMON.format(meter="false", curve="5000-50*SOC+400")
        ini += SWITCHES.format(waterplay=waterplay.port, filter=pool.port)
        async with moved(tmp_path, gx, ini) as user:
            eyes = user.eyes
            for consumer in ("waterplay", "poolFilter", "poolHeater"):
                await eyes.until(f"Requests/{consumer}/Reason", lambda text: "waiting" in text, 30)
            assert (waterplay.on, pool.on, heater.on) == (False, False, False)
            # 2400 W are kept for the battery at 60 %: only waterplay may ignore that.
            gx.plant.sun = 300 + 2000
            await user.until(lambda: waterplay.on)
            assert user.told(f"{TREE}/Requests/waterplay/Allowance") == "120"
            await eyes.until("Requests/waterplay/Reason", lambda text: "120 W" in text)
            await anyio.sleep(3)
            assert (pool.on, heater.on) == (False, False)
            # 400 W are kept at 100 %: the filter first, and no part of its power for the heater.
            gx.plant.soc = 100
            gx.plant.sun = 300 + 120 + 400 + 500
            await user.until(lambda: pool.on)
            await eyes.until("Devices/poolFilter/Power", "205")
            await anyio.sleep(2)
            assert not heater.on
            gx.plant.sun += 600
            await user.until(lambda: heater.on)
            await eyes.until("Devices/poolHeater/Power", "740")
            assert user.told(f"{TREE}/Requests/poolHeater/Allowance") == "750"
            # A cloud: each goes off, by its own off-url and off-topic.
            gx.plant.sun = 100
            await user.until(lambda: not (waterplay.on or pool.on or heater.on))
            assert heater.heard[-1] == b"false"
            gx.plant.sun = 5000
            await user.until(lambda: waterplay.on and pool.on and heater.on)
            assert await user.bridge.end(signal.SIGTERM) == 0
            assert (waterplay.on, pool.on, heater.on) == (False, False, False)
        tasks.cancel_scope.cancel()


async def test_the_car_at_35_and_the_heater_at_40(tmp_path: Path, gx: Gx) -> None:
    # (A number of W that three phases share evenly.)
    gx.plant.soc, gx.plant.load, gx.plant.sun = 100, 300, 6501
    async with moved(tmp_path, gx, COMMON.format(meter="false", curve="0")) as user:
        common = {"Consumption": "0", "IsAutomatic": "true", "IsScriptedConsumer": "true"}
        ev = {"Priority": 35, "PriorityShift": 1, "StepSize": 250, "Minimum": 1365}
        heater = {"Priority": 40, "PriorityShift": 5, "StepSize": 1000}
        await user.eyes.until("Site/Surplus", "6201", 30)
        await user.request("EV", **ev, **common, VRMInstanceID=1006, Request=11000)
        await user.request("Heater", **heater, **common, VRMInstanceID=1005, Request=3000)
        await user.until(lambda: user.told(f"{TREE}/Requests/EV/Allowance") == "4115")
        await user.until(lambda: user.told(f"{TREE}/Requests/Heater/Allowance") == "2000")


CURVES: dict[str, dict[int, float]] = {
    "5000-50*SOC+400": {50: 2900, 90: 900},
    "3000/(min(SOC,99)-100)+3000": {50: 2940, 90: 2700},
    "(1/(SOC/8)*5000)+1000": {50: 1800, 90: 1444.4},
}


@pytest.mark.parametrize("curve", CURVES)
async def test_a_curve_for_the_battery(tmp_path: Path, gx: Gx, curve: str) -> None:
    gx.plant.sun, gx.plant.load, gx.plant.soc = 4000, 300, 50
    async with moved(tmp_path, gx, COMMON.format(meter="false", curve=curve)) as user:
        for soc, kept in CURVES[curve].items():
            gx.plant.soc = soc

            def shown(kept: float = kept) -> bool:
                text = user.told(f"{TREE}/Calculations/Battery/Reservation")
                # es-ESS rounds to whole W.
                return bool(text) and abs(float(text) - kept) < 0.6

            await user.until(shown)


async def test_the_shelly_at_the_grid_and_the_one_at_the_panels(tmp_path: Path, gx: Gx) -> None:
    gx.plant.soc, gx.plant.sun, gx.plant.load = 100, 3000, 1500
    async with (
        Shelly("3em", password="simulated", username="user", power=[-900.0, -700.0, 100.0]) as grid,
        Shelly("plus1pm", power=[612.0], two_way=False) as garage,
    ):
        ini = COMMON.format(meter="true", curve="0") + METERS.format(
            grid=grid.port, garage=garage.port
        )
        async with moved(tmp_path, gx, ini) as user:
            eyes: Any = user.eyes
            await eyes.until("Devices/grid_meter/GridPower", "-1500", 30)
            # As the meter has it: es-ESS took 300 W off the second phase.
            await eyes.until("Devices/grid_meter/GridPowerL2", "-700")
            await eyes.until("Devices/garage/PvPower", "612")
            await eyes.until("Devices/garage/PvPowerL2", "612")
            await eyes.until("Site/Surplus", "1500", 30)
            await user.until(
                lambda: user.told(f"{TREE}/Calculations/Grid/TotalFeedIn") in {"1500", "1500.0"}
            )
