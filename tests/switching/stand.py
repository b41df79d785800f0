"""An on/off consumer's actor on a real broker, and who looks on and plays the distributor."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import anyio

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.runner import Runner
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bridge.actor import Actor
    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

AT_ONCE: dict[str, Any] = {
    "request": 500.0, "min_on": 0.0, "min_off": 0.0, "start_delay": 0.0, "stop_delay": 0.0,
}  # fmt: skip
WARNING = "Actors/pump/Messages/Warning"
SAID = "Actors/pump/Messages/Operational"


class Leap(Clock):
    """A clock that a test can put forward."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


class Stand:
    """`pump` is the actor's id."""

    def __init__(self, them: Link) -> None:
        self.them, self.clock = them, Leap()
        self.runner: Any = None

    def last(self, address: str) -> str:
        found = self.them.payloads(f"heliograph/{address}")
        return found[-1].decode() if found else ""

    def asked(self) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for payload in self.them.payloads("heliograph/Requests/pump"):
            merged |= json.loads(payload)
        return merged

    @property
    def health(self) -> str:
        return str(json.loads(self.last("Actors/pump/Health") or "{}").get("error") or "")

    async def until(self, check: Callable[[], object], limit: float = 25) -> None:
        await self.them.until(check, limit)

    async def say(self, address: str, payload: str, *, retain: bool = False) -> None:
        self.them.connection.send(f"heliograph/{address}", payload.encode(), qos=1, retain=retain)

    async def allow(self, watts: float) -> None:
        await self.say("Requests/pump/Allowance", f"{watts:g}")

    async def command(self, payload: str) -> dict[str, Any]:
        topic = "heliograph/Devices/pump/Switch/Result"
        known = len(self.them.payloads(topic))
        await self.say("Devices/pump/Switch/Set", payload)
        await self.until(lambda: len(self.them.payloads(topic)) > known)
        result: dict[str, Any] = json.loads(self.them.payloads(topic)[-1])
        return result

    async def settled(self) -> None:
        """Let what was told last be old enough for a reading to be believed against it."""
        self.clock.ahead += 6

    async def stop(self) -> None:
        self.runner.stop()
        await self.runner.finished.wait()


@contextlib.asynccontextmanager
async def stand(
    broker: Mosquitto, state: Path, kind: type[Actor], settings: Any, *, asks: bool = True
) -> AsyncIterator[Stand]:
    """The actor running; with `asks`, once it has asked for its power."""
    place = endpoint(broker.port)
    async with link(place, "eyes", filters=("#",)) as them:
        found = Stand(them)

        def build(restarts: int) -> Context:
            config = Config(state=state)
            return Context("pump", settings, config, load_contract(), place, found.clock, restarts)

        async def report(*_: object) -> None:
            return

        found.runner = Runner(build, kind, name="pump", stops_first=False, report=report)
        await found.say("Actors/distributor/Status", "online", retain=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.runner.run)
            if asks:
                await found.until(lambda: found.asked().get("Request") == settings.request)
            yield found
            await found.stop()
        assert found.runner.restarts == 0
