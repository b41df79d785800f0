"""A simulated Homevolt over real HTTP: its pages, its console, its parameters, and its faults."""

from __future__ import annotations

import copy
import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import BasicAuth, web

from actors.devices.homevolt.simulator import pages
from actors.devices.homevolt.simulator.console import Console
from actors.devices.homevolt.simulator.faults import FAULTS, disturb, spoil
from actors.devices.homevolt.simulator.house import House
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import tzinfo

IGNORED = (3, 4, 5, 8, 9)
_PARTNER = (
    {"type": 1, "seconds": 900, "params": {"main_fuse": 25_000, "setpoint": 1800}},
    {"type": 7, "seconds": 86_400, "params": {}},
)


class Simulator(HttpSimulator):
    """`async with Simulator() as sim:` serves one Homevolt on `sim.port`.

    units: how many batteries it speaks for; password: with it, a login as admin is required;
    ignored: modes that its firmware takes without following them; zone: of its clock (None: this
    machine's). `house` has what can be measured, `console` the schedule, `fault` is None or a key
    of FAULTS, `failing` the paths that fail. `silent_after_writing` does what it is told and never
    answers.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        units: int = 1,
        password: str | None = None,
        ignored: Iterable[int] = IGNORED,
        zone: tzinfo | None = None,
    ) -> None:
        self.host, self.port, self.password = host, port, password
        self.house = House(units=units)
        self.console = Console(zone, frozenset(ignored))
        self.ecus = [f"68b6b3aabb{94 + n:02}" for n in range(units)]
        self.unavailable: set[str] = set()
        self.fault: str | None = None
        self.silent_after_writing = False
        self.failing: set[str] = set()
        self.requests: list[str] = []
        self.logins_refused = 0
        self.ahead = 0.0
        self.parameters: dict[str, list[Any]] = {
            "ecu_main_fuse_size_a": [101, 25, "Main fuse size"],
            "battery_min_soc": [102, 10, "The battery is not discharged below it"],
            "battery_max_soc": [103, 100, "The battery is not charged above it"],
            "export_limitation_w": [104, 0, "Limit of the export"],
        }
        self.stored: list[str] = []
        self._moved_at = time.monotonic()
        self.partner()

    # ---------------------------------------------------------------- the physical side

    def now(self) -> float:
        """Unix seconds on the device's clock."""
        return time.time() + self.ahead

    def partner(self) -> None:
        """The maker sends its schedule, as it does while local mode is off."""
        self.console.schedule_id = "6a4ee454-0000-4000-8000-2da6d4e50001"
        start, entries = int(self.now()), []
        for number, each in enumerate(_PARTNER, 1):
            end = start + int(str(each["seconds"]))
            entry = {"id": number, "from": start, "to": end, "type": each["type"]}
            entries.append({**entry, "params": copy.copy(each["params"])})
            start = end
        self.console.entries = entries

    @property
    def power(self) -> float:
        """W out of the batteries, after what the schedule says now."""
        self._move()
        return self.house.power

    def forward(self, seconds: float) -> None:
        """Move clock, batteries and counters on."""
        self._move()
        self.ahead += seconds
        self.house.forward(seconds)

    def _move(self) -> None:
        now = time.monotonic()
        passed, self._moved_at = now - self._moved_at, now
        self.house.entry = self.console.current(self.now())
        self.house.forward(passed)

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application(middlewares=[self._middleware])
        router = application.router
        router.add_get("/ems.json", self._ems)
        router.add_get("/schedule.json", self._schedule)
        router.add_get("/status.json", self._status)
        router.add_get("/params.json", self._params)
        router.add_post("/params.json", self._set_parameter)
        router.add_post("/console.json", self._console)
        router.add_get("/error_report.json", self._errors)
        router.add_get("/nodes.json", self._nothing)
        return application

    @property
    def _middleware(self) -> Any:
        @web.middleware
        async def front(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.requests.append(f"{request.method} {request.path}")
            if request.path in self.failing:
                return web.Response(status=500, text="Error")
            early = await disturb(self.fault, request)
            if early is not None:
                return early
            if self.password is not None and not self._right(request):
                self.logins_refused += 1
                return web.Response(status=401, text="Unauthorized")
            answer = await handler(request)
            if request.method == "POST" and self.silent_after_writing:
                return await disturb("stall", request) or answer
            return answer

        return front

    def _right(self, request: web.Request) -> bool:
        try:
            given = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            return False
        return (given.login, given.password) == ("admin", self.password)

    def _page(self, body: Any) -> web.StreamResponse:
        return spoil(self.fault, body)

    async def _ems(self, _: web.Request) -> web.StreamResponse:
        self._move()
        return self._page(pages.ems(self.house, self.now(), self.ecus, self.unavailable))

    async def _schedule(self, _: web.Request) -> web.StreamResponse:
        return self._page(self.console.page())

    async def _status(self, _: web.Request) -> web.StreamResponse:
        return self._page(pages.status(self.now()))

    async def _errors(self, _: web.Request) -> web.StreamResponse:
        return self._page(pages.errors())

    async def _nothing(self, _: web.Request) -> web.StreamResponse:
        return self._page([])

    async def _params(self, _: web.Request) -> web.StreamResponse:
        local = pages.parameter(100, "settings_local", self.console.local_mode, "Enable local mode")
        others = [
            pages.parameter(number, name, value, help_)
            for name, (number, value, help_) in self.parameters.items()
        ]
        return self._page([local, *others])

    async def _set_parameter(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        name, value = str(form.get("k")), str(form.get("v"))
        if name == "settings_local":
            self.console.local_mode = value in {"true", "1"}
        elif name in self.parameters and value.isdecimal():
            self.parameters[name][1] = int(value)
        else:
            return web.Response(status=404, text=json.dumps({"error": "no such parameter"}))
        if form.get("store") == "1":
            self.stored.append(name)
        return web.Response(text=f"Saved parameter k: '{name}' v: '{value}'")

    async def _console(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self._move()
        return web.Response(text=self.console.run(str(form.get("cmd", ""))))


__all__ = ["FAULTS", "Simulator"]
