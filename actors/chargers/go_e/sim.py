"""A simulated go-e charger over real HTTP (API v2 and v1), with a car and faults."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import anyio
from aiohttp import web

from actors.chargers.go_e.decode import LIST_LIMIT
from actors.chargers.go_e.simulator import first
from actors.chargers.go_e.simulator.faults import FAULTS, disturb, spoil
from bridge.simulators.car import Car
from bridge.simulators.goe_box import GoeBox
from bridge.simulators.http import HttpSimulator

SETTINGS: Final = {"timeout": 0.5}
MODELS: Final = {"home_11": 11, "home_22": 22, "gemini_11": 11, "gemini_22": 22}
_ECO, _DEFAULT = 4, 3


class Simulator(HttpSimulator):
    """`async with Simulator() as sim:` serves one charger on `sim.port`.

    model: a key of MODELS. api: what is switched on, `both`, `v2`, `v1` or `off`. filters: `plain`
    (names with commas, since 051.4), `list` (a JSON list of at most ten) or `none` (all keys each
    time). volatile: it has `amx`. speed: how much faster than real its time passes. period: s
    between looks for changes that simulator/publisher.py publishes on a broker. `box` is the
    charger itself, `car` the car; `commands` what it was told. `fault` is None or a key of FAULTS;
    `delay` (s) belongs to the fault `slow`.
    """

    def __init__(  # noqa: PLR0913 - as many as a charger has properties
        self,
        model: str = "home_11",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        api: Literal["both", "v2", "v1", "off"] = "both",
        filters: Literal["plain", "list", "none"] = "plain",
        serial: str = "012345",
        firmware: str = "56.9",
        volatile: bool = True,
        plugged: bool = True,
        speed: float = 1.0,
        period: float = 1.0,
        switch_time: float = 5.0,
    ) -> None:
        if model not in MODELS:
            raise ValueError(f"model {model!r} is not known: {', '.join(MODELS)} are")
        self.model, self.host, self.port = model, host, port
        self.api, self.filters = api, filters
        self.serial, self.firmware = serial, firmware
        self.speed, self.period = speed, period
        self.car = Car(plugged=plugged)
        # One of v1 has no modes: it charges whenever it is allowed to.
        mode = _DEFAULT if api == "v1" else _ECO
        self.box = GoeBox(
            self.car, variant=MODELS[model], volatile=volatile, switch_time=switch_time, lmo=mode
        )
        self.fault: str | None = None
        self.delay = 1.0
        self.requests: list[str] = []
        self.commands: list[tuple[str, Any]] = []
        self._moved: float | None = None

    # ---------------------------------------------------------------- what it is

    def move(self) -> None:
        """Let the time pass that has passed."""
        now = anyio.current_time()
        if self._moved is not None:
            self.box.advance((now - self._moved) * self.speed)
        self._moved = now

    def status(self) -> dict[str, Any]:
        """All keys of v2, now."""
        self.move()
        return {**self.box.keys, **self._names()}

    def _names(self) -> dict[str, str]:
        return {"fwv": self.firmware, "sse": self.serial, "typ": "go-eCharger", "fna": "Garage"}

    def write(self, key: str, value: Any) -> str | None:
        """Follow a written key; a sentence when it is refused."""
        self.move()
        self.commands.append((key, value))
        if self.fault == "refuse":
            return "not now"
        return None if self.fault == "forgetful" else self.box.set(key, value)

    # ---------------------------------------------------------------- serving

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.raw_path)
        early = await disturb(self.fault, self.delay, request)
        if early is not None:
            return early
        second = self.api in {"both", "v2"}
        older = self.api in {"both", "v1"}
        answers = {
            "/api/status": self._status if second else None,
            "/api/set": self._set if second else None,
            "/status": self._first if older else None,
            "/mqtt": self._first_set if older else None,
        }
        answer = answers.get(request.path)
        return web.Response(status=404, text="not found") if answer is None else answer(request)

    def _status(self, request: web.Request) -> web.Response:
        found = self.status()
        wanted = request.query.get("filter")
        if wanted is None or self.filters == "none":
            return spoil(self.fault, found)
        names: Any = wanted.split(",")
        if self.filters == "list":
            try:
                names = json.loads(wanted)
            except ValueError:
                return web.Response(status=400, text="filter is no JSON")
            names = names[:LIST_LIMIT]
        return spoil(self.fault, {name: found[name] for name in names if name in found})

    def _set(self, request: web.Request) -> web.Response:
        answers: dict[str, Any] = {}
        for key, text in request.query.items():
            try:
                answers[key] = self.write(key, json.loads(text)) or True
            except ValueError:
                answers[key] = "value must be JSON"
        return web.json_response(answers)

    def _first(self, _: web.Request) -> web.Response:
        self.move()
        return spoil(self.fault, first.status(self.box, self._names()))

    def _first_set(self, request: web.Request) -> web.Response:
        self.move()
        payload = request.query.get("payload", "")
        key, _, text = payload.partition("=")
        self.commands.append((key, text))
        if self.fault not in {"refuse", "forgetful"}:
            first.write(self.box, payload)
        found = first.status(self.box, self._names())
        # What it merely repeats is no proof that it keeps it.
        return web.json_response(found | {key: text} if self.fault == "forgetful" else found)

    # ---------------------------------------------------------------- life

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self._serve)
        return application


__all__ = ["FAULTS", "MODELS", "SETTINGS", "Simulator"]
