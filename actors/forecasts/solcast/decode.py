"""Solcast's forecasts of one site, read strictly. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.curve import Curve, moment, number
from bridge.errors import CurveError, DeviceGarbled
from bridge.forecast.view import Outlook

if TYPE_CHECKING:
    from datetime import datetime

    Row = tuple[datetime, datetime, float | None]

_PERIOD: Final = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,3})M)?\Z", re.ASCII)
_POWER: Final = "pv_estimate"
_RANGE: Final = ("pv_estimate10", "pv_estimate90")
_QUOTA: Final = "TooManyRequests"


def decode(body: Any) -> Outlook:
    """Mean power in W, with the range where it is told. Raises DeviceGarbled.

    Values are kW, means of the period that ends at `period_end`.
    """
    items = body.get("forecasts") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise DeviceGarbled("Solcast answers without a forecast")
    rows: dict[str, list[Row]] = {name: [] for name in (_POWER, *_RANGE)}
    for item in items:
        if not isinstance(item, dict) or _POWER not in item:
            raise DeviceGarbled("Solcast answers with a forecast that cannot be read")
        end = moment(item.get("period_end"), form="iso")
        start = end - _length(item.get("period"))
        for name, column in rows.items():
            kw = number(item.get(name))
            column.append((start, end, None if kw is None else max(0.0, kw * 1000)))
    if items and all(value is None for _, _, value in rows[_POWER]):
        raise DeviceGarbled("Solcast answers with a forecast that has no values")
    power = Curve.of(rows[_POWER], what="forecasts")
    low, high = (_range(rows[name]) for name in _RANGE)
    return Outlook(power, low, high)


def quota_is_gone(body: bytes) -> bool:
    """True for a 429 that means the calls of the day; an empty one means a busy server."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    status = found.get("response_status") if isinstance(found, dict) else None
    return isinstance(status, dict) and status.get("error_code") == _QUOTA


def _range(rows: list[Row]) -> Curve | None:
    """One border of the range; None where it is not told, or contradicts itself."""
    if all(value is None for _, _, value in rows):
        return None
    try:
        return Curve.of(rows, what="forecasts")
    except CurveError:
        return None


def _length(raw: Any) -> timedelta:
    match = _PERIOD.match(raw) if isinstance(raw, str) else None
    hours, minutes = (int(each or 0) for each in match.groups()) if match else (0, 0)
    found = timedelta(hours=hours, minutes=minutes)
    if not found:
        raise DeviceGarbled("Solcast answers with a period that cannot be read")
    return found
