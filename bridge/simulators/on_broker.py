"""A simulated device on MQTT: on a private broker of its own, or on the broker of a house."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from bridge.broker import EmbeddedSettings, embedded_broker
from bridge.errors import BrokerError
from bridge.log import get_logger
from bridge.mqtt import Connection, Endpoint, Will
from bridge.simulators.living import Living

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Mapping

    from bridge.mqtt import Incoming

PORT: Final = 1883
OFFLINE: Final = {"offline": "has lost its power, so that the broker tells its last will"}
_TICK: Final = 0.02
_PATIENCE: Final = 10.0


def check_style(style: str, styles: Collection[str]) -> None:
    """Raise ValueError for a style that a simulator does not have."""
    if style not in styles:
        raise ValueError(f"style {style!r} is not known: {', '.join(styles)} are")


class OnBroker(Living):
    """`async with` it: `play` runs on a private broker at `port`, or on that at the url `broker`.

    users: name to password, needed to log in to the private one; username, password: for the other.
    It lives in a thread of its own, so that it can be stopped and started from anywhere.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        broker: str | None = None,
        username: str | None = None,
        password: str | None = None,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self.host, self.port, self.users = host, port, dict(users or {})
        self._elsewhere: Endpoint | None = None
        if broker is not None:
            self._elsewhere = Endpoint.from_url(broker, username=username, password=password)
        self._stack: ExitStack | None = None

    async def play(self, endpoint: Endpoint, ready: anyio.Event) -> None:
        """Live on that broker until cancelled; `ready` is set once it has told what it tells."""
        raise NotImplementedError

    async def start(self) -> None:
        """Be there; the port stays the same over stop and start. Raises OSError and BrokerError."""
        await anyio.to_thread.run_sync(self._start)

    async def stop(self) -> None:
        """Be gone, with the private broker and all connections to it."""
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
        if self._elsewhere is not None:
            async with self._playing(self._elsewhere):
                yield self.port
            return
        host = f"[{self.host}]" if ":" in self.host else self.host
        wanted = EmbeddedSettings(listen=f"{host}:{self.port}", users=self.users)
        async with embedded_broker(wanted, get_logger("sim")) as broker:
            port = int(broker.url.rpartition(":")[2])
            if self.port not in {0, port}:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            login = {"username": broker.username, "password": broker.password}
            async with self._playing(Endpoint.from_url(broker.url, **login)):
                yield port

    @asynccontextmanager
    async def _playing(self, endpoint: Endpoint) -> AsyncIterator[None]:
        ready = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.play, endpoint, ready)
            with anyio.move_on_after(_PATIENCE):
                await ready.wait()
            if ready.is_set():
                yield
            tasks.cancel_scope.cancel()
        if not ready.is_set():
            raise BrokerError(f"the broker {endpoint.url} cannot be reached")


class MqttDevice(OnBroker):
    """A device with one connection and a last will, on the broker that the house uses.

    A subclass says in `tell` what is new, each 20 ms, and takes in `take` what comes on `filters`;
    `again` is called for each new session. `fault` is None or one of its FAULTS, OFFLINE among
    them. The user of a private broker is `username`, if there is a `password`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        name: str,
        will: Will,
        filters: tuple[str, ...] = (),
        broker: str | None = None,
        username: str = "heliograph",
        password: str | None = None,
    ) -> None:
        login = {} if password is None else {"username": username, "password": password}
        users = {} if password is None else {username: password}
        super().__init__(host, port, broker=broker, users=users, **login)
        self.name, self.will, self._filters, self._login = name, will, filters, login
        self.fault: str | None = None
        self._connection: Connection | None = None
        self._fresh = False

    def broker(self) -> dict[str, Any]:
        """The `broker` section of a configuration that meets it."""
        if self._elsewhere is not None:
            return {"url": self._elsewhere.url, **self._login}
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared
        return {"url": f"mqtt://{f'[{host}]' if ':' in host else host}:{self.port}", **self._login}

    def again(self) -> None:
        """A session has begun, in which nothing has been told."""

    def take(self, message: Incoming, now: float) -> None:
        """Something has come."""

    def tell(self, now: float) -> None:
        """Publish with `send` what is due."""

    def tell_readings(self, readings: Iterable[tuple[str, str]]) -> None:
        """Send topics with their texts, as the faults `half` and `kept` have it."""
        for topic, text in readings:
            said = text[: len(text) // 2] if self.fault == "half" else text
            self.send(topic, said, retain=self.fault == "kept")

    def send(self, topic: str, text: str, *, retain: bool = False) -> None:
        """Publish; only from `tell` and `take`."""
        if self._connection is not None:
            self._connection.send(topic, text.encode(), qos=1, retain=retain)

    async def play(self, endpoint: Endpoint, ready: anyio.Event) -> None:
        """Be online, and offline while that is its fault."""
        while True:
            while self.fault in OFFLINE:
                ready.set()
                await anyio.sleep(_TICK)
            async with anyio.create_task_group() as tasks:
                connection = Connection(
                    endpoint,
                    f"sim-{self.name}",
                    log=get_logger("sim"),
                    receive=lambda message: self.take(message, anyio.current_time()),
                    will=self.will,
                    announce=self._announce,
                )
                await connection.subscribe([(topic, 1) for topic in self._filters])
                self._connection = connection
                tasks.start_soon(connection.run)
                while self.fault not in OFFLINE:
                    await self._step(connection, ready)
                    await anyio.sleep(_TICK)
                self._connection = None
                tasks.cancel_scope.cancel()

    async def _announce(self) -> None:
        self._fresh = True

    async def _step(self, connection: Connection, ready: anyio.Event) -> None:
        if not connection.is_connected:
            return
        if self._fresh:
            self._fresh = False
            self.again()
        self.tell(anyio.current_time())
        if not ready.is_set():
            await connection.flush()
            ready.set()
