"""A config.ini as es-ESS users have it, the command that imports it, and the bridge it becomes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import anyio

from bridge.mqtt import Endpoint
from tests.e2e.house import Eyes, House
from tests.runtime.links import link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from actors.venus.venus_mqtt.sim import Simulator as Gx
    from tests.runtime.links import Link

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
PowerUrl='http://127.0.0.1:{waterplay}/status'
PowerExtractRegex="apower":([^,]+),
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
