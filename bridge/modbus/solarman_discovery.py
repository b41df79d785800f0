"""Find Solarman sticks (and GoodWe's, which answer alike) by a broadcast on UDP 48899."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final, NamedTuple

import anyio

from bridge.errors import DeviceTimeout

PORT: Final = 48899
TEXTS: Final = ("WIFIKIT-214028-READ", "HF-A11ASSISTHREAD")
_REPEATS = 2
_FIELDS = 3
_LONGEST = 64


class Found(NamedTuple):
    """One answer: where it is, its MAC address as it writes it, and its number or name."""

    ip: str
    mac: str
    serial: str


def understood(data: bytes) -> Found | None:
    """Read one answer, `ip,MAC,serial` in ASCII; None for anything else, our own texts included."""
    try:
        fields = [field.strip() for field in data.decode("ascii").split(",")]
        if len(fields) != _FIELDS or not all(0 < len(field) <= _LONGEST for field in fields):
            return None
        if not all(field.isprintable() for field in fields):
            return None
        return Found(str(ipaddress.ip_address(fields[0])), fields[1].upper(), fields[2])
    except ValueError:
        return None


async def discover(
    broadcast_address: str = "255.255.255.255", port: int = PORT, wait: float = 2.0
) -> list[Found]:
    """Ask everyone at `broadcast_address` and listen for `wait` seconds; sorted by address.

    Raises DeviceTimeout where the computer cannot send there.
    """
    listener = _Listener()
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: listener, family=socket.AF_INET, allow_broadcast=True
        )
    except OSError as error:
        raise _cannot_send(broadcast_address, error) from None
    try:
        for _ in range(_REPEATS):
            for text in TEXTS:
                transport.sendto(text.encode(), (broadcast_address, port))
            await anyio.sleep(wait / _REPEATS)
    except OSError as error:
        raise _cannot_send(broadcast_address, error) from None
    finally:
        transport.close()
    if not listener.found and listener.failed is not None:
        raise _cannot_send(broadcast_address, listener.failed)
    return sorted(listener.found.values(), key=_order)


def _order(found: Found) -> tuple[int, int]:
    address = ipaddress.ip_address(found.ip)
    return address.version, int(address)


def _cannot_send(address: str, error: OSError) -> DeviceTimeout:
    reason = (error.strerror or str(error)).lower()
    return DeviceTimeout(f"nothing can be sent to {address}: {reason}")


class _Listener(asyncio.DatagramProtocol):
    """Keeps the answers, one for each stick."""

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self.failed: OSError | None = None

    def datagram_received(self, data: bytes, _: tuple[str | None, int]) -> None:
        """Take one answer."""
        answer = understood(data)
        if answer is not None:
            self.found[answer.ip] = answer

    def error_received(self, exc: Exception) -> None:
        """Note that the network refused; others may still answer."""
        if isinstance(exc, OSError):
            self.failed = exc
