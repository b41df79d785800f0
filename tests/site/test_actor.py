"""The shell of the site: what a device says counts from when it was measured."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.site.actor import Site
from bridge.config.settings import SiteSettings
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", params=[VIRTUAL], ids=["virtual"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def state(actor: Site, **values: Any) -> None:
    hear(actor, "Devices/inverter/State", json.dumps(values).encode())


async def test_a_reading_is_not_younger_because_part_of_it_has_grown_old(tmp_path: Path) -> None:
    given = context(tmp_path)
    wanted = SiteSettings(grid="inverter", pv=("inverter",))
    config = dataclasses.replace(given.config, site=wanted)
    actor, wire = Site(dataclasses.replace(given, config=config)), Wire()
    async with alive(actor, wire):
        await anyio.sleep(1)
        state(actor, at="2026-11-21T12:00:00.000Z", GridPower=500, PvPower=3000)
        await anyio.sleep(9)
        hear(actor, "Devices/inverter/Status", b"offline")
        state(actor, at="2026-11-21T12:00:00.000Z", GridPower=None, PvPower=3000)
        await anyio.sleep(0.6)
        found = wire.json("Site/Balance")
        assert found["why"].startswith("grid meter is offline")
        assert found["age"] > 9
        assert found["PvPower"] is None
        # The same words once more are a device whose clock stands still, not one that is silent.
        state(actor, at="2026-11-21T12:00:00.000Z", GridPower=400, PvPower=3000)
        await anyio.sleep(0.6)
        assert wire.json("Site/Balance")["GridPower"] == 400
        assert wire.json("Site/Balance")["why"] is None
