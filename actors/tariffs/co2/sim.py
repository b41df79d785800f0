"""The sources of carbon intensity, simulated over real HTTP in each one's own form."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bridge.curve.days import day_of, local_day, zone_of
from bridge.simulators.market import DATA_FAULTS, Item, Market, spoiled
from bridge.simulators.web import WEB_FAULTS, WebService

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.clock import Clock

TOKEN: Final = "0000heliograph0000"  # noqa: S105 - of the simulator
SOURCES: Final = {
    "energy_charts": ("Europe/Berlin", 15),
    "electricity_maps": ("UTC", 60),
    "uk": ("Europe/London", 30),
    "energinet": ("Europe/Copenhagen", 5),
}
_OWN: Final = {
    "login": ("electricity_maps", "refuses every token"),
    "no_data": ("electricity_maps", "knows nothing of the zone now"),
    "unpaid": ("electricity_maps", "gives no forecast to this token"),
    "share": ("energy_charts", "fails to tell the share of renewables"),
}
_NOT_HERE: Final = {"hourly_then_quarter", "currency"}
FAULTS: Final = {
    **WEB_FAULTS,
    **{name: text for name, text in DATA_FAULTS.items() if name not in _NOT_HERE},
    **{name: text for name, (_, text) in _OWN.items()},
}
_REGION: Final = re.compile(r"/regional/intensity/([^/]+)/fw48h/(postcode|regionid)/([A-Z0-9]+)\Z")
_NATION: Final = re.compile(r"/intensity/([^/]+)/fw48h\Z")
_INDEX: Final = ((60, "very low"), (140, "low"), (220, "moderate"), (320, "high"))


class Simulator(WebService):
    """`async with Simulator(source="uk") as sim:` serves that source on `sim.port`.

    source: which one; token: the one that Electricity Maps takes; measured: h until a value counts
    as measured rather than forecast.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        source: str = "energy_charts",
        token: str = TOKEN,
        measured: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        if source not in SOURCES:
            raise ValueError(f"source is one of {', '.join(SOURCES)}")
        super().__init__(host, port, clock=clock)
        self.source, self.token, self.measured = source, token, timedelta(hours=measured)
        zone, minutes = SOURCES[source]
        self.market = Market(zone_of(zone), minutes)
        unfit = {"gap", "overlap", "duplicates", "shuffled", "second_holes"}
        self.faults = {
            name: text
            for name, text in FAULTS.items()
            if _OWN.get(name, (source,))[0] == source
            and not (source == "electricity_maps" and name in unfit)
            and not (source == "uk" and name == "second_holes")
        }

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        more = {"zone": "DE", "token": self.token} if self.source == "electricity_maps" else {}
        return {"source": self.source, **more}

    def intensity(self, moment: datetime) -> float:
        """gCO2eq/kWh at a moment: low when the sun shines."""
        return round(2 * self.market.price(moment) + 40, 1)

    def items(self, start: datetime, end: datetime) -> list[Item]:
        """Slots from `start` until before `end`, as a fault leaves them."""
        step = timedelta(minutes=self.market.minutes)
        found: list[Item] = []
        while start < end and self.fault != "empty":
            found.append(Item(start, start + step, self.intensity(start)))
            start += step
        return spoiled(found, self.fault) if found else []

    def today(self) -> tuple[datetime, datetime]:
        """The local day of the source."""
        now = self.clock.utc()
        return local_day(day_of(now, self.market.zone), self.market.zone)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The source's own form."""
        forms: dict[str, Callable[[Simulator, web.Request], web.Response]] = {
            "energy_charts": _energy_charts,
            "electricity_maps": _electricity_maps,
            "uk": _uk,
            "energinet": _energinet,
        }
        try:
            return forms[self.source](self, request)
        except (LookupError, ValueError):
            return web.json_response({"error": {"code": "400 Bad Request"}}, status=400)


