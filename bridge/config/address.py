"""Broker urls and listening addresses, taken apart with sentences instead of tracebacks."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

SCHEMES: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?\Z")
_FORMS = "'embedded' or begin with mqtt://, mqtts://, ws:// or wss://"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker elsewhere. `path` is empty unless the transport is WebSocket."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def tls(self) -> bool:
        """True when the connection is encrypted and its certificate verified."""
        return self.scheme in {"mqtts", "wss"}

    @property
    def websocket(self) -> bool:
        """True when MQTT travels inside WebSocket."""
        return self.scheme in {"ws", "wss"}

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def parse_url(url: str) -> BrokerAddress:
    """Take a broker url apart.

    Raises ValueError with the rest of a sentence that begins with 'url'; the url itself is never
    part of it, because people write passwords there.
    """
    if "@" in url:
        raise ValueError(
            "must not contain a login: write 'username' and 'password' as keys of their own"
        )
    if any(char.isspace() or not char.isprintable() for char in url):
        raise ValueError("must not contain blanks or invisible characters")
    scheme, mark, _ = url.partition("://")
    if not mark:
        raise ValueError(f"must be {_FORMS}")
    if scheme.lower() not in SCHEMES:
        raise ValueError(f"begins with an unknown scheme: it must be {_FORMS}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("has a host or port that cannot be read") from None
    _refuse_host(host)
    if port == 0:
        raise ValueError("has the port 0: it must be from 1 to 65535")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("must end after the path, without '?' and '#'")
    scheme = scheme.lower()
    path = parts.path
    if scheme in {"mqtt", "mqtts"}:
        if path.strip("/"):
            raise ValueError("has a path, which only ws:// and wss:// may have")
        path = ""
    else:
        path = path or "/mqtt"
    return BrokerAddress(scheme, str(host), port or SCHEMES[scheme], path)


def _refuse_host(host: str | None) -> None:
    if not host:
        raise ValueError("names no host")
    if ":" in host:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise ValueError("names an IPv6 address that cannot be read") from None
    elif not _HOST.match(host):
        raise ValueError("names a host with characters that hosts do not have")


def parse_listen(listen: str) -> tuple[str, int]:
    """`address`, `address:port` or `[v6]:port` as (IP address, port); the port is 1883 by default.

    Raises ValueError with the rest of a sentence that begins with 'listen'.
    """
    form = "must be an IP address and a port, such as 0.0.0.0:1883"
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", listen)
    if not found:
        raise ValueError(form)
    host = found[1].strip("[]")
    port = int(found[2]) if found[2] else 1883
    if port > 65535:  # noqa: PLR2004 - the highest TCP port is no magic
        raise ValueError("has a port above 65535")
    if host.lower() == "localhost":
        return "127.0.0.1", port
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        raise ValueError(form) from None
    if (version == 6) != found[1].startswith("["):  # noqa: PLR2004 - IPv6, no magic
        raise ValueError(form)
    return host, port


def is_loopback(host: str) -> bool:
    """True when only this machine can reach what listens on the IP address `host`."""
    return ipaddress.ip_address(host).is_loopback
