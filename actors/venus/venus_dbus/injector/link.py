"""The connection to the broker: paho-mqtt in a thread of its own, all else in the loop."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from .wire import reason

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_KEEPALIVE = 10
_SOONEST, _LATEST = 1, 30
_GOODBYE = 2.0


class BrokerError(Exception):
    """The address of a broker that cannot be used; one plain sentence."""


@dataclass(frozen=True)
class Broker:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    tls: bool = False
    path: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None

    @classmethod
    def from_url(cls, url: str, **more: Any) -> Broker:
        """Read `mqtt://`, `mqtts://`, `ws://` or `wss://host[:port][/path]`. Raises BrokerError."""
        parts = urlsplit(url)
        try:
            default, port = _PORTS[parts.scheme], parts.port
            (parts.hostname or "").encode("idna")
        except (KeyError, ValueError):
            default, port = 0, None
        if not default or not parts.hostname or parts.username is not None:
            raise BrokerError(
                "the broker's url must be mqtt://, mqtts://, ws:// or wss://host:port"
            )
        web = parts.scheme.startswith("ws")
        return cls(
            host=parts.hostname,
            port=port or default,
            tls=parts.scheme in {"mqtts", "wss"},
            path=(parts.path or "/mqtt") if web else None,
            **more,
        )

    def context(self) -> ssl.SSLContext:
        """Whom TLS trusts. Raises BrokerError."""
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            raise BrokerError(
                f"the authority in {self.ca} cannot be used: {reason(error)}"
            ) from error


class Link:
    """Publishes and hears below one base; `hear(topic, payload, retained)` without the base.

    `came()` is called after each connect. Both are called in the loop. What is published while
    the broker is away is lost on purpose: an order must not be carried out later. Orders therefore
    go with QoS 0: with more the library repeats them after a reconnect, however late that is.
    """

    def __init__(
        self,
        broker: Broker,
        base: str,
        client_id: str,
        status: str,
        *,
        loop: asyncio.AbstractEventLoop,
        hear: Callable[[str, bytes, bool], None],
        came: Callable[[], None],
    ) -> None:
        self.up = False
        self._broker = broker
        self._prefix = f"{base}/"
        self._status = self._prefix + status
        self._loop, self._hear, self._came = loop, hear, came
        self._topics: set[str] = set()
        self._fault: str | None = None
        self._log = logging.getLogger("mqtt")
        self._stopping = False
        self._client = self._make(client_id)

    def _make(self, client_id: str) -> Client:
        broker = self._broker
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=MQTTv311,
            transport="websockets" if broker.path else "tcp",
        )
        if broker.path:
            client.ws_set_options(broker.path)
        if broker.tls:
            client.tls_set_context(broker.context())
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        client.will_set(self._status, b"offline", qos=1, retain=True)
        client.reconnect_delay_set(_SOONEST, _LATEST)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _hurry
        return client

    def start(self) -> None:
        """Connect, and keep on trying."""
        self._client.connect_async(self._broker.host, self._broker.port, _KEEPALIVE)
        self._client.loop_start()

    def stop(self) -> None:
        """Say `offline` and disconnect."""
        self._stopping = True
        if self.up:
            said = self._client.publish(self._status, b"offline", qos=1, retain=True)
            with contextlib.suppress(ValueError, RuntimeError):
                said.wait_for_publish(_GOODBYE)
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish below the base, what is kept with QoS 1; False when the broker is away."""
        if not self.up:
            return False
        self._client.publish(self._prefix + topic, payload, qos=int(retain), retain=retain)
        return True

    def listen(self, topics: set[str]) -> None:
        """Hear these topics and no others from now on."""
        new, old = topics - self._topics, self._topics - topics
        self._topics = set(topics)
        if self.up and new:
            self._client.subscribe([(self._prefix + each, 1) for each in sorted(new)])
        if self.up and old:
            self._client.unsubscribe([self._prefix + each for each in sorted(old)])

    # ---------------------------------------------------------------- in the thread of paho

    def _on_connect(self, *_parts: Any) -> None:
        reason = _parts[3]
        self._later(self._connected, None if not reason.is_failure else str(reason))

    def _on_connect_fail(self, *_: Any) -> None:
        # The library calls this where it catches the error, and does not hand it over.
        error = sys.exc_info()[1]
        why = "no reason given" if error is None else reason(error)
        place = f"{self._broker.host}:{self._broker.port}"
        self._later(self._failed, f"the broker at {place} cannot be reached: {why}")

    def _on_disconnect(self, *_: Any) -> None:
        self._later(self._disconnected)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self._later(self._took, message.topic, message.payload, bool(message.retain))

    def _later(self, what: Callable[..., None], *arguments: Any) -> None:
        # The loop may be closed already while the thread ends.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *arguments)

    # ---------------------------------------------------------------- in the loop

    def _connected(self, refused: str | None) -> None:
        if self._stopping:
            return
        if refused is not None:
            self._failed(f"the broker refuses the connection: {refused}")
            return
        self.up, self._fault = True, None
        self._log.info("connected to the broker")
        self._client.publish(self._status, b"online", qos=1, retain=True)
        topics = [self._status, *(self._prefix + each for each in sorted(self._topics))]
        self._client.subscribe([(each, 1) for each in topics])
        self._came()

    def _failed(self, why: str) -> None:
        # Once, not at each new attempt.
        if why != self._fault:
            self._fault = why
            self._log.warning("%s", why)

    def _disconnected(self) -> None:
        if self.up:
            self._log.warning("the broker is gone")
        self.up = False

    def _took(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic == self._status:
            if payload == b"offline" and self.up and not self._stopping:
                self._client.publish(self._status, b"online", qos=1, retain=True)
        elif topic.startswith(self._prefix):
            self._hear(topic[len(self._prefix) :], payload, retained)


def _hurry(_client: Any, _data: Any, sock: Any) -> None:
    # Small packets would else wait 40 ms for one another.
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
