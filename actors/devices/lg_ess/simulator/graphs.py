"""The statistics of a simulated LG ESS: a made-up sunny year, in the device's shapes."""

from __future__ import annotations

import calendar
import math
from datetime import datetime, timedelta
from typing import Any

_ROWS = {
    "pv": ("generation", "feed_in", "self_consum"),
    "load": ("consumption", "purchase", "self_suffi"),
    "batt": ("charge", "discharge", "soc"),
}
_SHARES = {"pv": 0.25, "load": 0.4, "batt": 0.9}
_DAILY = 8000.0
_QUARTERS = 96
_OCTOBER = 10


def graph(what: str, span: str, asked: dict[str, Any]) -> dict[str, Any] | None:
    """One answer; None for a question that the device would not understand."""
    if what not in _ROWS:
        return None
    try:
        rows = _SPANS[span](asked)
    except (KeyError, TypeError, ValueError):
        return None
    sums = [0, 0]
    first, second, share = _ROWS[what]
    loginfo = []
    for index, (time, energy) in enumerate(rows):
        pair = (round(energy), round(energy * _SHARES[what]))
        sums = [total + each for total, each in zip(sums, pair, strict=True)]
        row = {"db": str(index), "time": f"{time:%Y%m%d%H%M%S}"}
        row |= {first: str(pair[0]), second: str(pair[1])}
        if what != "batt":
            row[share] = f"{100 * (1 - _SHARES[what]):.5f}"
        elif span == "day":
            row[share] = "44.25287"
        # The month alone writes the second total with a small letter.
        big = what == "pv" and span != "month"
        row[f"total_{first}"] = str(sums[0])
        row["total_Feed_in" if big else f"total_{second}"] = str(sums[1])
        loginfo.append(row)
    times = [time for time, _ in rows]
    return {
        "m_timeFrom": f"{min(times):%Y%m%d%H%M%S}",
        "m_timeTo": f"{max(times):%Y%m%d%H%M%S}",
        "db": "success",
        "loginfo": loginfo,
    }


def _moment(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 - the device has local time only


def _day(asked: dict[str, Any]) -> list[tuple[datetime, float]]:
    start = _moment(asked["year_month_day"], "%Y%m%d")
    times = [start + timedelta(minutes=15 * index) for index in range(_QUARTERS)]
    if start.month == _OCTOBER and start.weekday() == calendar.SUNDAY and start.day > 24:
        # The clocks go back: from 02:00 to 02:45 comes twice.
        at = times.index(start.replace(hour=3))
        times = times[:at] + times[at - 4 : at] + times[at:]
    return [(time, _sun(time.hour + time.minute / 60)) for time in times]


def _sun(hour: float) -> float:
    """Wh in a quarter of an hour."""
    return max(0.0, 300.0 * math.sin(math.pi * (hour - 6) / 12))


def _week(asked: dict[str, Any]) -> list[tuple[datetime, float]]:
    day = _moment(asked["year_month_day"], "%Y%m%d")
    start = day - timedelta(days=day.weekday())
    return [(start + timedelta(days=index), _DAILY + index) for index in range(7)]


def _month(asked: dict[str, Any]) -> list[tuple[datetime, float]]:
    start = _moment(asked["year_month"], "%Y%m")
    days = calendar.monthrange(start.year, start.month)[1]
    return [(start + timedelta(days=index), _DAILY + index) for index in range(days)]


def _year(asked: dict[str, Any]) -> list[tuple[datetime, float]]:
    start = _moment(asked["year"], "%Y")
    months = [start.replace(month=month) for month in range(1, 13)]
    rows = [(time, 30 * _DAILY + time.month) for time in months]
    # As once recorded: the month in which the clocks change stands there twice, an hour apart.
    return [*rows[:9], (rows[9][0], 0.8 * rows[9][1]), *_later(rows[9:10]), *rows[10:]]


def _later(rows: list[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    return [(time + timedelta(hours=1), energy) for time, energy in rows]


_SPANS = {"day": _day, "week": _week, "month": _month, "year": _year}
