"""Recognising a Shelly on the network: every generation announces itself by mDNS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bridge.discover import Found

if TYPE_CHECKING:
    from bridge.discover import Service

_OWN: Final = "_shelly._tcp.local."
_ANY: Final = "_http._tcp.local."
SERVICES: Final = (_OWN, _ANY)
# The first generation writes its MAC (or the end of it) in capitals, the later ones do not.
_FIRST: Final = re.compile(r"(shelly[a-z0-9]+(?:-[a-z0-9]+)?)-([0-9A-F]{6}(?:[0-9A-F]{6})?)\Z")
_LATER: Final = re.compile(r"(shelly[a-z0-9]+)-([0-9a-f]{12})\Z", re.IGNORECASE)


def service(service: Service) -> Found | None:
    """An announced Shelly; the later generations announce two services and are taken once."""
    if service.type == _OWN:
        match = _LATER.match(service.name)
        if match is None:
            return None
        model = service.text.get("app") or match[1]
        generation = service.text.get("gen")
        what = f"Shelly {model}" + (f" (generation {generation})" if generation else "")
        return Found(what, match[2].upper())
    match = _FIRST.match(service.name)
    if match is None or service.text.get("gen", "1") != "1":
        return None
    return Found(f"Shelly {match[1]} (generation 1)", match[2])
