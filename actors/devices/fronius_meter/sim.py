"""A simulated inverter with the Solar API and one meter, with its faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import web

from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

SAMPLE = Path(__file__).parent / "samples" / "feed_in.json"
FAULTS = {
    "stall": "takes the request and never answers",
    "close": "closes the connection without an answer",
    "rubbish": "sends bytes that are not HTTP",
    "truncated": "sends half of the JSON as if it were all",
    "text": "sends a text where a number should be",
    "page": "answers 200 with a web page",
    "empty": "answers without a meter in it",
    "unavailable": "says that the meter is not available",
    "disabled": "says that the meter is not in operation",
    "off": "has the Solar API switched off",
    "500": "fails inside",
}
_PATH = "/solar_api/v1/GetMeterRealtimeData.cgi"


class Simulator(HttpSimulator):
    """`async with Simulator() as sim:` serves one meter on `sim.port`.

    powers: W of each phase, + = import at the feed-in point; place: 0 feed-in point, 1 consumption
    path; unit: the meter's number. `fault` is None or a key of FAULTS.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        powers: Sequence[float] | None = None,
        place: int = 0,
        unit: int = 0,
    ) -> None:
        self.host, self.port, self.unit, self.place = host, port, unit, place
        self.answer: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
        self.powers = list(powers or (450.5, 300.0, -1000.25))
        self.fault: str | None = None
        self.requests: list[str] = []

    @property
    def data(self) -> dict[str, Any]:
        """The meter as it would be told now; change it to change the meter."""
        found: dict[str, Any] = self.answer["Body"]["Data"]
        found["Meter_Location_Current"] = self.place
        # In the consumption path such a meter tells consumption as negative.
        sign = -1.0 if self.place == 1 else 1.0
        for phase, power in enumerate(self.powers, 1):
            found[f"PowerReal_P_Phase_{phase}"] = sign * power
        found["PowerReal_P_Sum"] = sign * sum(self.powers)
        return found

    def settings(self) -> dict[str, Any]:
        """What a configuration needs to read it, beside its address."""
        return {"unit": self.unit} if self.unit else {}

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application(middlewares=[self._middleware])
        application.router.add_get("/solar_api/GetAPIVersion.cgi", self._version)
        application.router.add_get(_PATH, self._meter)
        return application

    @property
    def _middleware(self) -> Any:
        @web.middleware
        async def faults(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.requests.append(request.path_qs)
            if self.fault == "stall":
                await anyio.sleep_forever()
            if self.fault == "500":
                return web.Response(status=500, text="internal error")
            if self.fault == "off":
                return web.Response(status=404, text="<html>404</html>", content_type="text/html")
            if self.fault == "page":
                return web.Response(text="<html>Welcome</html>", content_type="text/html")
            if self.fault in {"close", "rubbish"} and request.transport is not None:
                if self.fault == "rubbish":
                    request.transport.write(b"\x00\x16\x03 this is not HTTP\r\n\r\n")
                request.transport.close()
                return web.Response()
            return await handler(request)

        return faults

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"APIVersion": 1, "BaseURL": "/solar_api/v1/", "CompatibilityRange": "1.8-1"}
        )

    async def _meter(self, request: web.Request) -> web.Response:
        scope = request.query.get("Scope")
        if scope == "System":
            return self._told({str(self.unit): self.data})
        if scope != "Device" or request.query.get("DeviceId") != str(self.unit):
            return self._told({}, 6 if scope != "Device" else 12)
        return self._told(self.data)

    def _told(self, data: dict[str, Any], code: int = 0) -> web.Response:
        head = dict(self.answer["Head"])
        code = 12 if self.fault == "unavailable" else code
        head["Status"] = {"Code": code, "Reason": "", "UserMessage": ""}
        if self.fault == "disabled":
            data = data | {"Enable": 0}
        elif self.fault == "text":
            data = data | {"PowerReal_P_Sum": "a lot"}
        elif self.fault == "empty" or code:
            data = {}
        text = json.dumps({"Body": {"Data": data}, "Head": head}, indent=3)
        if self.fault == "truncated":
            text = text[: len(text) // 2]
        return web.Response(text=text, content_type="application/json")


__all__ = ["FAULTS", "Simulator"]
