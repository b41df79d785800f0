"""One MQTT connection with one last will: connects, reads, publishes, and comes back by itself.

Three habits of the libraries below are worked around here, each found by running them:
a cancelled or timed-out connect leaves a connection that nobody owns (so a connect is shielded and
its remains are closed); cancelling around the message iterator loses messages (so one reader task
lives as long as the session); and without TCP_NODELAY a QoS 1 round trip costs 40 ms.
"""

from __future__ import annotations

import contextlib
import random
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import aiomqtt
import anyio
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.errors import BrokerError
from bridge.log import Outage
from bridge.mqtt.endpoint import Endpoint, Protocol
from bridge.mqtt.losses import number, plain
from bridge.mqtt.mended import SILENT, guard_writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from structlog.typing import FilteringBoundLogger

KEEPALIVE = 10
CONNECT_TIMEOUT = 3.0
_BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0)
_REFUSED_BACKOFF = 60.0
_STEADY = 2.0
_OUT_QUEUE_LIMIT = 1000
_OUT_QUEUE_LOW = 200
_UNSUPPORTED_VERSION = {1, 132}
_NOT_AUTHORIZED = {4, 5, 134, 135}
_TAKEN_OVER = 142
_REFUSED_FROM = 128


class Incoming(NamedTuple):
    """One message as it came: full topic, bytes, and whether the broker had kept it."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes (retained, QoS 1) when this connection dies."""

    topic: str
    offline: bytes = b"offline"
    online: bytes = b"online"


