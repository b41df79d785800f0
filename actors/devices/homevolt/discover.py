"""Recognising a Homevolt on the network: by the name under which it announces itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bridge.discover import Found

if TYPE_CHECKING:
    from bridge.discover import Service

SERVICES: Final = ("_http._tcp.local.",)
_NAME: Final = re.compile(r"homevolt(?:-([0-9A-Za-z]{4,32}))?(?: .*)?\Z", re.IGNORECASE)


def service(service: Service) -> Found | None:
    """An announced `homevolt-<id>`. Its local interface may still have to be switched on."""
    match = _NAME.match(service.name)
    return None if match is None else Found("Homevolt", match[1])
