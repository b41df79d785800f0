"""One AlphaESS actor without a broker, against a simulator: what it would publish is kept."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import anyio

from actors.devices.alphaess.actor import AlphaEss
from actors.devices.alphaess.client import Client
from actors.devices.alphaess.settings import Settings
from actors.devices.alphaess.sim import APP_ID, APP_SECRET
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config.model import Config
from bridge.config.secret import Secret
from bridge.contract import load_contract
from bridge.mqtt import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from actors.devices.alphaess.sim import Simulator
    from bridge.config.settings import SiteSettings
    from bridge.control.entry import Outcome

SN = "AL7011099000001"


async def wait(condition: Callable[[], bool], limit: float = 8) -> None:
    with anyio.fail_after(limit):
        while not condition():  # noqa: ASYNC110 - it is polled
            await anyio.sleep(0.01)


def settings_of(sim: Simulator, **given: Any) -> Settings:
    quick: dict[str, Any] = {"interval": 0.05, "timeout": 1.0, "gap": 0.0, "app_id": APP_ID}
    quick |= {"app_secret": Secret(APP_SECRET), "url": sim.url}
    return Settings(**quick | given)


def build(
    folder: Path,
    sim: Simulator,
    *,
    site: SiteSettings | None = None,
    clock: Clock | None = None,
    **given: Any,
) -> AlphaEss:
    """An actor `ess` that asks quickly."""
    config = Config(state=folder, site=site)
    place = Endpoint("x", 1)
    settings = settings_of(sim, **given)
    return AlphaEss(Context("ess", settings, config, load_contract(), place, clock or Clock()))


class Rig:
    """What an actor said, and commands to it."""

    def __init__(self, actor: AlphaEss) -> None:
        self.actor = actor
        self.sent: list[tuple[str, str]] = []
        actor.bus.connection.send = self._send  # type: ignore[method-assign]

    def _send(self, topic: str, payload: bytes, **_: Any) -> bool:
        self.sent.append((topic.removeprefix("heliograph/"), payload.decode()))
        return True

    def last(self, address: str) -> str | None:
        return next((text for topic, text in reversed(self.sent) if topic == address), None)

    def value(self, name: str, device: str = "ess") -> str | None:
        return self.last(f"Devices/{device}/{name}")

    def state(self, device: str = "ess") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.value("State", device) or "{}")
        return found

    async def until(self, name: str, wanted: str | None = None, device: str = "ess") -> None:
        def there() -> bool:
            return (found := self.value(name, device)) is not None and wanted in (None, found)

        await wait(there)

    async def ask(self, control: str, payload: Any, device: str | None = None) -> Outcome:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        with anyio.fail_after(8):
            return await self.actor.desk.submit(control, text.encode(), device=device)


@contextlib.asynccontextmanager
async def running(actor: AlphaEss) -> AsyncIterator[Rig]:
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
    folder: Path, sim: Simulator, *, clock: Clock | None = None, **given: Any
) -> AsyncIterator[Client]:
    client = Client(settings_of(sim, **given), folder, clock)
    try:
        yield client
    finally:
        await client.close()
