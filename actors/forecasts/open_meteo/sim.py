"""A simulated Open-Meteo over real HTTP: the light on tilted panels, and its faults."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import web

from bridge.forecast import Plane
from bridge.simulators.service import WAY_FAULTS, ServiceSim, Weather
from bridge.sun import Place, clear_sky_irradiance, nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.clock import Clock

KEY: Final = "heliograph-customer-0000"
SETTINGS: Final = {
    "latitude": 50.1,
    "longitude": 8.7,
    "planes": (Plane(tilt=30, azimuth=180, kwp=5),),
}
FAULTS: Final = {
    **WAY_FAULTS,
    "limit": "was asked too often (429)",
    "wrong": "cannot use the question (400)",
    "wrong_200": "says so with a status of success",
    "key": "refuses every key (401)",
    "access": "refuses access (403)",
    "unknown": "does not know the address (404)",
    "nulls": "sends null for all light",
    "some_nulls": "sends null for the light of an hour before noon",
    "night_nulls": "sends null for the light of every night",
    "strings": "sends its numbers as texts",
    "negative": "sends light below 0 where there is none",
    "missing": "leaves an hour before noon out",
    "lengths": "sends columns of different lengths",
    "fahrenheit": "sends temperatures in another unit",
    "empty": "sends no light",
}
_QUARTER: Final = 900
_MOST_TILT, _MOST_AZIMUTH = 90, 180
_LIGHT: Final = ("global_tilted_irradiance", "diffuse_radiation", "direct_radiation")
_MORNING: Final = range(10, 11)

# The same moments are asked for again and again.
_clear = lru_cache(maxsize=1 << 15)(clear_sky_irradiance)


class Simulator(ServiceSim):
    """`async with Simulator() as sim:` serves `/v1/forecast` on `sim.port`.

    days: kinds of day (clear, mixed, dull) that follow one another; key: what `apikey` must be
    where it is sent; warm: mean temperature of the air in °C.
    """

    faults: ClassVar[dict[str, str]] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        days: Iterable[str] = ("clear",),
        key: str = KEY,
        warm: float = 12.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(host, port, clock)
        self.weather, self.key, self.warm = Weather(days), key, warm

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        planes = [{"tilt": 30, "azimuth": 180, "kwp": 5}]
        return {"latitude": 50.1, "longitude": 8.7, "planes": planes}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A forecast, or why there is none."""
        refusals = {
            "limit": (429, "Hourly API request limit exceeded. Please try again in the next hour."),
            "wrong": (400, "Data corrupted at path ''."),
            "wrong_200": (200, "Data corrupted at path ''."),
            "key": (401, "The supplied API key is invalid."),
            "access": (403, "The supplied API key is invalid."),
            "unknown": (404, "Not Found"),
        }
        refusal = refusals.get(self.fault or "")
        if request.path != "/v1/forecast":
            refusal = (404, "Not Found")
        elif request.query.get("apikey", self.key) != self.key:
            refusal = (401, "The supplied API key is invalid.")
        if refusal is not None:
            status, reason = refusal
            return web.json_response({"error": True, "reason": reason}, status=status)
        try:
            return web.json_response(self._forecast(request))
        except (KeyError, ValueError) as error:
            return web.json_response({"error": True, "reason": repr(error)}, status=400)

    def _forecast(self, request: web.Request) -> dict[str, Any]:
        query = request.query
        place = Place(float(query["latitude"]), float(query["longitude"]))
        tilt, azimuth = float(query.get("tilt", 0)), float(query.get("azimuth", 0))
        if not 0 <= tilt <= _MOST_TILT or abs(azimuth) > _MOST_AZIMUTH:
            raise ValueError("tilt or azimuth out of range")
        if query.get("timeformat") != "unixtime":
            raise ValueError("this simulation knows unixtime only")
        midnight = self.clock.utc().replace(hour=0, minute=0, second=0, microsecond=0)
        first = int(midnight.timestamp()) - 86400 * int(query.get("past_days", 0))
        last = int(midnight.timestamp()) + 86400 * int(query.get("forecast_days", 7))
        times = list(range(first, last, _QUARTER))
        columns: dict[str, list[Any]] = {"time": [*times]}
        for name in query["minutely_15"].split(","):
            columns[name] = [self._value(name, place, tilt, azimuth, at) for at in times]
        spoil(self.fault, columns)
        warmth = "°F" if self.fault == "fahrenheit" else "°C"
        units = dict.fromkeys(columns, "W/m²") | {"time": "unixtime", "temperature_2m": warmth}
        found: dict[str, Any] = {
            "latitude": place.latitude,
            "longitude": place.longitude,
            "generationtime_ms": 0.2,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "timezone_abbreviation": "GMT",
            "elevation": 112.0,
            "minutely_15_units": units,
            "minutely_15": columns,
        }
        if query.get("daily") == "sunrise,sunset":
            found["daily"] = _daily(place, first, last)
        return found

    def _value(self, name: str, place: Place, tilt: float, azimuth: float, at: int) -> float | None:
        """One value of one column: means are of the 15 minutes before `at`."""
        if name == "temperature_2m":
            hours = at % 86400 / 3600
            return round(self.warm + 5 * math.cos((hours - 14) * math.pi / 12), 1)
        column, _, instant = name.partition("_instant")
        if "_instant" in name:
            column, instant = name.removesuffix("_instant"), "instant"
        if column not in _LIGHT:
            return 0.0
        share = {_LIGHT[0]: 1.0, _LIGHT[1]: 0.1, _LIGHT[2]: 0.9}[column]
        moments = (at,) if instant else (at - 750, at - 450, at - 150)
        light = sum(
            _clear(place, tilt, azimuth + 180.0, each) * self.weather.clearness(each)
            for each in moments
        ) / len(moments)
        return round(share * light, 1)


def _daily(place: Place, first: int, last: int) -> dict[str, list[int]]:
    """Sunrise and sunset of each day of UTC."""
    found: dict[str, list[int]] = {"time": [], "sunrise": [], "sunset": []}
    for midnight in range(first, last, 86400):
        start = datetime.fromtimestamp(midnight, UTC)
        end = start + timedelta(days=1)
        dark = nights(place, start, end)
        up = dark[0][1] if dark and dark[0][0] == start else start
        down = dark[-1][0] if dark and dark[-1][1] == end else end
        found["time"].append(midnight)
        found["sunrise"].append(int(up.timestamp()))
        found["sunset"].append(int(down.timestamp()))
    return found


def spoil(fault: str | None, columns: dict[str, list[Any]]) -> None:
    """Do to good columns what a fault of the data does."""
    name = _LIGHT[0]
    times, light = columns["time"], columns.get(name, [])
    changes: dict[str, Callable[[int, float], Any]] = {
        "nulls": lambda _at, _value: None,
        "some_nulls": lambda at, value: None if _is_morning(at) else value,
        "night_nulls": lambda _at, value: value or None,
        "strings": lambda _at, value: str(value),
        "negative": lambda _at, value: value or -0.4,
    }
    change = changes.get(fault or "")
    if change is not None:
        columns[name] = [change(at, value) for at, value in zip(times, light, strict=True)]
    elif fault == "missing":
        kept = [place for place, at in enumerate(times) if not _is_morning(at)]
        for key, column in columns.items():
            columns[key] = [column[place] for place in kept]
    elif fault == "lengths":
        columns[name] = light[:-1]
    elif fault == "empty":
        del columns[name]


def _is_morning(at: int) -> bool:
    return (at - 1) % 86400 // 3600 in _MORNING
