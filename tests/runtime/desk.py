"""A battery with controls under a real Runner on a real broker, and a person beside it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import msgspec

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.device import Device
from bridge.errors import DeviceTimeout
from bridge.runner import Runner
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from bridge.contract import Control
    from tests.runtime.links import Link

OURS = 1.0  # what the battery does when nobody holds it


class Battery(Device):
    """Keeps what it is told; each fault of a real one can be switched on."""

    kind = "battery"
    controls = ("BatterySetpoint", "BatteryMode", "MinSoc", "Switch")
    watchdog: ClassVar[Mapping[str, float]] = {}
    daily_writes: ClassVar[Mapping[str, int]] = {"MinSoc": 3}
    # Shared by all lives of the one battery of a test.
    writes_seen: ClassVar[list[tuple[str, Any]]] = []
    away: ClassVar[bool] = False
    deaf: ClassVar[int] = 0
    slow: ClassVar[float] = 0.0
    crash: ClassVar[bool] = False

    async def run(self) -> None:
        async for _ in self.every(0.05):
            if type(self).crash:
                type(self).crash = False
                raise RuntimeError("the battery's code has a fault")

    def control_entry(self, control: str, device: str) -> Control:
        entry = super().control_entry(control, device)
        if control == "BatterySetpoint":
            return msgspec.structs.replace(entry, min=-5000, max=5000)
        return entry

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        await anyio.sleep(type(self).slow)
        if type(self).away:
            raise DeviceTimeout(f"{device} does not answer")
        self.writes_seen.append((control, value))
        if type(self).deaf and value is not None:
            type(self).deaf -= 1
            return OURS
        return value


class Person:
    """Publishes commands and reads what comes of them."""

    def __init__(self, them: Link, battery: type[Battery], runner: Runner) -> None:
        self.link = them
        self.battery = battery
        self.runner = runner

    def send(self, control: str, payload: str | dict[str, Any], *, retain: bool = False) -> None:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        topic = f"heliograph/Devices/ess/{control}/Set"
        self.link.connection.send(topic, text.encode(), qos=1, retain=retain)

    def results(self, control: str) -> list[dict[str, Any]]:
        topic = f"heliograph/Devices/ess/{control}/Result"
        return [json.loads(payload) for payload in self.link.payloads(topic)]

    async def ask(self, control: str, payload: str | dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its result."""
        before = len(self.results(control))
        self.send(control, payload)
        await self.link.until(lambda: len(self.results(control)) > before)
        return self.results(control)[-1]

    def states(self, control: str) -> list[bytes]:
        return self.link.payloads(f"heliograph/Devices/ess/{control}")

    def warnings(self) -> list[str]:
        topic = "heliograph/Actors/ess/Messages/Warning"
        return [payload.decode() for payload in self.link.payloads(topic)]

    def written(self, control: str) -> list[Any]:
        return [value for name, value in self.battery.writes_seen if name == control]


@contextlib.asynccontextmanager
async def battery(
    port: int, state: Path, *, restarts: int = 0, **faults: Any
) -> AsyncIterator[Person]:
    """Run a battery until the block ends, then stop it as the supervisor would."""
    kind = type("Fresh", (Battery,), {"writes_seen": [], **faults})
    async with serve(kind, port, state) as person:
        yield person


@contextlib.asynccontextmanager
async def serve(kind: type[Battery], port: int, state: Path) -> AsyncIterator[Person]:
    """One life of an actor of this kind."""
    config = Config(state=state, discovery=DiscoverySettings(enabled=False))
    place = endpoint(port)

    def build(restarts: int) -> Context:
        return Context("ess", None, config, load_contract(), place, Clock(), restarts)

    async def report(*_: object) -> None:
        return

    runner = Runner(build, kind, name="ess", stops_first=False, report=report)
    async with (
        link(place, "person", filters=("heliograph/#",)) as them,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(runner.run)
        await them.until(lambda: b"online" in them.payloads("heliograph/Actors/ess/Status"))
        # Subscriptions made by the desk are in force once it has shown that nothing is lent.
        await them.until(
            lambda: runner.actor is not None and "ess" in runner.actor.desk._heard  # type: ignore[attr-defined]
        )
        await anyio.sleep(0.1)
        yield Person(them, kind, runner)
        runner.stop()
        await runner.finished.wait()
        await anyio.sleep(0.05)
