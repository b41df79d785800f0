"""A simulated Solcast over real HTTP: sites, forecasts, its quota and its faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import web

from bridge.config.secret import Secret
from bridge.simulators.service import WAY_FAULTS, ServiceSim, Weather
from bridge.sun import Panels, Place, clear_sky_power

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.clock import Clock

TOKEN: Final = "sc_0000-heliograph-0000"  # noqa: S105 - of the simulator
SITE: Final = "abcd-0123-4567-89ef"
SETTINGS: Final = {"token": Secret(TOKEN), "site": (SITE,)}
FAULTS: Final = {
    **WAY_FAULTS,
    "quota": "has no calls left for today",
    "busy": "is too busy (429 without a word)",
    "key": "refuses every key (401)",
    "access": "refuses access (403)",
    "site": "does not know the site (404)",
    "question": "cannot use the question (422)",
    "nulls": "sends null for every value",
    "some_nulls": "sends null for the values of an hour before noon",
    "strings": "sends its numbers as texts",
    "negative": "sends values below 0 where there is none",
    "missing": "leaves an hour before noon out",
    "no_range": "sends no range",
    "period": "sends a period that is none",
    "empty": "sends an empty list",
}
_HALF: Final = timedelta(minutes=30)
_PLACE: Final = Place(50.1, 8.7)
_PANELS: Final = (Panels(5.0, 30.0, 180.0, 5000.0), Panels(3.0, 20.0, 90.0, 3000.0))
_MOST_HOURS: Final = 168
_VALUES: Final = ("pv_estimate", "pv_estimate10", "pv_estimate90")
_REFUSALS: Final = {
    "key": (401, "Unauthorized"),
    "access": (403, "Forbidden"),
    "site": (404, "NotFound"),
    "question": (422, "InvalidRequest"),
}


class Simulator(ServiceSim):
    """`async with Simulator() as sim:` serves an account with two sites on `sim.port`.

    days: kinds of day (clear, mixed, dull) that follow one another; calls: in a day of UTC;
    latitude, longitude: of both sites; token: the one that is taken.
    """

    faults: ClassVar[dict[str, str]] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        days: Iterable[str] = ("clear",),
        calls: int = 10,
        latitude: float = _PLACE.latitude,
        longitude: float = _PLACE.longitude,
        token: str = TOKEN,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(host, port, clock)
        self.weather, self.calls, self.token = Weather(days), calls, token
        self.place = Place(latitude, longitude)
        self.sites = {SITE: _PANELS[0], "abcd-0123-4567-89f0": _PANELS[1]}
        self.used: dict[str, int] = {}

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        return {"token": self.token, "site": SITE}

    async def answer(  # noqa: PLR0911 - one return for each refusal
        self, request: web.Request
    ) -> web.StreamResponse:
        """A forecast, or why there is none."""
        if self.fault in _REFUSALS:
            return _refused(*_REFUSALS[self.fault])
        told = request.headers.get("Authorization", f"Bearer {request.query.get('api_key')}")
        if told != f"Bearer {self.token}":
            return _refused(*_REFUSALS["key"])
        if request.path == "/rooftop_sites":
            sites = [{"resource_id": name} for name in self.sites]
            return web.json_response({"sites": sites, "total_records": len(sites)})
        levels = request.path.strip("/").split("/")
        if levels[0] != "rooftop_sites" or levels[2:] != ["forecasts"]:
            return _refused(*_REFUSALS["site"])
        if self.fault == "busy":
            return web.Response(status=429)
        if self.fault == "quota" or not self._counted():
            return _refused(429, "TooManyRequests")
        panels = self.sites.get(levels[1])
        if panels is None:
            return _refused(*_REFUSALS["site"])
        hours = min(int(request.query.get("hours", "48")), _MOST_HOURS)
        return web.json_response({"forecasts": spoil(self.fault, self._items(panels, hours))})

    def _counted(self) -> bool:
        """Whether this call is one of the day's."""
        day = f"{self.clock.utc():%Y-%m-%d}"
        self.used[day] = self.used.get(day, 0) + 1
        return self.used[day] <= self.calls

    def _items(self, panels: Panels, hours: int) -> list[dict[str, Any]]:
        now = self.clock.utc()
        start = now - (now - datetime(1970, 1, 1, tzinfo=UTC)) % _HALF
        found = []
        for count in range(hours * 2):
            end = start + (count + 1) * _HALF
            kw = self._mean(panels, end)
            found.append(
                {
                    "pv_estimate": round(kw, 4),
                    "pv_estimate10": round(kw * 0.6, 4),
                    "pv_estimate90": round(min(panels.limit / 1000, kw * 1.2), 4),
                    "period_end": f"{end:%Y-%m-%dT%H:%M:%S}.0000000Z",
                    "period": "PT30M",
                }
            )
        return found

    def _mean(self, panels: Panels, end: datetime) -> float:
        """kW, the mean of the half hour before."""
        moments = [end.timestamp() - 1800 + 150 + 300 * part for part in range(6)]
        powers = [
            min(panels.limit, clear_sky_power(self.place, panels, at)) * self.weather.clearness(at)
            for at in moments
        ]
        return sum(powers) / len(powers) / 1000


def _refused(status: int, code: str) -> web.StreamResponse:
    body = {"response_status": {"error_code": code, "message": "Not possible.", "errors": []}}
    return web.json_response(body, status=status)


def spoil(fault: str | None, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a fault of the data makes of good items."""
    changes: dict[str, Callable[[dict[str, Any], str], Any]] = {
        "nulls": lambda _item, _name: None,
        "some_nulls": lambda item, name: None if _is_morning(item) else item[name],
        "strings": lambda item, name: str(item[name]),
        "negative": lambda item, name: item[name] or -0.01,
    }
    if fault == "empty":
        return []
    if fault == "missing":
        return [item for item in items if not _is_morning(item)]
    if fault == "no_range":
        return [{name: item[name] for name in item if name not in _VALUES[1:]} for item in items]
    if fault == "period":
        return [item | {"period": "half an hour"} for item in items]
    change = changes.get(fault or "")
    if change is None:
        return items
    return [item | {name: change(item, name) for name in _VALUES} for item in items]


def _is_morning(item: dict[str, Any]) -> bool:
    return item["period_end"][11:16] in ("10:30", "11:00")
