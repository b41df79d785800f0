"""Talks WebSocket with one Wattpilot: logs in, keeps its status up to date, sets its keys.

The charger sends its whole status once and then, about every second, what has changed. Whoever
waits for something takes messages off the connection meanwhile, one task at a time, so that the
client needs no task of its own. Every failure is a DeviceError with one plain sentence, after
which the next call connects anew. A refused password is tried once a minute at most.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Any

import anyio

from actors.chargers.wattpilot import frames, login
from bridge.charging import goe_keys as goe
from bridge.clock import Clock
from bridge.closing import Closing
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http import HttpClient
from bridge.http.websocket import WebSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PATH = "/ws"
_PORT = 80
_MOST_BYTES = 1024 * 1024
LOGIN_PAUSE = 60.0
ANSWER_LIMIT = 10.0
# A status that is no older is taken without waiting for the next message (s).
_FRESH = 1.5
# How many timeouts a login may take from the first message to the last part of the status.
_LOGIN_TIMEOUTS = 4


def _same(found: Any, value: Any) -> bool:
    """Whether the charger has it: some firmware gives numbers as text."""
    return bool(found == value) or (isinstance(found, str) and goe.number(found) == value)


class Client(Closing):
    """One Wattpilot at `host`:`port`. timeout: seconds that it may be silent.

    `hello`: what it said of itself; `heard`: the monotonic second of its last news; `changes`: how
    many there were.
    """

    def __init__(
        self,
        host: str,
        port: int = _PORT,
        *,
        password: str | None = None,
        timeout: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        self.name = f"the Wattpilot at {host}" + ("" if port == _PORT else f":{port}")
        self.timeout = timeout
        self.clock = clock or Clock()
        self.hello: dict[str, Any] = {}
        self.heard = -math.inf
        self.changes = self.logins = 0
        self._http = HttpClient(
            f"http://{host}:{port}", name=self.name, timeout=timeout, most_bytes=_MOST_BYTES
        )
        self._password = password or None
        self._status = frames.Status()
        self._socket: WebSocket | None = None
        self._secret: str | None = None
        self._refused_at: float | None = None
        self._number = 0
        self._answers: dict[int, dict[str, Any] | None] = {}
        self._connecting, self._setting = anyio.Lock(), anyio.Lock()
        self._taking = False
        self._news = anyio.Event()
        self._opened = anyio.Event()

    @property
    def connected(self) -> bool:
        """True while a login stands."""
        return self._socket is not None and not self._socket.closed

    @property
    def keys(self) -> Mapping[str, Any]:
        """All keys as they were told last; empty before the first login."""
        return self._status.keys

    async def close(self) -> None:
        """End the connection; the next call opens one again."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    # ---------------------------------------------------------------- what it can do

    async def status(self) -> Mapping[str, Any]:
        """Give all keys as they are now. Raises DeviceError."""
        await self.connect()
        silence = f"has said nothing for {self.timeout:g} s"
        await self._until(lambda: self._age() < _FRESH, self.timeout, silence)
        return self._status.keys

    async def set(self, key: str, value: Any) -> None:
        """Set one key and wait until the charger says that it has it. Raises DeviceError."""
        async with self._setting:
            await self.connect()
            answer = await self._command(key, value)
            if answer.get("success") is not True:
                words = frames.words_of(answer)
                because = f" ({words})" if words else ""
                raise DeviceRefused(f"{self.name} refuses to set {key} to {value}{because}")
            done = answer.get("status")
            if not isinstance(done, dict) or key not in done:
                # It has only been taken so far: the value itself comes with the status.
                late = f"did not show {key} {value} within {self.timeout:g} s"
                with_it = self._status.keys
                await self._until(lambda: _same(with_it.get(key), value), self.timeout, late)
        found = self._status.keys.get(key)
        if not _same(found, value):
            raise DeviceRefused(f"{self.name} keeps {key} at {found} although {value} was set")

    async def listen(self) -> None:
        """Take messages as they come while connected, until cancelled; failures end the rest."""
        while True:
            if self._socket is None:
                opened = self._opened
                await opened.wait()
                continue
            try:
                await self._take()
            except DeviceError:
                await self.close()

    async def news(self, after: int) -> int:
        """Wait for a change of the status beyond the number `after`; give the new number."""
        while self.changes <= after:
            await self._news.wait()
        return self.changes

    # ---------------------------------------------------------------- connecting

    async def connect(self) -> None:
        """Connect and log in, unless that is done. Raises DeviceError."""
        async with self._connecting:
            if self.connected:
                return
            await self.close()
            self._hold_off()
            socket = await WebSocket.open(self._http, _PATH)
            try:
                await self._log_in(socket)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await socket.close()
                raise
            self._socket, self.heard = socket, self.clock.now()
            opened, self._opened = self._opened, anyio.Event()
            opened.set()

    async def _log_in(self, socket: WebSocket) -> None:
        """Answer what the charger asks until its whole status is there."""
        self._status, self._secret, self.hello = frames.Status(), None, {}
        limit = self.timeout * _LOGIN_TIMEOUTS
        try:
            with anyio.fail_after(limit):
                while not self._status.complete:
                    await self._handle_login(socket, await self._receive(socket, self.timeout))
        except TimeoutError:
            sentence = f"{self.name} did not tell all of its status within {limit:g} s"
            raise DeviceTimeout(sentence) from None

    async def _handle_login(self, socket: WebSocket, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "hello":
            self.hello = message
        elif kind == "authRequired":
            await self._answer(socket, message)
        elif kind == "authError":
            self._refused_at = self.clock.now()
            raise self._password_refused()
        else:
            self._status.take(message)

    async def _answer(self, socket: WebSocket, required: dict[str, Any]) -> None:
        if self._password is None:
            self._refused_at = self.clock.now()
            raise self._password_refused()
        serial, token1, token2 = (
            self.hello.get("serial"), required.get("token1"), required.get("token2")
        )  # fmt: skip
        if not (isinstance(serial, str) and isinstance(token1, str) and isinstance(token2, str)):
            raise DeviceGarbled(f"{self.name} asks for a login that lacks its serial or its tokens")
        method = login.method_of(self.hello, required)
        if method is None:
            raise DeviceRefused(f"{self.name} asks for a kind of login that is not known")
        key = await anyio.to_thread.run_sync(
            login.make_key, method, self._password, serial, abandon_on_cancel=True
        )
        if self.hello.get("secured"):
            self._secret = key
        token3 = secrets.token_hex(16)
        self.logins += 1
        await socket.send(
            frames.auth(token3, login.answer(key, token1, token2, token3)),
        )

    def _hold_off(self) -> None:
        at = self._refused_at
        if at is not None and self.clock.now() - at < LOGIN_PAUSE:
            raise self._password_refused()

    def _password_refused(self) -> DeviceRefused:
        if self._password is None:
            return DeviceRefused(f"{self.name} asks for a password: set `password`")
        return DeviceRefused(f"{self.name} refuses the password")

    # ---------------------------------------------------------------- messages

    async def _command(self, key: str, value: Any) -> dict[str, Any]:
        socket = self._socket
        if socket is None:
            raise self._lost()
        self._number += 1
        number = self._number
        self._answers[number] = None
        try:
            await socket.send(frames.command(number, key, value, self._secret))
            silence = f"did not answer a command within {ANSWER_LIMIT:g} s"
            await self._until(lambda: self._answers[number] is not None, ANSWER_LIMIT, silence)
            return self._answers[number] or {}
        except DeviceError:
            await self.close()
            raise
        finally:
            del self._answers[number]

    async def _until(self, done: Callable[[], bool], limit: float, otherwise: str) -> None:
        """Take messages until `done`. Raises DeviceTimeout with the name before `otherwise`."""
        try:
            with anyio.fail_after(limit):
                while not done():
                    await self._take()
        except TimeoutError:
            await self.close()
            raise DeviceTimeout(f"{self.name} {otherwise}") from None
        except DeviceError:
            await self.close()
            raise

    async def _take(self) -> None:
        """Take one message off the connection, or wait until another task has."""
        if self._taking:
            await self._news.wait()
            return
        socket = self._socket
        if socket is None:
            raise self._lost()
        self._taking = True
        try:
            message = await self._receive(socket, math.inf)
            number = frames.number_of(message) if message["type"] == "response" else None
            if number in self._answers:
                self._answers[number] = message
            if self._status.take(message):
                self.heard, self.changes = self.clock.now(), self.changes + 1
        finally:
            self._taking = False
            news, self._news = self._news, anyio.Event()
            news.set()

    async def _receive(self, socket: WebSocket, limit: float) -> dict[str, Any]:
        text = ""
        with anyio.move_on_after(limit) as scope:
            text = await socket.receive()
        if scope.cancelled_caught:
            raise DeviceTimeout(f"{self.name} has said nothing for {limit:g} s")
        try:
            return frames.parse(text)
        except DeviceError as error:
            raise type(error)(f"{self.name} {error}") from None

    def _age(self) -> float:
        return self.clock.now() - self.heard

    def _lost(self) -> DeviceTimeout:
        return DeviceTimeout(f"{self.name} closed the connection")
