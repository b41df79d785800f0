"""The statistics that the device keeps: pv, load and battery by day, week, month and year. Pure.

A day has rows of 15 minutes, a week and a month one for each day, a year one for each month. The
device marks them with its local time. In the autumn an hour happens twice: its rows come twice, and
both count. A day or month that comes twice (seen in a year with a change of the clocks, the second
one an hour later and larger) is one period told twice: the later row counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from actors.devices.lg_ess.fields import kilo, number
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from datetime import tzinfo

WHAT: Final = ("batt", "load", "pv")
SPANS: Final = ("day", "week", "month", "year")
PERCENT: Final = frozenset({"SelfConsumption", "SelfSufficiency", "BatterySoc"})
# Our name -> the device's key, in kWh but for the PERCENT.
_COLUMNS: Final = {
    "pv": {
        "PvEnergy": "generation",
        "GridExportEnergy": "feed_in",
        "SelfConsumption": "self_consum",
    },
    "load": {
        "LoadEnergy": "consumption",
        "GridImportEnergy": "purchase",
        "SelfSufficiency": "self_suffi",
    },
    "batt": {
        "BatteryChargeEnergy": "charge",
        "BatteryDischargeEnergy": "discharge",
        "BatterySoc": "soc",
    },
}
_FORMATS: Final = {"month": ("year_month", "%Y%m"), "year": ("year", "%Y")}


@dataclass(frozen=True, slots=True)
class Row:
    """time: the device's local time; at: the same in UTC; values: kWh or %, None = unknown."""

    time: datetime
    at: datetime
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Graph:
    """One answer. `columns` in order; `dropped`: how many rows told a period a second time."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    dropped: int

    def total(self, column: str) -> float | None:
        """The sum of all rows in kWh; None for percent, and when a row is unknown."""
        found = [row.values[column] for row in self.rows]
        if column in PERCENT or not found or None in found:
            return None
        return round(sum(value for value in found if value is not None), 3)


def question(span: str, day: date) -> dict[str, str]:
    """What the request for the span that `day` lies in carries beside the key."""
    name, form = _FORMATS.get(span, ("year_month_day", "%Y%m%d"))
    return {name: day.strftime(form)}


def graph(what: str, span: str, found: Any, zone: tzinfo | None = None) -> Graph:
    """Read one answer. `zone`: the device's; None: this computer's. Raises DeviceGarbled."""
    told = found.get("loginfo") if isinstance(found, dict) else None
    if not isinstance(told, list):
        raise DeviceGarbled("answers with something else than statistics")
    columns = _COLUMNS[what]
    if what == "batt" and span != "day":
        columns = {name: key for name, key in columns.items() if key != "soc"}
    read = [_row(each, columns, zone) for each in told if isinstance(each, dict)]
    rows = _days(read, zone) if span == "day" else _periods(read, span)
    rows.sort(key=lambda row: row.at)
    return Graph(tuple(columns), tuple(rows), len(read) - len(rows))


def _row(told: dict[str, Any], columns: dict[str, str], zone: tzinfo | None) -> Row:
    text = told.get("time")
    try:
        time = datetime.strptime(text, "%Y%m%d%H%M%S")  # type: ignore[arg-type]  # noqa: DTZ007 - local by nature
    except (TypeError, ValueError):
        raise DeviceGarbled("answers with statistics without a time") from None
    values = {
        name: number(told, key) if name in PERCENT else kilo(told, key)
        for name, key in columns.items()
    }
    return Row(time, _utc(time, zone), values)


def _utc(time: datetime, zone: tzinfo | None) -> datetime:
    return (time if zone is None else time.replace(tzinfo=zone)).astimezone(UTC)


def _days(rows: list[Row], zone: tzinfo | None) -> list[Row]:
    """By time; what comes twice in the hour that happens twice is that hour's second run."""
    found: dict[tuple[datetime, int], Row] = {}
    for row in rows:
        again = _utc(row.time.replace(fold=1), zone)
        second = (row.time, 0) in found and again > row.at
        found[row.time, int(second)] = Row(row.time, again if second else row.at, row.values)
    return list(found.values())


def _periods(rows: list[Row], span: str) -> list[Row]:
    """One row for each day or month: the later one where there are several."""
    found: dict[tuple[int, ...], Row] = {}
    for row in sorted(rows, key=lambda each: each.time):
        key = (row.time.year, row.time.month, 0 if span == "year" else row.time.day)
        found[key] = row
    return list(found.values())
