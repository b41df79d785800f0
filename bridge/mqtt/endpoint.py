"""Where the broker is, how to reach it, and which MQTT version it turned out to speak."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from bridge.errors import BrokerError
from bridge.mqtt.pinned import Closing, pinned_context

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


class Protocol(Enum):
    """The MQTT versions spoken here."""

    V5 = "5"
    V311 = "3.1.1"


@dataclass(slots=True)
class Endpoint:
    """One broker, shared by every connection of the bridge.

    `protocol` is None until the first connect has found out; then all connections use it. `pin` is
    the SHA-256 of the only certificate that is taken, for a broker that signs its own.
    """

    host: str
    port: int
    tls: bool = False
    websocket_path: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    protocol: Protocol | None = None
    pin: bytes | None = None
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        ca: str | None = None,
    ) -> Endpoint:
        """Read `mqtt://`, `mqtts://`, `ws://` or `wss://host[:port][/path]`."""
        parts = urlsplit(url)
        try:
            default, port = _PORTS[parts.scheme], parts.port
        except (KeyError, ValueError):
            default, port = 0, None
        if not default or not parts.hostname:
            sentence = f"the broker url {url!r} is not mqtt://, mqtts://, ws:// or wss://host:port"
            raise BrokerError(sentence)
        return cls(
            host=parts.hostname,
            port=port or default,
            tls=parts.scheme in {"mqtts", "wss"},
            websocket_path=(parts.path or "/mqtt") if parts.scheme.startswith("ws") else None,
            username=username,
            password=password,
            ca=ca,
        )

    @property
    def url(self) -> str:
        """The address as a person writes it, without credentials."""
        scheme = ("wss" if self.tls else "ws") if self.websocket_path else "mqtt"
        if self.tls and not self.websocket_path:
            scheme = "mqtts"
        return f"{scheme}://{self.host}:{self.port}{self.websocket_path or ''}"

    def tls_context(self) -> ssl.SSLContext | None:
        """A verifying context (host name and chain, TLS 1.2 at least), or None for plain text.

        Raises BrokerError when the `ca` file cannot be used.
        """
        if not self.tls:
            return None
        if self.pin is not None:
            return pinned_context(self.pin)
        if self._context is None:
            try:
                context = ssl.create_default_context(cafile=self.ca)
            except (OSError, ssl.SSLError) as error:
                sentence = f"the ca file {self.ca} cannot be used: {error.strerror or error}"
                raise BrokerError(sentence) from error
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.sslsocket_class = Closing
            self._context = context
        return self._context
