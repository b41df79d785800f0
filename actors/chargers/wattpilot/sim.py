"""A simulated Wattpilot over a real WebSocket, with its logins, a car and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
from aiohttp import web

from actors.chargers.wattpilot.simulator.face import Session, serve
from actors.chargers.wattpilot.simulator.faults import FAULTS, LOUD
from bridge.config.secret import Secret
from bridge.simulators.car import Car
from bridge.simulators.goe_box import GoeBox
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from actors.chargers.wattpilot.login import Method

PASSWORD: Final = "secret"  # noqa: S105 - of a simulated charger
SETTINGS: Final = {"password": Secret(PASSWORD), "timeout": 0.5}
MODELS: Final = {
    "home_11": {"variant": 11},
    "go_22": {"variant": 22},
    "flex": {"variant": 22},
}


class Simulator(HttpSimulator):
    """`async with Simulator() as sim:` serves one Wattpilot on `sim.port`, `/ws`.

    model: a key of MODELS. method: how it logs in; announce: it says so (newer firmware).
    secured: commands must be signed. parts: of the whole status. period: s between deltas.
    speed: how much faster than real its time passes. plugged: a car is there from the start.
    answer_ids: `sm`, `text` or `number`, as it names a command that it answers; shows: the answer
    has the new value in it. `box` is the charger itself (bridge/simulators/goe_box.py takes
    volatile, switch_time, voltage and keys), `car` the car. `fault` is None or a key of FAULTS;
    `delay` (s) belongs to the fault `slow`.
    """

    def __init__(  # noqa: PLR0913 - as many as a charger has properties
        self,
        model: str = "home_11",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str | None = PASSWORD,
        method: Method | None = None,
        announce: bool = False,
        secured: bool = True,
        serial: str = "32154321",
        firmware: str = "40.7",
        parts: int = 2,
        period: float = 1.0,
        speed: float = 1.0,
        plugged: bool = True,
        volatile: bool = True,
        switch_time: float = 5.0,
    ) -> None:
        if model not in MODELS:
            raise ValueError(f"model {model!r} is not known: {', '.join(MODELS)} are")
        self.model, self.host, self.port = model, host, port
        self.password = password
        self.method: Method = method or ("bcrypt" if model == "flex" else "pbkdf2")
        self.announce, self.secured = announce, secured
        self.serial, self.firmware = serial, firmware
        self.parts, self.period, self.speed = max(1, parts), period, speed
        self.answer_ids, self.shows, self.answer_delay = "sm", True, 0.0
        self.car = Car(plugged=plugged)
        self.box = GoeBox(
            self.car,
            volatile=volatile,
            switch_time=switch_time,
            **MODELS[model],
        )
        self.delay = 0.3
        self.requests: list[str] = []
        self.commands: list[tuple[str, Any]] = []
        self.sessions: set[Session] = set()
        self.logins = self.refused = 0
        self._fault: str | None = None
        self._moved: float | None = None

    # ---------------------------------------------------------------- the physical side

    @property
    def fault(self) -> str | None:
        """What is wrong with it now."""
        return self._fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        self._fault = name
        if name in LOUD:
            for session in self.sessions:
                transport = session.transport
                if transport is not None:
                    transport.close()

    def move(self) -> None:
        """Let the time pass that has passed."""
        now = anyio.current_time()
        if self._moved is not None:
            self.box.advance((now - self._moved) * self.speed)
        self._moved = now

    # ---------------------------------------------------------------- what it says

    def hello(self) -> dict[str, Any]:
        """The first message."""
        flex = self.model == "flex"
        found: dict[str, Any] = {
            "type": "hello",
            "serial": self.serial,
            "hostname": f"Wattpilot_{self.serial}",
            "friendly_name": "Garage",
            "manufacturer": "fronius",
            "devicetype": "wattpilot_flex" if flex else "wattpilot",
            "version": self.firmware,
            "protocol": 2,
        }
        return found | {"secured": True} if self.secured else found

    def status(self) -> dict[str, Any]:
        """All keys, now."""
        self.move()
        names = {"fwv": self.firmware, "sse": self.serial, "typ": "wattpilot", "fna": "Garage"}
        return {**self.box.keys, **names}

    def answer_id(self, message: dict[str, Any]) -> Any:
        """The name of a command in its answer."""
        found = str(message.get("requestId"))
        bare = found.removesuffix("sm")
        if self.answer_ids == "number":
            return int(bare)
        return bare if self.answer_ids == "text" else found

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await serve(self, request)

        application = web.Application()
        application.router.add_get("/ws", handle)
        return application


__all__ = ["FAULTS", "MODELS", "SETTINGS", "Simulator"]
