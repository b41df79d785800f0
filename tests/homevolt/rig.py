"""One Homevolt actor against a simulator, without a broker."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import anyio

from actors.devices.homevolt.actor import Homevolt
from actors.devices.homevolt.settings import Settings
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.mqtt import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from actors.devices.homevolt.sim import Simulator
    from bridge.control.entry import Outcome

ID = "ess"


def build(state: Path, sim: Simulator, clock: Clock | None = None, **given: Any) -> Homevolt:
    defaults: dict[str, Any] = {"interval": 0.05, "timeout": 0.5}
    settings = Settings(host=sim.host, port=sim.port, **{**defaults, **given})
    context = Context(
        ID,
        settings,
        Config(state=state),
        load_contract(),
        Endpoint("127.0.0.1", 1),
        clock or Clock(),
    )
    return Homevolt(context)


class MovedClock(Clock):
    """The real clock, that a test can move on."""

    def __init__(self) -> None:
        self.moved = 0.0

    def now(self) -> float:
        return super().now() + self.moved


class Rig:
    """What the actor sends, kept instead of sent: topic under the base to payload."""

    def __init__(self, actor: Homevolt) -> None:
        self.actor = actor
        self.sent: list[tuple[str, str]] = []
        actor.bus.connection.send = self._send  # type: ignore[method-assign]

    def _send(self, topic: str, payload: bytes, **_: Any) -> bool:
        self.sent.append((topic.removeprefix("heliograph/"), payload.decode()))
        return True

    def last(self, address: str) -> str | None:
        return next((text for topic, text in reversed(self.sent) if topic == address), None)

    def state(self, device: str = ID) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.last(f"Devices/{device}/State") or "{}")
        return found

    @property
    def warning(self) -> str:
        return self.last(f"Actors/{ID}/Messages/Warning") or ""

    async def until(self, condition: Callable[[], Any]) -> None:
        with anyio.fail_after(8):
            while not condition():  # noqa: ASYNC110 - whatever it is about, nobody tells
                await anyio.sleep(0.01)

    async def order(self, control: str, payload: str) -> Outcome:
        """A command as it would come on `Set`."""
        await self.until(lambda: control in self.actor.desk.offered())
        return await self.actor.desk.submit(control, payload.encode())


@contextlib.asynccontextmanager
async def running(actor: Homevolt, *, politely: bool = True) -> AsyncIterator[Rig]:
    """The actor at work; not `politely`: it dies without giving anything back."""
    rig = Rig(actor)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.live)
        try:
            yield rig
        finally:
            tasks.cancel_scope.cancel()
    if politely:
        await actor.make_safe()
    else:
        await actor.client.close()