def _energy_charts(sim: Simulator, request: web.Request) -> web.Response:
    if not request.query["country"]:
        raise ValueError
    items = sim.items(*sim.today())
    times = [int(each.start.timestamp()) for each in items]
    if request.path == "/signal":
        if sim.fault == "share":
            return web.Response(status=500)
        share = [_map(each, lambda value: 100 - value / 5) for each in items]
        return web.json_response(
            {
                "unix_seconds": times,
                "share": share,
                "signal": [1] * len(items),
                "substitute": False,
                "deprecated": False,
            }
        )
    if request.path != "/co2eq":
        raise web.HTTPNotFound
    then = sim.clock.utc() - sim.measured
    known = [each.start < then for each in items]
    return web.json_response(
        {
            "unix_seconds": times,
            "co2eq": [e.value if k else None for e, k in zip(items, known, strict=True)],
            # The forecast of what was measured since is off: the measured value counts.
            "co2eq_forecast": [
                _map(e, lambda value: value + 25) if k else e.value
                for e, k in zip(items, known, strict=True)
            ],
            "deprecated": False,
        }
    )


def _electricity_maps(sim: Simulator, request: web.Request) -> web.Response:
    if sim.fault == "login" or request.headers.get("auth-token") != sim.token:
        return web.json_response({"message": "Invalid auth-token"}, status=401)
    zone = request.query["zone"]
    hour = sim.clock.utc().replace(minute=0, second=0, microsecond=0)
    if request.path == "/v3/carbon-intensity/forecast":
        if sim.fault == "unpaid":
            return web.json_response({"message": "Not part of your plan"}, status=403)
        items = sim.items(hour, hour + timedelta(hours=48))
        rows = [{"carbonIntensity": e.value, "datetime": _milli(e.start)} for e in items]
        return web.json_response({"zone": zone, "forecast": rows, "updatedAt": _milli(hour)})
    if request.path != "/v3/home-assistant":
        raise web.HTTPNotFound
    unit = {"carbonIntensity": "gCO2eq/kWh"}
    items = sim.items(hour, hour + timedelta(hours=1))
    value = items[0].value if items else None
    if sim.fault == "nulls":
        value = None
    if sim.fault in ("no_data", "empty"):
        return web.json_response(
            {"status": "no-data", "countryCode": zone, "data": {}, "units": unit}
        )
    data = {"datetime": _milli(hour), "carbonIntensity": value, "fossilFuelPercentage": 45.1}
    return web.json_response({"status": "ok", "countryCode": zone, "data": data, "units": unit})


def _uk(sim: Simulator, request: web.Request) -> web.Response:
    nation, region = _NATION.match(request.path), _REGION.match(request.path)
    match = nation or region
    if match is None:
        raise web.HTTPNotFound
    start = datetime.strptime(match[1], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    rows = []
    for each in sim.items(start, start + timedelta(hours=48)):
        value = each.value
        shown: dict[str, Any] = {"forecast": value, "index": _index(value)}
        if nation:
            over = each.start <= sim.clock.utc()
            # The forecast of what was measured since is off: the measured value counts.
            shown["forecast"] = _map(each, lambda value: value + 25) if over else value
            shown["actual"] = value if over else None
        rows.append({"from": _minute(each.start), "to": _minute(each.end), "intensity": shown})
    if region is None:
        return web.json_response({"data": rows})
    known = {"regionid": 13, "dnoregion": "UKPN London", "shortname": "London"}
    if region[2] == "postcode":
        known["postcode"] = region[3]
    return web.json_response({"data": {**known, "data": rows}})


def _energinet(sim: Simulator, request: web.Request) -> web.Response:
    if request.path != "/dataset/CO2EmisProg":
        raise web.HTTPNotFound
    start = datetime.fromisoformat(request.query["start"]).replace(tzinfo=sim.market.zone)
    (area,) = json.loads(request.query["filter"])["PriceArea"]
    begin = start.astimezone(UTC)
    rows = [
        {
            "Minutes5UTC": f"{each.start:%Y-%m-%dT%H:%M:%S}",
            "PriceArea": area,
            "CO2Emission": each.value,
        }
        for each in sim.items(begin, begin + timedelta(hours=36))
    ]
    return web.json_response({"total": len(rows), "dataset": "CO2EmisProg", "records": rows})


def _map(item: Item, change: Callable[[float], float]) -> Any:
    if item.value is None:
        return None
    found = round(change(float(item.value)), 1)
    return str(found) if isinstance(item.value, str) else found


def _index(value: Any) -> str:
    return next((name for most, name in _INDEX if float(value or 0) < most), "very high")


def _milli(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"
