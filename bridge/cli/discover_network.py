"""Which networks and ports may be looked through: private ones, and not too many of them."""

from __future__ import annotations

import argparse
import ipaddress
import socket
from typing import Final

PRIVATE: Final = tuple(
    map(
        ipaddress.IPv4Network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    )
)
WIDEST: Final = 22
MQTT_PORT: Final = 1883
_MOST_PORTS: Final = 16
_LAST_PORT: Final = 65535


def network_of(text: str) -> ipaddress.IPv4Network:
    """A private network that is not too wide. Raises ArgumentTypeError."""
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        sentence = f"{text} is no network: write it like 192.168.1.0/24"
        raise argparse.ArgumentTypeError(sentence) from None
    if not any(network.subnet_of(each) for each in PRIVATE):
        sentence = f"{network} is not private: only the own network is looked through"
        raise argparse.ArgumentTypeError(sentence)
    if network.prefixlen < WIDEST:
        sentence = f"{network} is too wide: a /{WIDEST} (1022 addresses) is the most"
        raise argparse.ArgumentTypeError(sentence)
    return network


def port_of(text: str) -> int:
    """A port. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port: it is a number from 1 to 65535")
    return int(text)


def ports_of(text: str) -> tuple[int, ...]:
    """Ports with commas between them, each once. Raises ArgumentTypeError."""
    ports = tuple(dict.fromkeys(port_of(each.strip()) for each in text.split(",")))
    if len(ports) > _MOST_PORTS:
        raise argparse.ArgumentTypeError(f"{len(ports)} ports are too many: {_MOST_PORTS} at most")
    return ports


def own_networks() -> list[ipaddress.IPv4Network]:
    """The /24 around this computer's own address; nothing is sent to learn it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            return []
    network = ipaddress.IPv4Network(f"{address}/24", strict=False)
    return [network] if any(network.subnet_of(each) for each in PRIVATE) else []
