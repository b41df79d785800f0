"""Finding devices by mDNS (Bonjour, Zeroconf): who offers a service on the own network.

Only this module imports zeroconf, and only when somebody asks. It listens and asks; it announces
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from bridge.errors import DeviceTimeout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DETAILS = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """One service that was announced.

    type: such as `_shelly._tcp.local.`; name: its instance, without the type; host: its first
    IPv4 address; port: as announced; text: its TXT record, of which
    only what is UTF-8.
    """

    type: str
    name: str
    host: str
    port: int
    text: Mapping[str, str] = field(default_factory=dict)


async def browse(
    types: Sequence[str], seconds: float, interfaces: Sequence[str] | None = None
) -> list[Service]:
    """Everybody who answers within `seconds`, by type and name.

    interfaces: own addresses to ask through (None: all). Raises DeviceError where no multicast can
    be sent.
    """
    if not types:
        return []
    from zeroconf import InterfaceChoice, IPVersion
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

    choice: Any = InterfaceChoice.All if interfaces is None else list(interfaces)
    seen: dict[tuple[str, str], None] = {}

    def heard(*, service_type: str, name: str, **_: Any) -> None:
        seen.setdefault((service_type, name))

    try:
        zeroconf = AsyncZeroconf(interfaces=choice, ip_version=IPVersion.V4Only)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DeviceTimeout(f"nobody can be asked by mDNS: {why}") from None
    try:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, list(types), handlers=[heard])
        await anyio.sleep(seconds)
        await browser.async_cancel()
        found: list[Service] = []
        async with anyio.create_task_group() as tasks:
            for kind, name in seen:
                tasks.start_soon(_resolve, zeroconf, kind, name, found)
    finally:
        with anyio.CancelScope(shield=True):
            await zeroconf.async_close()
    return sorted(found, key=lambda each: (each.type, each.name))


async def _resolve(zeroconf: Any, kind: str, name: str, found: list[Service]) -> None:
    """Add what the service says of itself; one that says nothing more is left out."""
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncServiceInfo

    info = AsyncServiceInfo(kind, name)
    if not await info.async_request(zeroconf.zeroconf, _DETAILS * 1000):
        return
    addresses = info.parsed_addresses(IPVersion.V4Only)
    if not addresses or info.port is None:
        return
    text = {
        _text(key): "" if value is None else _text(value) for key, value in info.properties.items()
    }
    found.append(Service(kind, name.removesuffix(f".{kind}"), addresses[0], info.port, text))


def _text(raw: bytes) -> str:
    return " ".join(raw.decode("utf-8", "replace").split())
