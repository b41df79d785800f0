"""Recorded values of a house, as a CSV holds them: by time and name.

Three forms are understood, in files of any length and step:

- a column for each value: a time (`utc`, `time`, `_time`, `Time`, `local` …), then `pv_w`, `load_w`
  or the quantities' names (`PvPower`, `Site.PvPower`, `heliograph.Site.PvPower` …);
- a line for each value with the columns `_time`, `_field`, `_value`, as InfluxDB exports;
- lines `path,time,value` without a head, as Graphite's `format=csv` gives.
"""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo
    from pathlib import Path

_TIMES: Final = ("utc", "utc_interval_start", "_time", "time", "timestamp", "date", "local")
# What a column may be called -> what it is here.
_NAMES: Final = {
    "pv_w": "pv", "pvpower": "pv", "load_w": "load", "loadpower": "load", "grid_w": "grid",
    "gridpower": "grid", "battery_w": "battery", "batterypower": "battery", "soc_percent": "soc",
    "batterysoc": "soc", "controlledpower": "controlled", "controlled_w": "controlled",
    "import_price": "import", "importprice": "import", "export_price": "export",
    "exportprice": "export",
}  # fmt: skip
# A unit's size by the length of the number that counts from 1970: s, ms, us, ns.
_UNITS: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
_FOREIGN: Final = {"devices", "requests", "forecasts"}
_GRAPHITE_FIELDS: Final = 3

Values = dict[str, float]


def read_history(paths: Iterable[Path], zone: tzinfo) -> dict[float, Values]:
    """Values by time (s since 1970), in its order; `zone` is that of times without an offset."""
    found: dict[float, Values] = {}
    for path in paths:
        try:
            with path.open(newline="", encoding="utf-8-sig") as text:
                lines = [line for line in text if line.strip() and not line.startswith("#")]
        except OSError as error:
            raise ScenarioError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ScenarioError(f"{path} cannot be read: {error}") from error
        for at, name, value in _values(path, lines, zone):
            found.setdefault(at, {})[name] = value
    return dict(sorted(found.items()))


def csv_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and of a folder every CSV in it. Raises ScenarioError when empty."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not found:
        raise ScenarioError("there is no CSV with days to play")
    return found


def _values(path: Path, lines: list[str], zone: tzinfo) -> Iterator[tuple[float, str, float]]:
    rows = csv.reader(lines)
    head = [name.strip() for name in next(rows, [])]
    low = [name.lower() for name in head]
    places = [low.index(name) for name in _TIMES if name in low]
    if places and low[places[0]].startswith("utc"):
        zone = UTC
    if not places:
        if len(head) == _GRAPHITE_FIELDS and _number(head[2]) is not None:
            yield from _by_line(path, csv.reader(lines), (1, 0, 2), zone)
            return
        raise ScenarioError(f"{path} has no column with the time: {', '.join(_TIMES)}")
    if "_field" in low and "_value" in low:
        group = low.index("_measurement") if "_measurement" in low else None
        kept = [row for row in rows if group is None or not _foreign(row[group : group + 1])]
        columns = (places[0], low.index("_field"), low.index("_value"))
        yield from _by_line(path, kept, columns, zone)
        return
    names = {index: name for index, text in enumerate(head) if (name := _name(text))}
    if not names:
        raise ScenarioError(f"{path} has none of the columns pv_w, load_w, PvPower, LoadPower …")
    for number, row in enumerate(rows, start=2):
        at = _time(path, number, row, places[0], zone)
        for index, name in names.items():
            value = _number(row[index]) if index < len(row) else None
            if value is not None:
                yield at, name, value


def _by_line(
    path: Path, rows: Iterable[list[str]], places: tuple[int, int, int], zone: tzinfo
) -> Iterator[tuple[float, str, float]]:
    when, what, how_much = places
    for number, row in enumerate(rows, start=1):
        if len(row) <= max(places) or row[how_much] == "_value":
            continue  # Influx repeats its head before each table
        name, value = _name(row[what]), _number(row[how_much])
        if name is not None and value is not None:
            yield _time(path, number, row, when, zone), name, value


def _name(text: str) -> str | None:
    """What a column is, by the last part of its name and without a unit behind it."""
    parts = text.strip().replace("/", ".").split(".")
    if _foreign(parts):
        return None
    return _NAMES.get(parts[-1].split(" ")[0].split("(")[0].lower())


def _foreign(parts: Iterable[str]) -> bool:
    """True for what one device, consumer or forecast says: a day is made of the site's figures."""
    return any(part.lower() in _FOREIGN for part in parts)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _time(path: Path, number: int, row: list[str], place: int, zone: tzinfo) -> float:
    text = row[place].strip() if place < len(row) else ""
    count = _number(text)
    if count is not None:
        return count / next((size for least, size in _UNITS if abs(count) >= least), 1.0)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError) as error:
        raise ScenarioError(f"{path}:{number}: {text!r} is no time") from error


def shown(at: float, zone: tzinfo) -> str:
    """Hour and minute, for people."""
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%H:%M")
