"""Three ways on which a Shelly speaks by itself; each fills a `Pushed` and says when it has.

A feed that fails says so once and goes on trying; meanwhile the device is asked as without it.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final, Protocol

import anyio

from actors.devices.shelly.document import part, read_object, unwrap
from actors.devices.shelly.push import challenge_of, sender, take_frame, take_mqtt
from bridge.config.address import parse_listen
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http.client import HttpClient
from bridge.http.digest import frame_login
from bridge.http.websocket import WebSocket
from bridge.log import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web
    from structlog.typing import FilteringBoundLogger

    from actors.devices.shelly.push import Pushed
    from bridge.bus import Bus
    from bridge.clock import Clock
    from bridge.mqtt.connection import Incoming

_ADMIN: Final = "admin"
_UNAUTHORIZED: Final = 401
# Even one that measures nothing tells its time each minute.
SILENCE: Final = 130.0
_LONGEST_PAUSE: Final = 30.0
_LOGIN_PAUSE: Final = 60.0
_MOST_BYTES: Final = 256 * 1024
_PROTOCOL: Final = "json-rpc"


class Feed(Protocol):
    """Runs until cancelled; calls back after each thing heard."""

    async def run(self) -> None:
        """Listen."""


class WebSocketFeed:
    """We connect to `ws://host:port/rpc`, log in, and hear what changes."""

    def __init__(
        self,
        pushed: Pushed,
        heard: Callable[[], None],
        http: HttpClient,
        *,
        password: str | None,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._pushed, self._heard, self._http = pushed, heard, http
        self._password, self._clock = password, clock
        self._name = f"heliograph-{secrets.token_hex(4)}"
        self._outage = Outage(log, "the WebSocket of the device")
        self._failures = 0

    async def run(self) -> None:
        """Connect, hear, connect again: after 1, 2, 4 … 30 s, after a refused login 60 s."""
        while True:
            pause = min(_LONGEST_PAUSE, 2.0 ** min(self._failures, 8))
            self._failures += 1
            try:
                await self._session()
            except DeviceRefused as error:
                pause = _LOGIN_PAUSE
                self._outage.gone(str(error))
            except DeviceError as error:
                self._outage.gone(str(error))
            self._pushed.lost()
            await self._clock.sleep(pause)

    async def _session(self) -> None:
        socket = await WebSocket.open(self._http, "/rpc")
        try:
            await self._ask(socket, None)
            frame = await self._receive(socket)
            challenge = challenge_of(frame)
            if challenge is not None:
                await self._ask(socket, self._login(challenge))
                frame = _let_in(await self._receive(socket))
            while True:
                self._take(frame)
                frame = await self._receive(socket)
        except (DeviceRefused, DeviceGarbled) as error:
            named = str(error).startswith(self._http.name)
            raise type(error)(str(error) if named else f"{self._http.name} {error}") from None
        finally:
            with anyio.CancelScope(shield=True):
                await socket.close()

    def _login(self, challenge: dict[str, Any]) -> dict[str, Any]:
        if self._password is None:
            raise DeviceRefused("asks for a password: set `password`")
        return frame_login(challenge, _ADMIN, self._password)

    async def _ask(self, socket: WebSocket, auth: dict[str, Any] | None) -> None:
        """Ask for the status under our name: only then notifications are sent to it."""
        frame: dict[str, Any] = {"id": 1, "src": self._name, "method": "Shelly.GetStatus"}
        await socket.send(json.dumps(frame if auth is None else frame | {"auth": auth}))

    async def _receive(self, socket: WebSocket) -> dict[str, Any]:
        try:
            with anyio.fail_after(SILENCE):
                return read_object((await socket.receive()).encode())
        except TimeoutError:
            sentence = f"{self._http.name} said nothing for {SILENCE:g} s"
            raise DeviceTimeout(sentence) from None

    def _take(self, frame: dict[str, Any]) -> None:
        now = self._clock.now()
        if frame.get("id") == 1 and ("result" in frame or "error" in frame):
            self._pushed.told(unwrap(frame), now)
        elif not take_frame(self._pushed, frame, now):
            return
        self._failures = 0
        self._outage.back()
        self._heard()


def _let_in(frame: dict[str, Any]) -> dict[str, Any]:
    if part(frame, "error").get("code") == _UNAUTHORIZED:
        raise DeviceRefused("refuses the password")
    return frame


class OutboundFeed:
    """The device connects to us (its setting "outbound WebSocket") and tells what changes.

    It does not log in, so only frames of the very device are taken: `serial()` is its MAC.
    """

    def __init__(
        self,
        pushed: Pushed,
        heard: Callable[[], None],
        listen: str,
        *,
        serial: Callable[[], str | None],
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._pushed, self._heard, self._serial, self._clock = pushed, heard, serial, clock
        self.host, self.port = parse_listen(listen)
        self._outage = Outage(log, f"the door for the device at {listen}")
        self._log = log

    async def run(self) -> None:
        """Listen until cancelled; a port that is taken is tried again each 30 s."""
        from aiohttp import web

        while True:
            application = web.Application()
            application.router.add_get("/{path:.*}", self._serve)
            runner = web.AppRunner(
                application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
            )
            await runner.setup()
            try:
                await web.TCPSite(runner, self.host, self.port, reuse_address=True).start()
                self.port = runner.addresses[0][1]
                self._outage.back()
                await anyio.sleep_forever()
            except OSError as error:
                self._outage.gone((error.strerror or str(error)).lower())
            finally:
                with anyio.CancelScope(shield=True):
                    await runner.cleanup()
            await self._clock.sleep(_LONGEST_PAUSE)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import WSMsgType, web

        socket = web.WebSocketResponse(
            protocols=[_PROTOCOL], heartbeat=30.0, max_msg_size=_MOST_BYTES
        )
        if not socket.can_prepare(request).ok:
            return web.Response(status=400, text="a WebSocket is expected here")
        await socket.prepare(request)
        ours = False
        async for message in socket:
            if message.type is not WSMsgType.TEXT or not self._take(str(message.data)):
                break
            ours = True
        if ours:
            self._pushed.lost()
        await socket.close()
        return socket

    def _take(self, text: str) -> bool:
        """Take one frame; false ends the connection."""
        try:
            frame = read_object(text.encode())
            serial = self._serial()
            if serial is None or sender(frame) != serial:
                # Before it was asked the first time nobody knows who it is: it comes again.
                self._log.debug("another device, or one that is not known yet, has connected")
                return False
            if take_frame(self._pushed, frame, self._clock.now()):
                self._heard()
        except DeviceError:
            return False
        return True


class MqttFeed:
    """The device publishes below its own prefix on the broker that we use."""

    def __init__(
        self, pushed: Pushed, heard: Callable[[], None], bus: Bus, prefix: str, *, clock: Clock
    ) -> None:
        self._pushed, self._heard, self._bus, self._clock = pushed, heard, bus, clock
        self._prefix = f"{prefix}/"

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._bus.listen(f"{self._prefix}#", self._on_message, qos=0)
        await anyio.sleep_forever()

    def _on_message(self, message: Incoming) -> None:
        if message.retained or not message.topic.startswith(self._prefix):
            return  # its age is unknown
        rest = message.topic[len(self._prefix) :]
        if take_mqtt(self._pushed, rest, message.payload, self._clock.now()):
            self._heard()


def make_feed(actor: Any, pushed: Pushed, heard: Callable[[], None]) -> Feed | None:
    """The feed that the settings of a Shelly actor ask for; None when it is to be asked."""
    settings, client = actor.settings, actor.client
    if settings.mqtt is not None:
        return MqttFeed(pushed, heard, actor.bus, settings.mqtt, clock=actor.clock)
    if settings.push == "outbound":
        return OutboundFeed(
            pushed,
            heard,
            settings.listen,
            serial=lambda: actor.serial,
            clock=actor.clock,
            log=actor.log,
        )
    if settings.push == "websocket":
        http = HttpClient(
            f"http://{settings.host}:{settings.port}",
            name=client.name,
            timeout=settings.patience,
            most_bytes=_MOST_BYTES,
            clock=actor.clock,
        )
        secret = settings.password
        password = secret.reveal() if secret is not None else None
        return WebSocketFeed(
            pushed, heard, http, password=password or None, clock=actor.clock, log=actor.log
        )
    return None
