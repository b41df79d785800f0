"""A server with a certificate of its own authority."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from actors.sinks.influx.settings import Settings
from bridge.config.kinds import find_kind
from tests.actors.kinds import last, running
from tests.sinks.parts import FakeInflux

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.usefixtures("quick")


async def test_a_certificate_is_checked_and_an_authority_can_be_named(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    kind = find_kind("influx")
    async with FakeInflux(tls=context) as server:
        url = f"https://localhost:{server.port}"
        strange = Settings(url=url, interval=0.1)
        async with running(kind, strange, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Actors/dut/Messages/Operational"))
            them.connection.send("heliograph/Devices/meter/GridPower", b"5")
            await them.until(lambda: "cannot be trusted" in (health(last(them, HEALTH))))
            assert server.requests == []
        known = Settings(url=url, interval=0.1, ca=pem)
        async with running(kind, known, tmp_path, mosquitto.port) as them:
            await them.until(lambda: len(server.written) == 1)


HEALTH = "Actors/dut/Health"


def health(text: str | None) -> str:
    return str(json.loads(text or "{}").get("error"))
