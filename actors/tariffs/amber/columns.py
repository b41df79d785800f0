"""What the commands print of Amber's answers: columns and rows. Pure.

Prices are AUD/kWh incl. GST; what is fed in has them with our sign, + is earned. Energy has + for
what came from the grid, and costs are AUD, - is earned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.amber.curves import CENTS
from actors.tariffs.amber.facts import snake
from actors.tariffs.amber.interval import FEED_IN
from bridge.cli.rows import Column

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from actors.tariffs.amber.interval import Interval
    from actors.tariffs.amber.limits import RateLimits
    from actors.tariffs.amber.site import Site

_PRICE: Final = "AUD/kWh"


def _hidden(*keys: str, unit: str = "") -> tuple[Column, ...]:
    return tuple(Column(key, unit=unit, table=False) for key in keys)


_TIME: Final = (
    Column("kind"),
    Column("start", title="from"),
    Column("end", title="to"),
    *_hidden("date"),
    *_hidden("minutes", unit="min"),
)
_WORTH: Final = (
    Column("price", unit=_PRICE, digits=4),
    Column("spot", unit=_PRICE, digits=4),
    Column("renewables", unit="%", digits=1),
    Column("spike"),
    Column("descriptor"),
)
_TERMS: Final = _hidden("period", "season", "block", "demand_window")
PRICES: Final = (
    Column("channel"),
    *_TIME,
    *_WORTH,
    Column("estimate", table=False),
    *_TERMS,
    *_hidden("range_min", "range_max", "low", "predicted", "high", unit=_PRICE),
)
USAGE: Final = (
    Column("channel"),
    *_TIME,
    Column("meter"),
    Column("energy", unit="kWh", digits=3),
    Column("cost", unit="AUD", digits=4),
    Column("quality"),
    *_WORTH,
    *_TERMS,
)
RENEWABLES: Final = (*_TIME, Column("renewables", unit="%", digits=1), Column("descriptor"))
SITES: Final = (
    Column("id"),
    Column("nmi", title="NMI"),
    Column("status"),
    Column("network"),
    Column("channels"),
    Column("active_from", title="from"),
    Column("closed_on", title="to", unknown=""),
    Column("minutes", unit="min"),
)
LIMITS: Final = (
    Column("limit", digits=0),
    Column("remaining", digits=0),
    Column("reset", unit="s", digits=0),
    Column("policy"),
    Column("window", unit="s", digits=0),
    Column("refreshed"),
    Column("estimated_reset", title="estimated reset"),
)


def interval_rows(intervals: Iterable[Interval], zone: tzinfo | None) -> list[dict[str, Any]]:
    """One row for each interval, its times in `zone` (None: this computer's)."""
    return [_interval_row(each, zone) for each in intervals]


def _interval_row(each: Interval, zone: tzinfo | None) -> dict[str, Any]:
    sign = -1 if each.channel == FEED_IN else 1
    band = each.band
    low, high = (None, None) if band is None else (band.low, band.high)
    if sign < 0:
        low, high = high, low
    return {
        "channel": snake(each.channel),
        "kind": each.kind or None,
        "start": each.start.astimezone(zone),
        "end": each.end.astimezone(zone),
        "date": each.day,
        "minutes": each.minutes,
        "price": dollars(each.price, sign),
        "spot": dollars(each.spot),
        "renewables": each.renewables,
        "spike": each.spike,
        "descriptor": each.descriptor,
        "estimate": each.estimate,
        "period": each.period,
        "season": each.season,
        "block": each.block,
        "demand_window": each.demand_window,
        "range_min": dollars(each.lowest),
        "range_max": dollars(each.highest),
        "low": dollars(low, sign),
        "predicted": dollars(None if band is None else band.predicted, sign),
        "high": dollars(high, sign),
        "meter": each.meter,
        "energy": each.kwh,
        "cost": dollars(each.cost),
        "quality": each.quality,
    }


def site_rows(sites: Iterable[Site]) -> list[dict[str, Any]]:
    """One row for each site."""
    return [
        {
            "id": each.id,
            "nmi": each.nmi,
            "status": each.status,
            "network": each.network,
            "channels": [
                f"{one.identifier}:{snake(one.type)}:{one.tariff}" for one in each.channels
            ],
            "active_from": each.active_from,
            "closed_on": each.closed_on,
            "minutes": each.length,
        }
        for each in sites
    ]


def limit_rows(limits: RateLimits | None, zone: tzinfo | None) -> list[dict[str, Any]]:
    """One row, or none before anything is known."""
    if limits is None:
        return []
    reset = limits.estimated_reset
    return [
        {
            "limit": limits.limit,
            "remaining": limits.remaining,
            "reset": limits.reset,
            "policy": limits.policy,
            "window": limits.window,
            "refreshed": limits.refreshed.astimezone(zone),
            "estimated_reset": None if reset is None else reset.astimezone(zone),
        }
    ]


def total_of(intervals: Iterable[Interval]) -> dict[str, float | None]:
    """Energy and cost of all rows; None when a row does not know."""
    found = list(intervals)
    return {
        "energy": _sum([each.kwh for each in found]),
        "cost": dollars(_sum([each.cost for each in found])),
    }


def dollars(value: float | None, sign: int = 1) -> float | None:
    """Cents as dollars; a price of nothing has no sign."""
    return None if value is None else 0.0 + sign * round(value / CENTS, 7)


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 6) if known and len(known) == len(values) else None
