"""A simulated Shelly over real HTTP and WebSocket, with logins and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from actors.devices.shelly.simulator.faults import FAULTS
from actors.devices.shelly.simulator.first import FirstGeneration
from actors.devices.shelly.simulator.later import LaterGeneration
from actors.devices.shelly.simulator.login import MOST_USES, DigestDoor
from actors.devices.shelly.simulator.model import MODELS, Plant
from actors.devices.shelly.simulator.server import Face
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web


class Simulator(HttpSimulator):
    """`async with Simulator(model="pro3em") as sim:` serves one device on `sim.port`.

    model: a key of MODELS. power: W per line, + = import: a list, one number for the first line, or
    a callable that is asked at each request. password: with it, a login is required. firmware: from
    2.0.0 on a digest nonce may be used again. profile: triphase or monophase (pro3em). two_way:
    plus1pm counts both directions. `fault` is None or a key of FAULTS, for the paths that begin
    with `fault_on`; `delay` (s) belongs to the fault `slow`. `mutters`: what is pushed instead of a
    notification. `plant` has everything else that can be measured. `outward` makes it speak over
    MQTT, or over a WebSocket that it opens.
    """

    def __init__(  # noqa: PLR0913 - as many as a device has properties
        self,
        model: str = "pro3em",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str | None = None,
        username: str = "admin",
        firmware: str | None = None,
        profile: str = "triphase",
        two_way: bool | None = None,
        mac: str = "AABBCCDDEE01",
        power: float | Sequence[float] | Callable[[], Sequence[float]] = (),
    ) -> None:
        if model not in MODELS:
            raise ValueError(f"model {model!r} is not known: {', '.join(MODELS)} are")
        kind = MODELS[model]
        self.model, self.host, self.port = kind, host, port
        self.password, self.username = password, username
        self.plant = Plant(kind.lines, [True] * kind.outputs, source=power)
        self.plant.switched = kind.measures in {"meters", "switch"}
        self.device: FirstGeneration | LaterGeneration
        self.door: DigestDoor | None = None
        if kind.generation == 1:
            self.device = FirstGeneration(kind, self.plant, mac, login=password is not None)
            self.id = f"{kind.prefix}-{mac}"
        else:
            version = firmware or kind.firmware
            self.device = LaterGeneration(
                kind,
                self.plant,
                mac,
                login=password is not None,
                firmware=version,
                profile=profile,
                two_way=kind.measures == "pm1" if two_way is None else two_way,
            )
            self.id = self.device.id
            uses = MOST_USES if int(version.split(".")[0]) > 1 else 1
            self.door = DigestDoor(self.id, password, uses) if password is not None else None
        self.fault: str | None = None
        self.fault_on = "/"
        self.delay = 0.5
        self.requests: list[str] = []
        self.connections: set[object] = set()
        self.logins_refused = 0
        self.change = anyio.Event()
        self.sockets: set[web.WebSocketResponse] = set()
        self.mutters: str | None = None

    def settings(self) -> dict[str, Any]:
        """What points a configuration at it, beyond host and port."""
        if self.password is None:
            return {}
        return {"username": self.username, "password": self.password}

    # ---------------------------------------------------------------- the physical side

    @property
    def power(self) -> list[float]:
        """W on each line now, + = import."""
        return self.plant.powers()

    @power.setter
    def power(self, source: Sequence[float] | Callable[[], Sequence[float]]) -> None:
        self.plant.source = source
        self.changed()

    @property
    def output(self) -> list[bool]:
        """Which relays are closed."""
        self.plant.settle()
        return self.plant.outputs

    def press(self, relay: int = 0) -> None:
        """A person presses the button of a relay."""
        self.plant.settle()
        self.plant.switch(relay, on=not self.plant.outputs[relay])
        self.changed()

    def advance(self, seconds: float) -> None:
        """Move the energy counters on by so many seconds at the present powers."""
        self.plant.advance(seconds)
        self.changed()

    def changed(self) -> None:
        """Wake the WebSocket clients: something is different."""
        change, self.change = self.change, anyio.Event()
        change.set()

    async def hang_up(self) -> None:
        """Close the WebSockets of whoever listens."""
        for socket in list(self.sockets):
            await socket.close()

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        return Face(self).application


__all__ = ["FAULTS", "MODELS", "Simulator"]
