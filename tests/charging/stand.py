"""A charger without a protocol, the bridge's actor for it on a real broker, and who looks on."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from bridge.actor import Context
from bridge.charging.device import ChargerDevice
from bridge.charging.settings import ChargerSettings
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.errors import DeviceTimeout
from bridge.runner import Runner
from bridge.simulators.car import Car
from tests.charging.rig import Charger
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bridge.charging.model import ChargerReading, ChargerWish

TICK = 0.05
QUICK: dict[str, Any] = {"phases": 1, "min_off": 0.0, "start_delay": 0.0, "interval": TICK}


class Leap(Clock):
    """A clock that a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


@dataclass
class Stand:
    """A charger without a protocol, the bridge's actor for it, and a client that looks on."""

    charger: Charger
    clock: Leap
    mode: str | None = None
    wishes: list[ChargerWish] = field(default_factory=list)
    away: bool = False
    mute: bool = False  # it follows, but its answer is lost
    rests: int = 0
    reads: int = 0
    them: Any = None
    runner: Any = None

    @property
    def actor(self) -> ChargerDevice:
        found = self.runner.actor
        assert isinstance(found, ChargerDevice)
        return found

    def last(self, address: str) -> str | None:
        found = self.them.payloads(f"heliograph/{address}")
        return found[-1].decode() if found else None

    def asked(self) -> dict[str, Any]:
        """The request as a distributor knows it: all objects, merged."""
        merged: dict[str, Any] = {}
        for payload in self.them.payloads("heliograph/Requests/box"):
            if payload:
                merged |= json.loads(payload)
        return merged

    async def until(self, check: Callable[[], object], limit: float = 5) -> None:
        await self.them.until(check, limit)

    async def more_wishes(self, count: int) -> None:
        """Wait until the charger was told that many wishes more."""
        wanted = len(self.wishes) + count
        await self.until(lambda: len(self.wishes) >= wanted)

    async def say(self, address: str, payload: str, *, retain: bool = False) -> None:
        self.them.connection.send(f"heliograph/{address}", payload.encode(), qos=1, retain=retain)

    async def allow(self, watts: float) -> None:
        await self.say("Requests/box/Allowance", f"{watts:g}")

    async def command(self, control: str, payload: str) -> dict[str, Any]:
        """Send a command and return its result."""
        topic = f"heliograph/Devices/box/{control}/Result"
        known = len(self.them.payloads(topic))
        await self.say(f"Devices/box/{control}/Set", payload)
        await self.until(lambda: len(self.them.payloads(topic)) > known)
        result: dict[str, Any] = json.loads(self.them.payloads(topic)[-1])
        return result


def kind_for(stand: Stand) -> type[ChargerDevice]:
    class Box(ChargerDevice):
        kind = "box"
        manual_modes: ClassVar[frozenset[str]] = frozenset({"default"})

        async def read_charger(self) -> ChargerReading:
            if stand.away:
                raise DeviceTimeout("the box does not answer")
            stand.reads += 1
            stand.charger.step(1.0)
            return stand.charger.reading()

        async def obey(self, wish: ChargerWish) -> None:
            if stand.away:
                raise DeviceTimeout("the box does not answer")
            stand.wishes.append(wish)
            stand.charger.obey(wish)
            if stand.mute:
                raise DeviceTimeout("the box does not answer")

        async def set_mode(self, mode: str | None) -> str | None:
            stand.charger.mode = mode or "eco"
            return mode

        async def rest(self) -> None:
            stand.rests += 1

    return Box


@contextlib.asynccontextmanager
async def stand(
    port: int, state: Path, *, car: Car | None = None, ready: bool = True, **settings: Any
) -> AsyncIterator[Stand]:
    found = Stand(Charger(car=car or Car(wakes=0, slew=99), phases=1), Leap())
    place = endpoint(port)

    def build(restarts: int) -> Context:
        given = ChargerSettings(host="box", **QUICK | settings)
        return Context(
            "box", given, Config(state=state), load_contract(), place, found.clock, restarts
        )

    async def report(*_: object) -> None:
        return

    found.runner = Runner(build, kind_for(found), name="box", stops_first=False, report=report)
    async with link(place, "eyes", filters=("heliograph/#",)) as them:
        found.them = them
        await found.say("Actors/distributor/Status", "online", retain=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.runner.run)
            if ready:
                await found.until(lambda: "Request" in found.asked())
                await found.until(lambda: found.last("Devices/box/Status") == "online")
            yield found
            found.runner.stop()
            await found.runner.finished.wait()
        assert found.runner.restarts == 0
