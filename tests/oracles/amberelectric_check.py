"""Asks a simulated Amber through `amberelectric`; prints what it saw as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: amberelectric_check.py URL TOKEN
"""

# mypy: ignore-errors
# amberelectric is in that other environment only.

from __future__ import annotations

import json
import sys
from datetime import date

import amberelectric
from amberelectric.exceptions import ApiException, UnauthorizedException
from amberelectric.models import ActualRenewable, CurrentRenewable, ForecastRenewable

CLASSES = {each.__name__: each for each in (ActualRenewable, CurrentRenewable, ForecastRenewable)}


def shown(wrapped: object) -> dict[str, object]:
    """One interval as that library understands it."""
    item = wrapped.actual_instance
    return {
        "class": type(item).__name__,
        "channel": item.channel_type.value,
        "price": item.per_kwh,
        "spot": item.spot_per_kwh,
        "start": item.start_time.isoformat(),
        "end": item.end_time.isoformat(),
        "nem": item.nem_time.isoformat(),
        "spike": item.spike_status.value,
        "descriptor": item.descriptor.value,
        "minutes": item.duration,
    }


def main() -> None:
    url, token = sys.argv[1:]
    seen: dict[str, object] = {}
    configuration = amberelectric.Configuration(host=url, access_token=token)
    with amberelectric.ApiClient(configuration) as client:
        api = amberelectric.AmberApi(client)
        sites = api.get_sites()
        seen["sites"] = [[site.id, site.status.value, site.interval_length] for site in sites]
        (site,) = [site for site in sites if site.status.value == "active"]
        current = api.get_current_prices_with_http_info(site.id, next=3, previous=1)
        seen["current"] = [shown(each) for each in current.data]
        seen["limits"] = {
            name: value
            for name, value in current.headers.items()
            if name.lower().startswith("ratelimit")
        }
        forecasts = [each.actual_instance for each in current.data]
        seen["predicted"] = [
            each.advanced_price.predicted
            for each in forecasts
            if getattr(each, "advanced_price", None) is not None
        ]
        day = date(2026, 11, 2)
        prices = api.get_prices(site.id, start_date=day, end_date=day)
        seen["prices"] = len(prices)
        usage = api.get_usage(site.id, start_date=day, end_date=day)
        seen["usage"] = [[each.kwh, each.cost, each.quality] for each in usage]
        # Its own reader takes each of these for any of the three classes, and gives up.
        raw = api.get_current_renewables_with_http_info(
            "vic", next=1, previous=1, _preload_content=False
        )
        read = [CLASSES[each["type"]].from_dict(each) for each in json.loads(raw.raw_data)]
        seen["renewables"] = [[each.type, each.renewables, each.descriptor.value] for each in read]
    wrong = amberelectric.Configuration(host=url, access_token="psk_wrong")
    with amberelectric.ApiClient(wrong) as client:
        try:
            amberelectric.AmberApi(client).get_sites()
        except UnauthorizedException as error:
            seen["wrong"] = error.status
        except ApiException as error:
            seen["wrong"] = f"other: {error.status}"
    print(json.dumps(seen))


main()
