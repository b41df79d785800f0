"""What several of these tests stand on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from actors.venus.venus_mqtt.sim import Simulator as Gx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def gx() -> AsyncIterator[Gx]:
    """A GX where a GX listens: port 1883, at a loopback address of this test's own."""
    number = os.getpid()
    host = f"127.{1 + number % 250}.{1 + number // 250 % 250}.2"
    try:
        sim = Gx(host=host, port=1883, sun=300, load=300, soc=60)
        await sim.start()
    except OSError as error:
        pytest.skip(f"{host}:1883 cannot be used here: {error}")
    yield sim
    await sim.stop()
