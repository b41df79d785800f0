"""A simulated GX: a private broker, and what a GX does on it."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from actors.venus.venus_mqtt.simulator.faults import FAULTS
from actors.venus.venus_mqtt.simulator.plant import PORTAL, Plant
from actors.venus.venus_mqtt.simulator.player import Player
from bridge.broker import EmbeddedSettings, embedded_broker
from bridge.log import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SETTINGS: Final = {"silence": 4.0}
_USER: Final = "heliograph"


class Simulator:
    """`async with Simulator() as sim:` listens on `sim.port`; see Player for what can be changed.

    password: needed to log in; old: as before Venus OS 3.20; phases: 1 to 3; sun, load, soc: W and
    %; heartbeat: s. The broker is mosquitto where there is one, so what a GX does of its own accord
    at its broker (refusing what others publish below N, delaying a refused login) is not simulated.
    It lives in a thread of its own, so that it can be stopped and started from anywhere.
    """

    def __init__(  # noqa: PLR0913 - an option more is better than a bag of options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str | None = None,
        old: bool = False,
        phases: int = 3,
        sun: float = 3000.0,
        load: float = 1200.0,
        soc: float = 60.0,
        heartbeat: float = 3.0,
    ) -> None:
        if phases not in (1, 2, 3):
            raise ValueError(f"phases {phases} is not 1, 2 or 3")
        self.host, self.port = host, port
        self.plant = Plant(phases)
        self.plant.sun, self.plant.load, self.plant.soc = sun, load, soc
        self.player = Player(self.plant, old=bool(old), heartbeat=heartbeat)
        self._password = None if password is None else str(password)
        self._stack: ExitStack | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with it now."""
        return self.player.fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        self.player.fault = name

    def settings(self) -> dict[str, Any]:
        """What a configuration needs beside the address."""
        if self._password is None:
            return {}
        return {"username": _USER, "password": self._password}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; the port stays the same over stop and start. Raises OSError and BrokerError."""
        await anyio.to_thread.run_sync(self._start)

    async def stop(self) -> None:
        """End the broker and all connections to it."""
        stack, self._stack = self._stack, None
        if stack is not None:
            await anyio.to_thread.run_sync(stack.close)

    def _start(self) -> None:
        with ExitStack() as stack:
            portal: BlockingPortal = stack.enter_context(start_blocking_portal())
            serving: AbstractContextManager[int] = portal.wrap_async_context_manager(self._serve())
            self.port = stack.enter_context(serving)
            self._stack = stack.pop_all()

    @asynccontextmanager
    async def _serve(self) -> AsyncIterator[int]:
        users = {} if self._password is None else {_USER: self._password}
        host = f"[{self.host}]" if ":" in self.host else self.host
        wanted = EmbeddedSettings(listen=f"{host}:{self.port}", users=users)
        async with embedded_broker(wanted, get_logger("sim")) as broker:
            port = int(broker.url.rpartition(":")[2])
            if self.port not in {0, port}:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.player.run, broker.url, broker.username, broker.password)
                yield port
                tasks.cancel_scope.cancel()


__all__ = ["FAULTS", "PORTAL", "SETTINGS", "Simulator"]
