"""Virtual time: an event loop that leaps to the next timer instead of waiting for it.

A test that takes this loop (`anyio_backend = VIRTUAL`) lives through minutes in milliseconds. There
is no real input or output under it: what an actor publishes is kept by a `Wire`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.mqtt import Endpoint, Incoming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bridge.actor import Actor

_BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class _Leap(selectors.DefaultSelector):
    """Never waits: it moves the loop's time on by what it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everything waits and no timer will ever end it"
            self.moment += max(timeout, 0.0)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._leap.moment


VIRTUAL = ("asyncio", {"loop_factory": VirtualLoop})


class LoopClock(Clock):
    """The clock that belongs to the virtual loop."""

    def now(self) -> float:
        return float(anyio.current_time())

    def utc(self) -> datetime:
        return _BEGIN + timedelta(seconds=self.now() - 1000.0)


class Wire:
    """Everything that actors publish: (moment, address, payload)."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, str, bytes]] = []

    def attach(self, actor: Actor) -> None:
        """Take the place of the actor's connection; `hear` is what would come over it."""
        connection = actor.bus.connection

        def send(topic: str, payload: bytes, **_: Any) -> bool:
            self.sent.append((anyio.current_time(), topic.removeprefix("heliograph/"), payload))
            return True

        async def run() -> None:
            connection.tried.set()
            connection.connected.set()
            await anyio.sleep_forever()

        connection.send = send  # type: ignore[method-assign]
        connection.run = run  # type: ignore[method-assign]

    def of(self, address: str) -> list[bytes]:
        """The payloads on one address, in order."""
        return [payload for _, where, payload in self.sent if where == address]

    def times(self, address: str) -> list[float]:
        """When something was published on one address."""
        return [moment for moment, where, _ in self.sent if where == address]

    def last(self, address: str) -> str | None:
        """The newest payload as text."""
        found = self.of(address)
        return found[-1].decode() if found else None

    def json(self, address: str) -> Any:
        """The newest payload as JSON."""
        text = self.last(address)
        return json.loads(text) if text else None


def context(state: Path, name: str = "dut", settings: Any = None, restarts: int = 0) -> Context:
    """What an actor needs under virtual time."""
    config = Config(state=state, discovery=DiscoverySettings(enabled=False))
    nowhere = Endpoint("localhost", 1)
    return Context(name, settings, config, load_contract(), nowhere, LoopClock(), restarts)


def hear(actor: Actor, address: str, payload: bytes, *, retained: bool = False) -> None:
    """Let a message arrive at an actor, as its reader task would."""
    actor.bus._on_message(Incoming(f"heliograph/{address}", payload, retained))


@contextlib.asynccontextmanager
async def alive(actor: Actor, wire: Wire) -> AsyncIterator[None]:
    """The actor's bus and life, until the block ends."""
    wire.attach(actor)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.bus.run)
        tasks.start_soon(actor.live)
        yield
        tasks.cancel_scope.cancel()


class Log:
    """Collects log lines of `bridge.log` loggers: (level, text)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __getattr__(self, level: str) -> Callable[..., None]:
        if level.startswith("_"):
            raise AttributeError(level)
        return lambda text, **_: self.lines.append((level, text))

    def texts(self, level: str | None = None) -> list[str]:
        """The texts, of one level or of all."""
        return [text for found, text in self.lines if level in (None, found)]
