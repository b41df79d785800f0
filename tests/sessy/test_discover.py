"""Who announces itself as a Sessy."""

from __future__ import annotations

import pytest

from actors.devices.sessy.discover import SERVICES, service
from bridge.discover import Service


@pytest.mark.parametrize("name", ["sessy-D1A2", "Sessy-p1b3"])
def test_a_sessy_is_recognised(name: str) -> None:
    found = service(Service(SERVICES[0], name, "192.0.2.7", 80))
    assert found is not None
    assert found.what == f"Sessy {name[6:]}"


@pytest.mark.parametrize("name", ["sessy-", "mysessy-1", "shellyplus1-aabbcc", "sessy-a b"])
def test_others_are_not(name: str) -> None:
    assert service(Service(SERVICES[0], name, "192.0.2.7", 80)) is None
