"""A broker in memory under virtual time, a battery with a real control desk, and who holds it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from bridge.actor import Actor
from bridge.control.lending import SET, Lent
from bridge.device import Device
from bridge.errors import DeviceTimeout
from bridge.mqtt import Incoming
from tests.runtime.virtual import context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from bridge.control.lease import Value

BASE = "heliograph/"


class Board:
    """Hands every message to every actor, keeps the retained ones."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self.retained: dict[str, bytes] = {}
        self.sent: list[tuple[float, str, bytes]] = []

    def attach(self, actor: Actor) -> None:
        connection = actor.bus.connection

        async def subscribe(filters: Any) -> None:
            for topic, payload in list(self.retained.items()):
                if any(matches(each, topic) for each, _ in filters):
                    actor.bus._on_message(Incoming(topic, payload, True))

        async def run() -> None:
            connection.connected.set()
            await anyio.sleep_forever()

        connection.send = self.send  # type: ignore[method-assign]
        connection.subscribe = subscribe  # type: ignore[method-assign]
        connection.run = run  # type: ignore[method-assign]
        self.actors.append(actor)

    def send(self, topic: str, payload: bytes, *, retain: bool = False, **_: Any) -> bool:
        self.sent.append((anyio.current_time(), topic.removeprefix(BASE), payload))
        if retain:
            self.retained.pop(topic, None)
            if payload:
                self.retained[topic] = payload
        for actor in self.actors:
            actor.bus._on_message(Incoming(topic, payload, False))
        return True

    def say(self, address: str, payload: str, *, retain: bool = False) -> None:
        self.send(BASE + address, payload.encode(), retain=retain)

    def texts(self, address: str) -> list[str]:
        return [payload.decode() for _, where, payload in self.sent if where == address]

    def results(self, control: str) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.texts(f"Devices/ess/{control}/Result")]

    @contextlib.asynccontextmanager
    async def alive(self, *actors: Actor) -> AsyncIterator[None]:
        """The actors live until the block ends, as after a kill: nobody is made safe."""
        async with anyio.create_task_group() as tasks:
            for actor in actors:
                self.attach(actor)
                tasks.start_soon(actor.bus.run)
                tasks.start_soon(actor.live)
            await anyio.sleep(0.5)
            yield
            tasks.cancel_scope.cancel()
        for actor in actors:
            self.actors.remove(actor)


def matches(wanted: str, topic: str) -> bool:
    ours, theirs = wanted.split("/"), topic.split("/")
    return len(ours) == len(theirs) and all(
        a in {"+", b} for a, b in zip(ours, theirs, strict=True)
    )


class Ess(Device):
    """A battery: a setpoint that is a lease, and limits that it keeps."""

    kind = "ess"
    controls = ("BatterySetpoint", "MaxChargePower", "MaxDischargePower")
    daily_writes: ClassVar[Mapping[str, int]] = {"BatterySetpoint": 1000, "MaxChargePower": 50}

    def __init__(self, state: Path) -> None:
        super().__init__(context(state, "ess"))
        self.values: dict[str, Any] = {
            "BatterySetpoint": None,
            "MaxChargePower": 5000.0,
            "MaxDischargePower": None,
        }
        self.writes_seen: list[tuple[str, Any]] = []
        self.away = False
        self.no_limit = False

    async def run(self) -> None:
        for name in ("MaxChargePower", "MaxDischargePower"):
            await self.desk.offer(name)
        async for _ in self.every(1):
            if not self.away:
                await self.reading({"BatterySoc": 50.0, "BatteryPower": 0.0})
                for name in ("MaxChargePower", "MaxDischargePower"):
                    await self.desk.observed(
                        name,
                        self.values[name],
                        unlimited=self.no_limit and self.values[name] is None,
                    )

    def may_return(self, control: str, device: str) -> bool:
        """A battery that may be without a limit."""
        return self.no_limit and control == "MaxDischargePower"

    async def write_control(
        self, control: str, value: Value | None, *, device: str
    ) -> Value | None:
        if self.away:
            raise DeviceTimeout("ess does not answer")
        self.writes_seen.append((control, value))
        self.values[control] = value
        return value


class Holder(Actor):
    """Wants what a test says, once a second."""

    kind = "holder"
    writes: ClassVar[tuple[str, ...]] = (SET,)

    def __init__(
        self, state: Path, control: str, name: str = "guard", restore: Value | None = None
    ) -> None:
        super().__init__(context(state, name))
        self.lent = Lent(self, "ess", control, 30.0, restore=restore)
        self.wanted: Value | None = None

    async def run(self) -> None:
        await self.lent.start()
        async for _ in self.every(1):
            await self.lent.want(self.wanted)

    async def safe(self) -> None:
        await self.lent.release()
