"""Tariffs that ask a simulated service over real HTTP, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from bridge.actor import Context
from bridge.config import Config
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.mqtt import Endpoint
from tests.runtime.virtual import Wire, alive
from tests.support.days import lived

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from bridge.clock import Clock
    from bridge.tariff import Tariff

NOWHERE = Endpoint("localhost", 1)


class Heard(Wire):
    """What an actor published, and what was wrong with it at the end; None: nothing."""

    error: str | None = None


def born(kind: type[Tariff], settings: Any, state: Path, clock: Clock) -> Tariff:
    """An actor without a broker; its id is `dut`."""
    config = Config(state=state, discovery=DiscoverySettings(enabled=False))
    return kind(Context("dut", settings, config, load_contract(), NOWHERE, clock))


def life(
    simulator: Callable[[Clock], Any],
    actor: Callable[[Any, Clock], Tariff],
    *,
    begin: datetime,
    seconds: float = 20.0,
) -> Heard:
    """Let an actor live beside its simulator for so long; everything that it published."""

    async def scenario(clock: Clock) -> Heard:
        wire = Heard()
        async with simulator(clock) as sim:
            tariff = actor(sim, clock)
            async with alive(tariff, wire):
                await anyio.sleep(seconds)
            wire.error = tariff.error
            await tariff.make_safe()
        return wire

    return lived(scenario, begin=begin)


def slots(wire: Wire) -> list[tuple[str, str, float]]:
    """The newest curve of import prices: (start, end, price)."""
    found = wire.json("Tariffs/dut/Curve") or []
    return [(each["start"], each["end"], each["import"]) for each in found]


def stamp(moment: datetime) -> str:
    """As a curve is published."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
