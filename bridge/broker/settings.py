"""What the owner says about the embedded broker, checked before anything is started."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Literal

from bridge.config.address import is_loopback, parse_listen
from bridge.errors import BrokerError

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on
_FORBIDDEN_IN_NAMES = ":\r\n\0"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a literal IP address and a port (0 = any free one)."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `127.0.0.1:1883`, `0.0.0.0` or `[::1]:1883`; raises BrokerError."""
        try:
            return cls(*parse_listen(text.strip()))
        except ValueError as error:
            raise BrokerError(f"the listen address {text!r} {error}") from error

    @property
    def loopback(self) -> bool:
        """True when only this machine can connect."""
        return is_loopback(self.host)

    @property
    def family(self) -> socket.AddressFamily:
        """IPv4 or IPv6, for the socket module."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def reach(self) -> str:
        """The host to connect to from this machine."""
        return _EVERYWHERE.get(self.host, self.host)

    def url(self) -> str:
        """The address as `mqtt://host:port` for clients on this machine."""
        host = self.reach()
        return f"mqtt://{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """Settings of the embedded broker.

    listen  address and port; anything but loopback needs `users`
    users   user name -> password (a str, or a Secret with `reveal()`); empty = no login
    prefer  `auto`: mosquitto when installed, else amqtt
    """

    listen: str = "127.0.0.1:1883"
    users: dict[str, str] = field(default_factory=dict, repr=False)
    prefer: Literal["auto", "mosquitto", "amqtt"] = "auto"

    def address(self) -> Address:
        """The listen address; raises BrokerError when it must not or cannot be used."""
        address = Address.parse(self.listen)
        if not address.loopback and not self.users:
            raise BrokerError(
                f"the broker would be open to everyone on the network at {self.listen}: "
                "add users with passwords, or listen on 127.0.0.1"
            )
        return address

    def logins(self) -> dict[str, str]:
        """User names and plain passwords; raises BrokerError for names no broker can store."""
        for name, password in self.users.items():
            if not name or any(character in _FORBIDDEN_IN_NAMES for character in name):
                raise BrokerError(f"the broker user {name!r} needs a name without a colon")
            if not _text(password):
                raise BrokerError(f"the broker user {name!r} needs a password")
        return {name: _text(password) for name, password in self.users.items()}


def _text(password: str) -> str:
    reveal = getattr(password, "reveal", None)
    return str(reveal()) if reveal is not None else password
