"""Recognising a Sessy on the network: its web page is announced by mDNS as `sessy-…`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bridge.discover import Found

if TYPE_CHECKING:
    from bridge.discover import Service

SERVICES: Final = ("_http._tcp.local.",)
_NAME: Final = re.compile(r"sessy-([A-Za-z0-9-]{1,32})\Z", re.IGNORECASE)


def service(service: Service) -> Found | None:
    """A battery or meter; which one it says only to who has its login."""
    match = _NAME.match(service.name)
    return Found(f"Sessy {match[1]}") if match else None
