"""A heater behind MQTT topics, simulated on a real broker, and the actor that switches it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from actors.consumers.mqtt_switch.actor import MqttSwitch
from actors.consumers.mqtt_switch.settings import Settings
from actors.consumers.mqtt_switch.sim import Simulator
from actors.consumers.mqtt_switch.simulator.styles import plain
from tests.switching.stand import AT_ONCE, stand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.switching.stand import Stand

NAME = "pool/Heater"
QUICK: dict[str, Any] = {
    **{key: text for key, text in plain(NAME).settings.items()
       if not key.startswith(("ask", "online"))},
    "timeout": 0.5, **AT_ONCE,
}  # fmt: skip
ASK = plain(NAME).settings["ask_topic"]


@contextlib.asynccontextmanager
async def player(broker: Mosquitto, *, on: bool = False, **given: Any) -> AsyncIterator[Simulator]:
    """A heater that is there already."""
    more: dict[str, Any] = {"name": NAME, "watts": 480.0, "period": 0.0} | given
    fault = more.pop("fault", None)
    sim = Simulator(broker=broker.url, **more)
    sim.on, sim.fault = on, fault
    async with sim:
        yield sim


@contextlib.asynccontextmanager
async def pump(
    broker: Mosquitto, state: Path, *, asks: bool = True, **given: Any
) -> AsyncIterator[Stand]:
    """Its actor, asking for 500 W; `given`: other settings."""
    settings = Settings(**QUICK | given)
    async with stand(broker, state, MqttSwitch, settings, asks=asks) as found:
        yield found
