"""An LG ESS announces itself by mDNS, and `heliograph discover` hears it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING, TypeVar

import pytest
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from actors.devices.lg_ess import discover
from actors.devices.lg_ess.sim import PASSWORD
from bridge.cli.discover import snippets
from bridge.cli.discover_look import Find, look
from bridge.config.load import load_text
from bridge.errors import DeviceTimeout
from bridge.http.mdns import Service, browse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

T = TypeVar("T")
TYPE = discover.SERVICES[0]
LOOPBACK = ["127.0.0.1"]
HERE = ipaddress.IPv4Network("127.0.0.1/32")
NOWHERE = 9
# On one machine the answer to the first question may go astray; the second comes after a second.
SECONDS = 1.8


@contextlib.asynccontextmanager
async def announced(*names: str, kind: str = TYPE) -> AsyncIterator[None]:
    zeroconf = AsyncZeroconf(interfaces=LOOPBACK, ip_version=IPVersion.V4Only)
    try:
        for number, name in enumerate(names):
            info = ServiceInfo(
                kind,
                f"{name}.{kind}",
                addresses=[socket.inet_aton("127.0.0.1")],
                port=80,
                properties={"Device": "LGEESS", "HWRevison": "1.5"},
                server=f"host{number}.local.",
            )
            # Without asking whether somebody else has that name, which takes a second.
            await (await zeroconf.async_register_service(info, cooperating_responders=True))
        yield
    finally:
        await zeroconf.async_close()


async def patiently(ask: Callable[[], Awaitable[list[T]]], count: int) -> list[T]:
    """Ask again where a busy machine answered too late."""
    found: list[T] = []
    for _ in range(5):
        found = await ask()
        if len(found) >= count:
            break
    return found


@pytest.mark.slow
async def test_everybody_who_answers_is_told_once() -> None:
    async with announced("LGE_ESS-DE2001FICT0001", "LGE_ESS-DE2001FICT0002"):
        found = await patiently(lambda: browse([TYPE], SECONDS, LOOPBACK), 2)
    assert found == [
        Service(TYPE, f"LGE_ESS-DE2001FICT000{number}", "127.0.0.1", 80, found[0].text)
        for number in (1, 2)
    ]
    assert found[0].text == {"Device": "LGEESS", "HWRevison": "1.5"}


async def test_nobody_is_nobody_and_no_type_asks_nobody() -> None:
    assert await browse([TYPE], 0.1, LOOPBACK) == []
    assert await browse([], 60) == []


async def test_a_network_without_multicast_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", refuse)
    with pytest.raises(DeviceTimeout, match="nobody can be asked by mDNS: no such device"):
        await browse([TYPE], 0.1, LOOPBACK)


@pytest.mark.slow
async def test_discover_finds_it_and_tells_how_to_set_it_up(tmp_path: Path) -> None:
    async with announced("LGE_ESS-DE2001FICT0001", "somebody else"):
        finds = await patiently(lambda: look([HERE], [NOWHERE], NOWHERE, SECONDS / 2), 1)
    assert finds == [
        Find(
            "127.0.0.1", 443, "LG ESS ...0001", "lg_ess", None, {"password": "!file secrets/lg_ess"}
        )
    ]
    (line,) = snippets(finds)
    assert line == "  lg_ess: {kind: lg_ess, host: 127.0.0.1, password: !file secrets/lg_ess}"
    (tmp_path / "lg_ess").write_text(PASSWORD)
    text = f"actors:\n{line.replace('secrets', str(tmp_path))}\n"
    assert load_text(text).actors["lg_ess"].kind == "lg_ess"


@pytest.mark.parametrize("name", ["LGE_TV-1", "lge_ess-1", "x LGE_ESS-1", ""])
def test_others_of_the_same_type_are_not_ours(name: str) -> None:
    assert discover.service(Service(TYPE, name, "10.0.0.1", 80)) is None
