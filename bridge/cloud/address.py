"""Which address of a service is taken: https, and plain http only inside the house."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

_FORM: Final = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?\Z"
)
_HIGHEST_PORT: Final = 65535
_INSIDE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def check_url(url: str) -> str | None:
    """What is wrong with the base of a service, as one sentence; None when it can be used.

    For `check` of settings: `if (sentence := check_url(self.url)): yield "url", sentence`. The url
    is never part of the sentence: people write keys there.
    """
    if not _FORM.match(url):
        return "'url' must be an address such as https://api.example.org, without a login and a '?'"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "'url' has a host or a port that cannot be read"
    if port == 0:
        return f"'url' has the port 0: it must be from 1 to {_HIGHEST_PORT}"
    if parts.scheme == "http" and not _inside(host):
        return (
            "'url' must begin with https://: plain http is taken only to this computer"
            " or to a private address such as 192.168.1.20"
        )
    return None


def _inside(host: str) -> bool:
    """True for this computer and for addresses that no router of the internet forwards."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _INSIDE if network.version == address.version)
