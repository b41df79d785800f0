"""The server of a simulated Forecast.Solar."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import web

from actors.forecasts.forecast_solar.simulator.estimate import Roof, result_of
from bridge.curve.days import day_of, zone_of
from bridge.forecast import Plane
from bridge.simulators.service import WAY_FAULTS, ServiceSim, Weather
from bridge.sun import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.clock import Clock

KEY: Final = "0000heliograph0000"
SETTINGS: Final = {
    "latitude": 50.1,
    "longitude": 8.7,
    "planes": (Plane(tilt=30, azimuth=180, kwp=5),),
}
FAULTS: Final = {
    **WAY_FAULTS,
    "limit": "was asked too often, and says in its answer when it may be asked again",
    "limit_headers": "was asked too often, and says so in its headers alone",
    "limit_plain": "was asked too often, and says nothing else",
    "key": "refuses every key (401)",
    "access": "refuses access (403)",
    "place": "cannot use the place (400)",
    "planes": "cannot use the planes (422)",
    "unknown": "does not know the address (404)",
    "empty": "has no result",
    "nulls": "sends null for every value",
    "some_nulls": "sends null for one value in the middle of each day",
    "strings": "sends its numbers as texts",
    "negative": "sends values below 0",
    "missing": "leaves the hour before noon out",
    "local": "gives local times without their offset from UTC",
}
_PATH: Final = re.compile(
    r"(?:/([A-Za-z0-9]+))?/(estimate|check)/(-?[\d.]+)/(-?[\d.]+)((?:/-?[\d.]+/-?[\d.]+/[\d.]+)+)\Z"
)
_PERIOD: Final = 3600
_MOST_TILT, _MOST_AZIMUTH, _MOST_LATITUDE = 90, 180, 90


class Simulator(ServiceSim):
    """`async with Simulator() as sim:` serves estimates on `sim.port`.

    days: kinds of day (clear, mixed, dull) that follow one another; zone: of the place; key: the
    one that is taken in the path; limit: free calls in an hour; ahead: days after today, with a key
    three more.
    """

    faults: ClassVar[dict[str, str]] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        days: Iterable[str] = ("clear",),
        zone: str = "Europe/Berlin",
        key: str = KEY,
        limit: int = 12,
        ahead: int = 1,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(host, port, clock)
        self.weather = Weather(days)
        self.zone = zone_of(zone)
        self.key, self.limit, self.ahead = key, limit, ahead
        self._calls: list[datetime] = []

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        planes = [{"tilt": 30, "azimuth": 180, "kwp": 5}]
        return {"latitude": 50.1, "longitude": 8.7, "planes": planes}

    async def answer(  # noqa: PLR0911 - one return for each refusal
        self, request: web.Request
    ) -> web.StreamResponse:
        """An estimate, or why there is none."""
        match = _PATH.match(request.path)
        if match is None or self.fault == "unknown":
            return self._refused(404, "Not Found")
        key, what, latitude, longitude, panels = match.groups()
        if self.fault in ("key", "access") or (key is not None and key != self.key):
            return self._refused(403 if self.fault == "access" else 401, f"Invalid key {key}")
        if what == "check":
            return web.json_response({"result": True, "message": self._message(0, None)})
        limited = self._limited(key)
        if limited is not None:
            return limited
        numbers = [float(text) for text in panels.strip("/").split("/")]
        planes = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
        place = Place(float(latitude), float(longitude))
        if self.fault == "place" or abs(place.latitude) > _MOST_LATITUDE:
            return self._refused(400, "Location not found")
        wrong = any(tilt > _MOST_TILT or abs(turn) > _MOST_AZIMUTH for tilt, turn, _ in planes)
        if self.fault == "planes" or wrong or (len(planes) > 1 and key is None):
            return self._refused(422, "Invalid plane")
        return self._estimate(request, Roof(place, planes, self.weather), key)

    def _estimate(self, request: web.Request, roof: Roof, key: str | None) -> web.StreamResponse:
        if "inverter" in request.query:
            roof.limit = 1000 * float(request.query["inverter"])
        body = {
            "result": spoil(self.fault, self._result(roof, request, key)),
            "message": self._message(0, key),
        }
        return web.json_response(body, headers=self._headers())

    # ---------------------------------------------------------------- parts

    def _result(self, roof: Roof, request: web.Request, key: str | None) -> dict[str, Any]:
        today = day_of(self.clock.utc(), self.zone)
        count = 1 + self.ahead + (3 if key else 0)
        minutes = int(request.query.get("resolution", "60")) if key else 60
        utc = request.query.get("time") == "utc" and self.fault != "local"
        days = [today + timedelta(days=number) for number in range(count)]
        return result_of(roof, days, self.zone, minutes, utc=utc)

    def _limited(self, key: str | None) -> web.StreamResponse | None:
        """The answer to one call too many; None for one that counts."""
        now = self.clock.utc()
        self._calls = [at for at in self._calls if (now - at).total_seconds() < _PERIOD]
        body: Any = {"result": None, "message": self._message(429, key)}
        retry = self._retry_at().astimezone(self.zone).isoformat(timespec="seconds")
        if self.fault == "limit" or len(self._calls) >= self.limit:
            body["message"]["ratelimit"] |= {"remaining": 0, "retry-at": retry}
            return web.json_response(body, status=429)
        if self.fault == "limit_headers":
            del body["message"]["ratelimit"]
            headers = {"X-Ratelimit-Limit": "12", "X-Ratelimit-Retry-At": retry}
            return web.json_response(body, status=429, headers=headers)
        if self.fault == "limit_plain":
            return web.Response(text="Too many requests", status=429)
        self._calls.append(now)
        return None

    def _retry_at(self) -> datetime:
        now = self.clock.utc()
        return (self._calls[0] if self._calls else now) + timedelta(seconds=_PERIOD)

    def _refused(self, status: int, text: str) -> web.StreamResponse:
        message = self._message(status, None) | {"text": text}
        return web.json_response({"result": None, "message": message}, status=status)

    def _message(self, code: int, key: str | None) -> dict[str, Any]:
        now = self.clock.utc()
        return {
            "code": code,
            "type": "error" if code else "success",
            "text": "",
            "pid": "0",
            "info": {
                "place": "Nowhere",
                "timezone": self.zone.key,
                "time": now.astimezone(self.zone).isoformat(timespec="seconds"),
                "time_utc": now.isoformat(timespec="seconds"),
            },
            "ratelimit": {
                "zone": "API key" if key else "IP 192.0.2.1",
                "period": _PERIOD,
                "limit": self.limit,
                "remaining": max(0, self.limit - len(self._calls)),
            },
        }

    def _headers(self) -> dict[str, str]:
        return {
            "X-Ratelimit-Limit": str(self.limit),
            "X-Ratelimit-Period": str(_PERIOD),
            "X-Ratelimit-Remaining": str(max(0, self.limit - len(self._calls))),
        }


def spoil(fault: str | None, result: dict[str, Any]) -> dict[str, Any] | None:
    """What a fault of the data makes of a good result."""
    changes: dict[str, Callable[[str, float], Any]] = {
        "nulls": lambda _stamp, _value: None,
        "some_nulls": lambda stamp, value: None if "T10:" in stamp else value,
        "strings": lambda _stamp, value: str(value),
        "negative": lambda _stamp, value: -1 - value,
    }
    if fault == "empty":
        return None
    if fault == "missing":
        return {
            name: {stamp: value for stamp, value in table.items() if "T10:" not in stamp}
            for name, table in result.items()
        }
    change = changes.get(fault or "")
    if change is None:
        return result
    return {
        name: {stamp: change(stamp, value) for stamp, value in table.items()}
        for name, table in result.items()
    }
