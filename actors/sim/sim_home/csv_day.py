"""Recorded days from a CSV file with the columns `utc`, `pv_w` and `load_w`."""

from __future__ import annotations

import csv
import math
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from actors.sim.sim_home.day import Sample
from bridge.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

_COLUMNS = ("utc", "pv_w", "load_w")
_MOST_ROWS = 1_100_000  # two years of minutes
_MOST_WATTS = 1_000_000.0
_NOISE = -100.0  # a real inverter or meter at rest wanders this far below 0
_MOST_PROBLEMS = 10


class CsvDays:
    """A `Source` that replays a file: linear between rows, from the first row on again at the end.

    An empty cell is a gap, over which the last value is held; so are rows that are missing.
    """

    def __init__(self, rows: Rows, *, loop: bool = True) -> None:
        self._times, self._pv, self._load = rows.times, rows.pv, rows.load
        steps = sorted(b - a for a, b in zip(rows.times, rows.times[1:], strict=False))
        self._step = steps[len(steps) // 2]
        self.begin = rows.times[0]
        self.length = rows.times[-1] + self._step - self.begin
        self.end = math.inf if loop else self.begin + self.length

    def sample(self, at: float) -> Sample:
        """PV and load at the UTC second `at`; past the end the file begins again."""
        at = self.begin + (at - self.begin) % self.length
        index = max(0, bisect_right(self._times, at) - 1)
        if index + 1 == len(self._times):
            return Sample(self._pv[index], self._load[index])
        # Where rows are missing, the way to the next value is as short as everywhere else.
        step = min(self._times[index + 1] - self._times[index], self._step)
        part = max(0.0, 1.0 - (self._times[index + 1] - at) / step)
        return Sample(_between(self._pv, index, part), _between(self._load, index, part))


def _between(values: array[float], index: int, part: float) -> float:
    return values[index] + (values[index + 1] - values[index]) * part


@dataclass(slots=True)
class Rows:
    """The columns of a file: UTC seconds of the Unix epoch, and W without gaps."""

    times: array[float] = field(default_factory=lambda: array("d"))
    pv: array[float] = field(default_factory=lambda: array("d"))
    load: array[float] = field(default_factory=lambda: array("d"))


class _Notes:
    """What is wrong in a file, with its line; too much of it ends the reading."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self.line = 1
        self._path = path

    def wrong(self, sentence: str) -> None:
        """Note a fault of the line that is being read."""
        self.problems.append(Problem(str(self._path), self.line, sentence))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise ConfigError(self.problems)


def read_csv(path: Path) -> Rows:
    """Read a file of days. Raises ConfigError naming file, line and what is wrong in each."""
    notes, rows = _Notes(path), Rows()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            _read(file, rows, notes)
    except OSError as error:
        notes.wrong(f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError:
        notes.wrong("is not text in UTF-8")
    except csv.Error as error:
        notes.wrong(f"is not a CSV file: {error}")
    except ValueError as error:
        notes.wrong(str(error))
    if not notes.problems:
        for sentence in _fill(rows):
            notes.wrong(sentence)
    if notes.problems:
        raise ConfigError(notes.problems)
    return rows


def _read(file: TextIO, rows: Rows, notes: _Notes) -> None:
    reader = csv.reader(file, strict=True)
    places = _places(next(reader, []))
    for cells in reader:
        notes.line = reader.line_num
        if not cells:
            continue
        if len(rows.times) >= _MOST_ROWS:
            raise ValueError(f"the file has more than {_MOST_ROWS} rows")
        try:
            _take(rows, *(_cell(cells, place) for place in places))
        except ValueError as error:
            notes.wrong(str(error))


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _places(header: Sequence[str]) -> tuple[int, int, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        raise ValueError(
            f"the first line must name the columns utc, pv_w and load_w, but {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing"
        )
    utc, pv, load = (names.index(name) for name in _COLUMNS)
    return utc, pv, load


def _take(rows: Rows, time: str, pv: str, load: str) -> None:
    """Add one row; ValueError with a sentence when a cell is wrong."""
    at = _time(time)
    if rows.times and at <= rows.times[-1]:
        raise ValueError(f"the time {time} is not later than the one of the row before")
    made, used = _watts("pv_w", pv), _watts("load_w", load)
    rows.times.append(at)
    rows.pv.append(made)
    rows.load.append(used)


def _time(text: str) -> float:
    if not text:
        raise ValueError("the time is missing")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a time such as 2023-01-07T23:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"the time {text} does not say its zone; write it as {text}Z for UTC")
    return moment.timestamp()


def _watts(column: str, text: str) -> float:
    """The power in a cell, or NaN for an empty one."""
    if not text:
        return math.nan
    try:
        watts = float(text)
    except ValueError:
        watts = math.nan
    if not math.isfinite(watts):
        raise ValueError(f"'{text[:40]}' in {column} is not a number of watts")
    if not _NOISE <= watts <= _MOST_WATTS:
        raise ValueError(f"{column} is {watts:g} W, but must be from 0 to {_MOST_WATTS:g}")
    return max(0.0, watts)


def _fill(rows: Rows) -> Iterator[str]:
    """Hold the last value over gaps (the first one backwards); sentences for what cannot be."""
    if len(rows.times) < 2:
        yield "the file needs at least two rows with a time"
        return
    for name, values in (("pv_w", rows.pv), ("load_w", rows.load)):
        held = next((value for value in values if not math.isnan(value)), None)
        if held is None:
            yield f"the column {name} is empty"
            continue
        for index, value in enumerate(values):
            if math.isnan(value):
                values[index] = held
            else:
                held = value
