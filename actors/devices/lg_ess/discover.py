"""Recognising an LG ESS on the network: it announces itself by mDNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.devices.lg_ess.about import masked
from bridge.discover import Found

if TYPE_CHECKING:
    from bridge.discover import Service

SERVICES: Final = ("_pmsctrl._tcp.local.",)
_PREFIX: Final = "LGE_ESS-"
_HTTPS: Final = 443


def service(service: Service) -> Found | None:
    """An LG ESS. It announces port 80 and answers on 443."""
    if not service.name.startswith(_PREFIX):
        return None
    # The rest of the name looks like the registration number, which installers log in with.
    number = masked(service.name.removeprefix(_PREFIX)) or ""
    return Found(
        f"LG ESS {number}".strip(),
        settings={"password": "!file secrets/lg_ess"},
        port=_HTTPS,
    )
