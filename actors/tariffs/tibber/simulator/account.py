"""What a simulated Tibber knows: an account, its homes, and their prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.tibber.simulator.graphql import VALIDATION, Enum, GraphError
from bridge.curve import day_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from bridge.simulators.market import Item, Market

    Items = list[dict[str, Any]]

NAMES: Final = ("Home", "Cabin", "Workshop", "Barn")
_RESOLUTIONS: Final = ("HOURLY", "QUARTER_HOURLY")
_LEVELS: Final = (
    (0.6, "VERY_CHEAP"),
    (0.9, "CHEAP"),
    (1.15, "NORMAL"),
    (1.4, "EXPENSIVE"),
    (float("inf"), "VERY_EXPENSIVE"),
)
_VAT, _FEES = 0.19, 0.16


def home_id(number: int) -> str:
    """The id of a home, counted from 0."""
    return f"5e1f0000-0000-4000-8000-{number + 1:012}"


def items(prices: Sequence[Item], market: Market, currency: str) -> Items:
    """Prices as Tibber shows them: per kWh, from when on by the wall clock of the home."""
    values = [float(each.value or 0) for each in prices]
    mean = fmean(values) if values else 0.0
    found = []
    for each, value in zip(prices, values, strict=True):
        energy = round(value / 1000, 4)
        tax = round(energy * _VAT + _FEES, 4)
        start = each.start.astimezone(market.zone)
        level = next(word for limit, word in _LEVELS if value <= limit * mean)
        found.append(
            {
                "total": round(energy + tax, 4),
                "energy": energy,
                "tax": tax,
                "currency": currency,
                "startsAt": start.isoformat(timespec="milliseconds"),
                "level": level,
            }
        )
    return found


class Account:
    """The account as a tree of fields at one moment.

    now: gives that moment; contracts: how many of the homes have one; spoil: what a fault makes of
    the items of a day.
    """

    def __init__(
        self,
        market: Market,
        *,
        homes: int,
        contracts: int,
        currency: str,
        now: Callable[[], datetime],
        spoil: Callable[[Items, str], Items],
    ) -> None:
        self.market, self.currency = market, currency
        self.homes, self.contracts = homes, contracts
        self._now, self._spoil = now, spoil

    def root(self) -> dict[str, Any]:
        """Where a query begins."""
        homes = [self._home(number) for number in range(self.homes)]

        def home(id: str) -> dict[str, Any]:  # noqa: A002 - its name in the service
            for each in homes:
                if each["id"] == id:
                    return each
            raise GraphError("home not found", "HOME_NOT_FOUND", ["viewer", "home"])

        viewer = {
            "name": "Ada Example",
            "login": "ada@example.org",
            "userId": "5e1f",
            "accountType": ["customer"],
            "websocketSubscriptionUrl": None,
            "homes": homes,
            "home": home,
        }
        return {"viewer": viewer}

    def prices(self, day: date, resolution: str) -> Items:
        """What is published of a day, without faults."""
        if day not in self.market.days(self._now()):
            return []
        market = replace(self.market, minutes=15 if resolution == "QUARTER_HOURLY" else 60)
        return items(market.items(day), market, self.currency)

    def _home(self, number: int) -> dict[str, Any]:
        running = number < self.contracts
        address = dict.fromkeys(
            ("address1", "address2", "address3", "city", "postalCode", "country"), "Example"
        ) | {"latitude": "52.5", "longitude": "13.4"}
        contact = {"email": "ada@example.org", "mobile": None}
        owner = {"name": "Ada", "isCompany": False, "language": "en", "contactInfo": contact}
        meter = dict.fromkeys(("consumptionEan", "energyTaxType", "gridCompany", "productionEan"))
        contract = {
            "id": home_id(number),
            "status": "running",
            "validFrom": "2025-01-01T00:00:00.000+01:00",
            "validTo": None,
            "statusReason": None,
            "priceInfo": self._info,
        }
        return {
            "id": home_id(number),
            "appNickname": NAMES[number % len(NAMES)],
            "timeZone": self.market.zone.key,
            "address": address,
            "owner": owner,
            "meteringPointData": meter | {"estimatedAnnualConsumption": 4000, "vatType": None},
            "features": {"realTimeConsumptionEnabled": False},
            "subscriptions": [contract] if running else [],
            "currentSubscription": contract if running else None,
        }

    def _info(self, resolution: str = "HOURLY") -> dict[str, Any]:
        """Hours, unless quarters are asked for: a trap that the real service sets, too."""
        if resolution not in _RESOLUTIONS or type(resolution) not in {Enum, str}:
            raise GraphError(f"{resolution} is no resolution", VALIDATION)
        today = day_of(self._now(), self.market.zone)
        both = {
            name: self._spoil(self.prices(today + timedelta(days=ahead), resolution), name)
            for name, ahead in (("today", 0), ("tomorrow", 1))
        }
        stamp = self._now().astimezone(self.market.zone).isoformat(timespec="milliseconds")
        begun = [each for each in both["today"] if str(each["startsAt"]) <= stamp]
        return {"current": begun[-1] if begun else None, **both}
