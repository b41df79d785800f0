"""An actor for a simulated platform, and documents by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from actors.tariffs.entsoe.actor import Entsoe
from actors.tariffs.entsoe.settings import Settings
from bridge.config.secret import Secret
from tests.support.tariffs import born

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from actors.tariffs.entsoe.sim import Simulator
    from bridge.clock import Clock
    from bridge.tariff import Tariff

EVENING = datetime(2026, 11, 20, 18, 7, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CODE = "10Y1001A1001A82H"


def entsoe(state: Path, **more: Any) -> Callable[[Simulator, Clock], Tariff]:
    """Makes an actor that asks a simulator."""

    def make(sim: Simulator, clock: Clock) -> Tariff:
        given = {"timezone": "Europe/Berlin", "timeout": 5, "area": sim.zone, **more}
        settings = Settings(token=Secret(sim.token), url=f"http://127.0.0.1:{sim.port}", **given)
        return born(Entsoe, settings, state, clock)

    return make


def period(
    points: Iterable[tuple[Any, Any]],
    *,
    start: datetime = NOON,
    hours: float = 1,
    resolution: str = "PT15M",
) -> str:
    """One period with (position, price) as they are written; a price of None has no element."""
    end = start + hours * HOUR
    rows = "".join(
        f"<Point><position>{place}</position>"
        + ("" if price is None else f"<price.amount>{price}</price.amount>")
        + "</Point>"
        for place, price in points
    )
    return (
        f"<Period><timeInterval><start>{start:%Y-%m-%dT%H:%MZ}</start>"
        f"<end>{end:%Y-%m-%dT%H:%MZ}</end></timeInterval>"
        f"<resolution>{resolution}</resolution>{rows}</Period>"
    )


def series(*periods: str, curve: str | None = "A01", **more: str) -> str:
    """One series; more: position, currency, unit, zone, contract (an empty text leaves one out)."""
    values = {
        "currency": "EUR",
        "unit": "MWH",
        "zone": CODE,
        "position": "",
        "contract": "",
        **more,
    }
    names = {
        "position": "classificationSequence_AttributeInstanceComponent.position",
        "currency": "currency_Unit.name",
        "unit": "price_Measure_Unit.name",
        "zone": "in_Domain.mRID",
        "contract": "contract_MarketAgreement.type",
    }
    head = "".join(
        f"<{names[name]}>{value}</{names[name]}>" for name, value in values.items() if value
    )
    kind = "" if curve is None else f"<curveType>{curve}</curveType>"
    return f"<TimeSeries>{head}{kind}{''.join(periods)}</TimeSeries>"


def document(
    *content: str, root: str = "Publication_MarketDocument", space: str = "urn:any"
) -> bytes:
    """A whole document, in a namespace of some version."""
    return f'<?xml version="1.0"?><{root} xmlns="{space}">{"".join(content)}</{root}>'.encode()
