"""Publishes the keys of a simulated go-e charger on a broker, and takes what is written there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio

from bridge.log import get_logger
from bridge.mqtt import Connection, Endpoint

if TYPE_CHECKING:
    from actors.chargers.go_e.sim import Simulator
    from bridge.mqtt import Incoming


class Publisher:
    """One connection to the broker at `url`; `run` until cancelled.

    slash: with the leading slash of older firmware. results: it tells what became of a write.
    writable: writing is switched on in the app. Each change is told after `sim.period` s.
    """

    def __init__(
        self,
        sim: Simulator,
        url: str,
        *,
        slash: bool = False,
        results: bool = True,
        writable: bool = True,
    ) -> None:
        self.sim, self.results, self.writable = sim, results, writable
        self.base = f"{'/' if slash else ''}go-eCharger/{sim.serial}"
        self._told: dict[str, Any] = {}
        self._connection = Connection(
            Endpoint.from_url(url),
            f"go-eCharger-{sim.serial}",
            log=get_logger("sim"),
            receive=self._heard,
            announce=self._again,
        )

    async def run(self) -> None:
        """Connect, tell everything, then what changes."""
        await self._connection.subscribe([(f"{self.base}/+/set", 1)])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._connection.run)
            await self._connection.connected.wait()
            while True:
                self._tell()
                await anyio.sleep(self.sim.period)

    async def _again(self) -> None:
        self._told = {}

    def _tell(self) -> None:
        if self.sim.fault == "stall":
            return
        keys = {**self.sim.status(), "mcr": not self.writable}
        for key, value in keys.items():
            if key not in self._told or self._told[key] != value:
                self._told[key] = value
                self._connection.send(f"{self.base}/{key}", json.dumps(value).encode(), retain=True)

    def _heard(self, message: Incoming) -> None:
        key = message.topic.split("/")[-2]
        if not self.writable or self.sim.fault in {"stall", "deaf"}:
            return
        try:
            wrong = self.sim.write(key, json.loads(message.payload))
        except ValueError:
            wrong = "value must be JSON"
        if self.results:
            answer = (wrong or "success").encode()
            self._connection.send(f"{self.base}/{key}/result", answer)
