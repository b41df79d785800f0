"""How each simulated service writes its answer, and which parameters it insists on."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bridge.curve.days import day_of, local_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.tariffs.http_tariff.sim import Simulator

_SEK: Final = 11.05
_DKK: Final = 7.46
_VAT: Final = 1.05
_LICENCE: Final = "CC BY 4.0 (creativecommons.org/licenses/by/4.0) from a simulated market"
_NO_SECONDS: Final = {"second_holes", "hourly_then_quarter", "currency"}
UNFIT: Final[dict[str, set[str]]] = {
    "awattar_de": set(),
    "awattar_at": set(),
    "energy_charts": set(),
    "octopus": {"currency"},
    "nordpool": set(),
    "elering": {"currency"},
    "omie": _NO_SECONDS,
    "energinet": {"currency"},
}
"""Faults that a form cannot express."""


def awattar(sim: Simulator, request: web.Request) -> web.Response:
    """Hours in milliseconds, with their ends."""
    _path(request, "/v1/marketdata")
    start = _ms(request.query.get("start")) or sim.now().replace(minute=0, second=0, microsecond=0)
    end = _ms(request.query.get("end")) or start + timedelta(days=1)
    unit = "Chf/MWh" if sim.fault == "currency" else "Eur/MWh"
    rows = [
        {
            "start_timestamp": int(each.start.timestamp() * 1000),
            "end_timestamp": int(each.end.timestamp() * 1000),
            "marketprice": each.value,
            "unit": unit,
        }
        for each in sim.items(start, end)
    ]
    country = sim.template.removeprefix("awattar_")
    return web.json_response({"object": "list", "data": rows, "url": f"/{country}/v1/marketdata"})


def energy_charts(sim: Simulator, request: web.Request) -> web.Response:
    """Two parallel lists."""
    _path(request, "/price")
    zone = sim.market.zone
    first, last = (date.fromisoformat(request.query[name]) for name in ("start", "end"))
    items = sim.items(local_day(first, zone)[0], local_day(last, zone)[1])
    if not request.query["bzn"]:
        raise ValueError
    currency = "CHF" if sim.fault == "currency" else "EUR"
    return web.json_response(
        {
            "license_info": _LICENCE,
            "unix_seconds": [int(each.start.timestamp()) for each in items],
            "price": [each.value for each in items],
            "unit": f"{currency} / MWh",
            "deprecated": False,
        }
    )


def octopus(sim: Simulator, request: web.Request) -> web.Response:
    """Pages, newest first, of one product and region."""
    parts = request.path.strip("/").split("/")
    if parts[:2] != ["v1", "products"] or parts[3] != "electricity-tariffs":
        raise web.HTTPNotFound
    product = parts[2]
    if not parts[4].startswith(f"E-1R-{product}-") or parts[5] != "standard-unit-rates":
        raise web.HTTPNotFound
    start, end = (datetime.fromisoformat(request.query[n]) for n in ("period_from", "period_to"))
    size = min(int(request.query.get("page_size", "100")), sim.page)
    number = int(request.query.get("page", "1"))
    # Rates reach until 23:00 local: what begins later comes with the next day's.
    last = local_day(sim.market.days(sim.now(), sim.fault)[-1], sim.market.zone)[1]
    found = sim.items(start, min(end, last - timedelta(hours=1)))
    items = found if sim.fault == "shuffled" else found[::-1]
    share = 0.6 if "OUTGOING" in product else 1.0
    begin = (number - 1) * size
    url = request.url
    more = begin + size < len(items) or sim.fault == "pages"
    following = str(url.update_query(page=str(number if sim.fault == "pages" else number + 1)))
    if sim.fault == "elsewhere":
        following = "https://rates.example.org/next"
        more = True
    rows = [
        {
            "value_exc_vat": _scaled(each.value, 0.1 * share),
            "value_inc_vat": _scaled(each.value, 0.1 * share * _VAT),
            "valid_from": _stamp(each.start),
            "valid_to": _stamp(each.end),
            "payment_method": None,
        }
        for each in items[begin : begin + size]
    ]
    return web.json_response(
        {
            "count": len(items),
            "next": following if more else None,
            "previous": None,
            "results": rows,
        }
    )


def nordpool(sim: Simulator, request: web.Request) -> web.Response:
    """One market day; 204 when it is not there."""
    _path(request, "/api/DayAheadPrices")
    query = request.query
    if query["market"] != "DayAhead":
        raise ValueError
    day, areas = date.fromisoformat(query["date"]), query["deliveryArea"].split(",")
    if day not in sim.market.days(sim.now(), sim.fault):
        return web.Response(status=204)
    rate = _SEK if query["currency"] == "SEK" else 1.0
    tomorrow = day > day_of(sim.now(), sim.market.zone)
    state = "Preliminary" if sim.fault == "preliminary" and tomorrow else "Final"
    entries = [
        {
            "deliveryStart": _stamp(each.start),
            "deliveryEnd": _stamp(each.end),
            "entryPerArea": {area: _scaled(each.value, rate) for area in areas},
        }
        for each in sim.market.items(day, sim.fault)
    ]
    return web.json_response(
        {
            "deliveryDateCET": day.isoformat(),
            "version": 3,
            "updatedAt": _stamp(sim.now()),
            "deliveryAreas": areas,
            "market": "DayAhead",
            "multiAreaEntries": entries,
            "blockPriceAggregates": [],
            "currency": "NOK" if sim.fault == "currency" else query["currency"],
            "exchangeRate": rate,
            # Another area's state comes first: it says nothing of this one.
            "areaStates": [
                {"state": "Final", "areas": ["XX"]},
                {"state": state, "areas": areas},
            ],
            "areaAverages": [{"areaCode": area, "price": 80.0} for area in areas],
        }
    )


def elering(sim: Simulator, request: web.Request) -> web.Response:
    """Seconds without ends, for all zones."""
    _path(request, "/api/nps/price")
    start, end = (datetime.fromisoformat(request.query[name]) for name in ("start", "end"))
    rows = [
        {"timestamp": int(each.start.timestamp()), "price": each.value}
        for each in sim.items(start, end)
    ]
    return web.json_response(
        {"success": True, "data": dict.fromkeys(("ee", "fi", "lv", "lt"), rows)}
    )


def omie(sim: Simulator, request: web.Request) -> web.Response:
    """Lines of text with all days that there are."""
    _path(request, "/sites/default/files/dados/NUEVA_SECCION/INT_PBC_EV_H_ACUM.TXT")
    lines = ["OMIE - Mercado de electricidad;;;", ";;;", "Fecha;Periodo;ES;PT;"]
    for day in sim.market.days(sim.now(), sim.fault):
        begin = local_day(day, sim.market.zone)[0]
        for each in sim.market.items(day, sim.fault):
            period = (each.start - begin) // timedelta(minutes=15) + 1
            cells = [
                "" if value is None else str(value).replace(".", ",")
                for value in (each.value, _scaled(each.value, 1.01))
            ]
            lines.append(f"{day:%d/%m/%Y};{period};{';'.join(cells)};")
    return web.Response(text="\r\n".join([*lines, "*", ""]), content_type="text/plain")


def energinet(sim: Simulator, request: web.Request) -> web.Response:
    """Times in UTC that do not say so."""
    _path(request, "/dataset/DayAheadPrices")
    start = datetime.fromisoformat(request.query["start"]).replace(tzinfo=sim.market.zone)
    (area,) = json.loads(request.query["filter"])["PriceArea"]
    items = sim.items(start.astimezone(UTC), start.astimezone(UTC) + timedelta(days=9))
    rows = [
        {
            "TimeUTC": f"{each.start:%Y-%m-%dT%H:%M:%S}",
            "TimeDK": f"{each.start.astimezone(sim.market.zone):%Y-%m-%dT%H:%M:%S}",
            "PriceArea": area,
            "DayAheadPriceEUR": each.value,
            "DayAheadPriceDKK": _scaled(each.value, _DKK),
        }
        for each in items
    ]
    return web.json_response({"total": len(rows), "dataset": "DayAheadPrices", "records": rows})


FORMS: Final[dict[str, Callable[[Simulator, web.Request], web.Response]]] = {
    "awattar_de": awattar,
    "awattar_at": awattar,
    "energy_charts": energy_charts,
    "octopus": octopus,
    "nordpool": nordpool,
    "elering": elering,
    "omie": omie,
    "energinet": energinet,
}


def _path(request: web.Request, wanted: str) -> None:
    if request.path != wanted:
        raise web.HTTPNotFound


def _scaled(value: Any, factor: float) -> Any:
    if value is None:
        return None
    found = round(float(value) * factor, 4)
    return str(found) if isinstance(value, str) else found


def _ms(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromtimestamp(int(text) / 1000, UTC)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