class Connection:
    """A connection that `run()` keeps alive until it is cancelled.

    `receive` is called for every message, in order, and must not wait. `announce` runs after every
    connect, once the subscriptions stand and `online` is published. Publishing never raises: with
    no broker a message is dropped, and what must come back after a reconnect is repeated by
    `announce`. `patience`: s for the broker to answer; one that delays refusals needs more.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        client_id: str,
        *,
        log: FilteringBoundLogger,
        receive: Callable[[Incoming], None],
        will: Will | None = None,
        announce: Callable[[], Awaitable[None]] | None = None,
        reports_outage: bool = False,
        patience: float = CONNECT_TIMEOUT,
    ) -> None:
        self.endpoint = endpoint
        self.client_id = client_id
        self.will = will
        self.connected = anyio.Event()
        self.tried = anyio.Event()  # once and for all: the first session stands, or has failed
        self.lost = anyio.Event()
        self.sessions = 0
        self.dropped = 0
        self.why: str | None = None
        self._log = log
        self._patience = patience
        self._receive = receive
        self._announce = announce
        self._filters: dict[str, int] = {}
        self._client: aiomqtt.Client | None = None
        self._trying = Protocol.V5
        self._fallback: Protocol | None = None
        self._unacked: dict[int, str] = {}
        self._refused: set[str] = set()
        self._expiries: dict[int, Properties] = {}
        self._farewell = False
        self._outage = Outage(log, f"the broker {endpoint.url}") if reports_outage else None

    @property
    def is_connected(self) -> bool:
        """True while a session stands."""
        return self._client is not None

    # ---------------------------------------------------------------- publishing

    def send(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        expiry: int | None = None,
    ) -> bool:
        """Hand one message to the socket; false when there is no session or no room for it."""
        client = self._client
        if client is None:
            self.dropped += 1
            return False
        paho = client._client  # noqa: SLF001 - aiomqtt waits for each QoS 0 publish; we do not
        if qos == 0 and len(paho._out_packet) > _OUT_QUEUE_LIMIT:  # noqa: SLF001 - no public length
            self.dropped += 1
            return False
        properties = None
        if expiry is not None and self.endpoint.protocol is Protocol.V5:
            properties = self._expiry(expiry)
        try:
            info = paho.publish(topic, payload, qos, retain, properties)
        except (ValueError, OSError) as error:
            self._log.error(f"{topic} cannot be published: {error}")
            return False
        if info.rc != 0:
            self.dropped += 1
            return False
        if qos:
            self._unacked[info.mid] = topic
        return True

    @property
    def congested(self) -> bool:
        """True while the socket takes less than we give it."""
        client = self._client
        if client is None:
            return False
        return len(client._client._out_packet) > _OUT_QUEUE_LOW  # noqa: SLF001 - no public length

    async def drain(self) -> None:
        """Wait until the socket has taken most of what was sent, or the session has ended."""
        while self.congested:  # noqa: ASYNC110 - paho tells nobody when its queue shrinks
            await anyio.sleep(0.002)

    async def flush(self, timeout: float = 2.0) -> bool:
        """Wait until the broker has acknowledged every QoS 1 message; false when it did not."""
        with anyio.move_on_after(timeout):
            # paho tells nobody when its queue shrinks.
            while self._client is not None and (self._unacked or self.congested):  # noqa: ASYNC110
                await anyio.sleep(0.002)
            return not self._unacked
        return False

    def _expiry(self, seconds: int) -> Properties:
        found = self._expiries.get(seconds)
        if found is None:
            found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's gap
            found.MessageExpiryInterval = seconds
            self._expiries[seconds] = found
        return found

    def _published(self, _c: Any, _u: Any, mid: int, code: Any, _p: Any = None) -> None:
        topic = self._unacked.pop(mid, None)
        if topic is not None and number(code) >= _REFUSED_FROM and topic not in self._refused:
            self._refused.add(topic)
            self._log.warning(f"the broker refuses what is published on {topic}: {code}")

    # ---------------------------------------------------------------- subscribing

    async def subscribe(self, filters: Iterable[tuple[str, int]]) -> None:
        """Add topic filters (with their QoS); they are subscribed again after each reconnect."""
        new = {name: qos for name, qos in filters if self._filters.get(name) != qos}
        self._filters.update(new)
        if self._client is not None and new:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._subscribe(self._client, new)

    async def _subscribe_all(self, client: aiomqtt.Client) -> None:
        """Subscribe to all filters, those included that are added while the broker answers."""
        done: dict[str, int] = {}
        while new := {name: qos for name, qos in self._filters.items() if done.get(name) != qos}:
            await self._subscribe(client, new)
            done |= new

    async def _subscribe(self, client: aiomqtt.Client, filters: dict[str, int]) -> None:
        wanted: list[Any]
        if self.endpoint.protocol is Protocol.V5:
            wanted = [(name, SubscribeOptions(qos=qos)) for name, qos in filters.items()]
        else:
            wanted = list(filters.items())
        codes = await client.subscribe(wanted)
        for name, code in zip(filters, codes, strict=False):
            if number(code) >= _REFUSED_FROM:
                self._log.warning(f"the broker refuses the subscription to {name}")

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Connect, serve, reconnect: after 0.2, 0.5, 1, 2 s, then every 5 s, with jitter."""
        attempt = 0
        while True:
            sessions, begun = self.sessions, anyio.current_time()
            delay = await self._session()
            self.tried.set()
            # A broker that hangs up at once, or two clients that take each other's id for ever,
            # are no reason to connect five times a second.
            if self.sessions > sessions and anyio.current_time() - begun > _STEADY:
                attempt = 0
            if delay is None:
                delay = _BACKOFF[min(attempt, len(_BACKOFF) - 1)]
            attempt += 1
            await anyio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret

    async def goodbye(self, timeout: float = 2.0) -> None:
        """Publish `offline` and wait for its acknowledgement; call it before cancelling `run`.

        Whoever is cancelled without it hangs up without a word, so that the broker sends the will.
        """
        self._farewell = True
        if self.will is not None:
            self.send(self.will.topic, self.will.offline, qos=1, retain=True)
        await self.flush(timeout)

    async def _session(self) -> float | None:
        """One connect and all that follows; how long to wait before the next, None = by attempt."""
        try:
            client = self._make_client()
            with anyio.CancelScope(shield=True):
                await self._connect(client)
        except aiomqtt.MqttError as error:
            return self._connect_failed(error)
        except (BrokerError, ValueError) as error:
            self._report_loss(str(error))
            return _BACKOFF[-1]
        self.sessions += 1
        try:
            await self._serve(client)
        except* aiomqtt.MqttError as group:
            self._report_loss(self._why_ended(client, group))
        finally:
            self._client = None
            self._unacked.clear()
            if self.connected.is_set():  # else somebody may wait for it still
                self.connected = anyio.Event()
            self.lost.set()
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await self._close(client, politely=self._farewell or self.will is None)
        return None

    async def _connect(self, client: aiomqtt.Client) -> None:
        try:
            await client.__aenter__()
        except BaseException:
            await self._close(client, entered=False, politely=True)
            raise
        if self.endpoint.protocol is None:
            self.endpoint.protocol = self._trying

    async def _serve(self, client: aiomqtt.Client) -> None:
        self.lost = anyio.Event()
        self._farewell = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, client)
            await self._subscribe_all(client)
            self._client = client
            self.tried.set()
            if self.will is not None:
                self.send(self.will.topic, self.will.online, qos=1, retain=True)
            if self._announce is not None:
                await self._announce()
            self.why = None
            if self._outage is not None:
                self._outage.back()
            self.connected.set()

    async def _read(self, client: aiomqtt.Client) -> None:
        queue = client._queue  # noqa: SLF001 - the iterator makes two tasks a message; a burst needs none
        async for message in client.messages:
            self._take(message)
            while not queue.empty():
                self._take(queue.get_nowait())

    def _take(self, message: aiomqtt.Message) -> None:
        self._receive(Incoming(message.topic.value, message.payload, message.retain))

    def _make_client(self) -> aiomqtt.Client:
        endpoint = self.endpoint
        self._trying = endpoint.protocol or self._fallback or Protocol.V5
        v5 = self._trying is Protocol.V5
        will = self.will
        client = aiomqtt.Client(
            endpoint.host,
            endpoint.port,
            username=endpoint.username,
            password=endpoint.password,
            identifier=self.client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(will.topic, will.offline, 1, retain=True) if will else None,
            transport="websockets" if endpoint.websocket_path else "tcp",
            websocket_path=endpoint.websocket_path,
            timeout=self._patience,
            keepalive=KEEPALIVE,
            tls_context=endpoint.tls_context(),
            tls_insecure=True if endpoint.pin else None,  # the pin says more than a host name
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            logger=SILENT,
        )
        guard_writer(client)
        client.pending_calls_threshold = 10**9
        client._client.connect_timeout = CONNECT_TIMEOUT  # noqa: SLF001 - aiomqtt passes no such option
        original = client._on_publish  # noqa: SLF001 - and does not show the reason code

        def published(c: Any, u: Any, mid: int, code: Any, p: Any = None) -> None:
            self._published(c, u, mid, code, p)
            original(c, u, mid, code, p)

        client._client.on_publish = published  # noqa: SLF001 - as above
        return client

    def _connect_failed(self, error: aiomqtt.MqttError) -> float | None:
        code = getattr(error, "rc", None)
        refusal = number(code)
        timed_out = "timed out" in str(error)
        undecided = self.endpoint.protocol is None
        if (
            undecided
            and self._trying is Protocol.V5
            and (refusal in _UNSUPPORTED_VERSION or timed_out)
        ):
            self._fallback = Protocol.V311
            return 0.0
        self._fallback = None
        if refusal in _NOT_AUTHORIZED:
            who = (
                f"user {self.endpoint.username!r}" if self.endpoint.username else "a nameless user"
            )
            self._report_loss(f"it refuses {who}: check username and password")
            return _REFUSED_BACKOFF
        why = plain(error)
        if self.endpoint.tls and why == "it hung up":
            why = "it hung up: does it speak TLS on this port?"
        self._report_loss(why)
        return None

    def _why_ended(self, client: aiomqtt.Client, group: BaseExceptionGroup[Any]) -> str:
        ended = client._disconnected  # noqa: SLF001 - holds the broker's reason code
        cause = ended.exception() if ended.done() and not ended.cancelled() else None
        code = getattr(cause, "rc", None)
        if number(code) == _TAKEN_OVER:
            return f"another client took the id {self.client_id}"
        return plain(cause or group.exceptions[0])

    def _report_loss(self, why: str) -> None:
        self.why = why
        if self._outage is not None:
            self._outage.gone(why)

    async def _close(self, client: aiomqtt.Client, *, entered: bool = True, politely: bool) -> None:
        """Leave nothing behind: no socket, no pinging task, no unretrieved exception.

        `politely` sends a DISCONNECT, so that the broker drops the will.
        """
        paho = client._client  # noqa: SLF001 - aiomqtt offers no way to close a half-open connect
        with contextlib.suppress(Exception):
            if entered and politely:
                await client.__aexit__(None, None, None)
        with contextlib.suppress(Exception):
            if politely and paho.disconnect() == 0:
                await anyio.sleep(0.02)  # the loop writes it
        with contextlib.suppress(Exception):
            paho._sock_close()  # noqa: SLF001 - as above
        task = client._misc_task  # noqa: SLF001 - as above
        if task is not None:
            task.cancel()
        for future in (client._disconnected, client._connected):  # noqa: SLF001 - silence "never retrieved"
            if future.done() and not future.cancelled():
                future.exception()
