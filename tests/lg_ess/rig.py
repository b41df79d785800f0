"""One LG ESS actor without a broker, against a simulator: what it would publish is kept."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import anyio

from actors.devices.lg_ess.actor import LgEss
from actors.devices.lg_ess.client import Client, name_of
from actors.devices.lg_ess.settings import Settings
from actors.devices.lg_ess.sim import PASSWORD
from bridge.actor import Context
from bridge.bus import Message
from bridge.clock import Clock
from bridge.config.model import Config
from bridge.config.secret import Secret
from bridge.contract import load_contract
from bridge.http.pin import Pin
from bridge.mqtt import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from actors.devices.lg_ess.sim import Simulator
    from bridge.config.settings import SiteSettings
    from bridge.control.entry import Outcome

__all__ = ["Message", "Rig", "build", "client_of", "running", "wait"]


class MovedClock(Clock):
    """The real clock, that a test can move on."""

    def __init__(self) -> None:
        self.moved = 0.0

    def now(self) -> float:
        return super().now() + self.moved


async def wait(condition: Callable[[], bool], limit: float = 8) -> None:
    with anyio.fail_after(limit):
        while not condition():  # noqa: ASYNC110 - it is polled
            await anyio.sleep(0.01)


def build(
    tmp_path: Path, sim: Simulator, *, site: SiteSettings | None = None, **given: Any
) -> LgEss:
    """An actor `ess` that reads quickly."""
    quick: dict[str, Any] = {
        "interval": 0.05,
        "timeout": 1.0,
        "common_interval": 0.1,
        "settings_interval": 0.2,
        "password": Secret(PASSWORD),
    }
    settings = Settings(host=sim.host, port=sim.port, **{**quick, **given})
    config = Config(state=tmp_path, site=site)
    context = Context("ess", settings, config, load_contract(), Endpoint("x", 1), MovedClock())
    return LgEss(context)


class Rig:
    """What an actor said, and commands to it."""

    def __init__(self, actor: LgEss) -> None:
        self.actor = actor
        self.sent: list[tuple[str, str]] = []
        actor.bus.connection.send = self._send  # type: ignore[method-assign]

    def _send(self, topic: str, payload: bytes, **_: Any) -> bool:
        self.sent.append((topic.removeprefix("heliograph/"), payload.decode()))
        return True

    def last(self, address: str) -> str | None:
        return next((text for topic, text in reversed(self.sent) if topic == address), None)

    def value(self, name: str) -> str | None:
        return self.last(f"Devices/ess/{name}")

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.value("State") or "{}")
        return found

    async def until(self, name: str, wanted: str | None = None) -> None:
        await wait(lambda: (found := self.value(name)) is not None and wanted in (None, found))

    async def ask(self, control: str, payload: str | dict[str, Any]) -> Outcome:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        with anyio.fail_after(8):
            return await self.actor.desk.submit(control, text.encode())


@contextlib.asynccontextmanager
async def running(actor: LgEss) -> AsyncIterator[Rig]:
    """The actor's life; at the end it is stopped as the supervisor would."""
    rig = Rig(actor)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(actor.live)
            yield rig
            tasks.cancel_scope.cancel()
    finally:
        await actor.make_safe()


@contextlib.asynccontextmanager
async def client_of(
    sim: Simulator, password: str = PASSWORD, *, clock: Clock | None = None, **given: Any
) -> AsyncIterator[Client]:
    """A client with a certificate of its own finding."""
    clock = clock or MovedClock()
    name = name_of(sim.host, sim.port)
    pin = Pin(sim.host, sim.port, name=name, clock=clock)
    options: dict[str, Any] = {"timeout": 1.0, **given}
    client = Client(sim.host, sim.port, password=password, pin=pin, clock=clock, **options)
    try:
        yield client
    finally:
        await client.close()
