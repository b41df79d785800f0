"""From a document of a service (JSON, or lines of text) to a curve: described, not programmed.

A `Reading` says by JMESPath where things are; a `Reader` is one that has been checked. Two shapes:
rows (`rows` leads to a list, the other paths start at each of its items) and columns (without
`rows`, the paths lead to lists of equal length). Lines of text become rows of cells `[0]`, `[1]`.
Pure.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from msgspec import Meta

from bridge.curve.days import zone_of
from bridge.curve.periods import starts_of_periods
from bridge.curve.read import moments, number
from bridge.curve.slots import Curve
from bridge.curve.units import Unit, read_unit
from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

Path = Annotated[str, Meta(min_length=1, max_length=400)]
_PATHS: Final = ("rows", "start", "end", "value", "otherwise", "period", "where", "ready")
_WHOLE_PATHS: Final = ("unit_from", "currency_from", "licence", "next")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_SHOWN = 60


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines of cells. Lines before the first and after the last one with data do not count."""

    separator: Annotated[str, Meta(min_length=1, max_length=1)] = ";"
    decimal: Literal[".", ","] = "."


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a document is read; all paths are JMESPath, and may hold placeholders such as `{zone}`.

    rows: to the list of items, None for columns; start, end, value: of one item (end: derived from
    the next start where it is None, or `minutes` long; with `open_end` a null there is as far as it
    was asked for); otherwise: the value where `value` is null;
    time: form of the times, `timezone` being that of times without an offset and of `period`: the
    number (from 1) of a slot of `minutes` in the local day that `start` names by `date`; where:
    items for which it is false do not count; ready: unless it is true, nothing is there yet.
    unit, or `unit_from` the document: such as EUR/MWh; factor: on top; currency_from: the currency
    where the document names it; licence: a text to be shown; next: the address of the next page.
    """

    start: Path
    value: Path
    rows: Path | None = None
    end: Path | None = None
    open_end: bool = False
    otherwise: Path | None = None
    time: Literal["iso", "unix", "unix_ms", "period"] = "iso"
    timezone: str | None = None
    period: Path | None = None
    date: str = "%d/%m/%Y"
    minutes: Annotated[float, Meta(gt=0, le=1440)] | None = None
    where: Path | None = None
    ready: Path | None = None
    unit: str | None = None
    unit_from: Path | None = None
    currency_from: Path | None = None
    factor: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    licence: Path | None = None
    next: Path | None = None
    text: Text | None = None

    def faults(self, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(field, sentence) for all that cannot be used, with `given` for the placeholders."""
        for field in (*_PATHS, *_WHOLE_PATHS):
            try:
                compiled(getattr(self, field), given)
            except CurveError as error:
                yield field, f"'{field}': {error}"
        for field, known in (("unit", read_unit), ("timezone", zone_of)):
            try:
                if getattr(self, field) is not None:
                    known(filled(getattr(self, field), given))
            except CurveError as error:
                yield field, f"'{field}': {error}"
        yield from self._together()

    def _together(self) -> Iterator[tuple[str, str]]:
        """What only several fields together can tell."""
        listed = self.rows is not None or self.text is not None
        if self.time == "period":
            if self.period is None or self.minutes is None or self.timezone is None:
                yield "time", "'time: period' needs 'period', 'minutes' and 'timezone'"
            if not listed:
                yield "time", "'time: period' needs 'rows' or 'text'"
        elif self.period is not None:
            yield "period", "'period' needs 'time: period'"
        if not listed and self.where is not None:
            yield "where", "'where' needs 'rows': it looks at one item of a list"
        if self.rows is not None and self.text is not None:
            yield "rows", "leave out 'rows' beside 'text': the lines are the rows"


class Found(msgspec.Struct, frozen=True):
    """What a document says. `ready` False: what was asked for is not there yet."""

    curve: Curve = Curve()
    currency: str | None = None
    licence: str | None = None
    next: str | None = None
    ready: bool = True


class Reader:
    """A `Reading` with its placeholders filled in. Raises CurveError when it cannot be used."""

    def __init__(
        self, form: Reading, given: Mapping[str, str] | None = None, *, what: str = "prices"
    ) -> None:
        given = given or {}
        for _, sentence in form.faults(given):
            raise CurveError(sentence)
        self.form, self.what = form, what
        self._plain_unit = None if form.unit is None else filled(form.unit, given)
        self._paths = {
            name: compiled(getattr(form, name), given) for name in (*_PATHS, *_WHOLE_PATHS)
        }
        self._zone = None if form.timezone is None else zone_of(form.timezone)

    def read(self, document: Any, until: datetime | None = None) -> Found:
        """Read one document (decoded JSON, or text). Raises CurveError.

        until: how far it was asked for.
        """
        rows: list[Any] | None
        if self.form.text is not None:
            rows = self._lines(str(document))
        else:
            if self.form.ready is not None and self._get("ready", document) is not True:
                return Found(ready=False)
            rows = self._rows(document)
        items, length = self._columns(document) if rows is None else self._items(rows)
        unit = self._unit(document)
        factor = self.form.factor * unit.factor
        values = [None if each is None else each * factor for each in map(self._value, items[2])]
        starts, notes = self._starts(items, length)
        ends = self._ends(items[1], starts, until)
        raw = [
            (start, end, value)
            for start, end, value in zip(starts, ends, values, strict=True)
            if start is not None
        ]
        curve = Curve.of(raw, what=self.what)
        return Found(
            Curve(curve.slots, (*notes, *curve.notes)),
            self._currency(document, unit),
            self._text("licence", document),
            self._text("next", document),
        )

    # ---------------------------------------------------------------- shapes

    def _lines(self, text: str) -> list[Any]:
        """The lines from the first that begins with a date or a time to the last one."""
        if text.lstrip()[:1] == "<":
            raise CurveError("there is a web page instead of data")
        form = self.form.text
        assert form is not None  # noqa: S101 - asked before
        lines = [
            [cell.strip() for cell in line.split(form.separator)] for line in text.splitlines()
        ]
        real = [n for n, cells in enumerate(lines) if cells[0][:1].isdigit() and len(cells) > 1]
        return lines[real[0] : real[-1] + 1] if real else []

    def _rows(self, document: Any) -> list[Any] | None:
        if self.form.rows is None:
            return None
        rows = self._get("rows", document)
        if not isinstance(rows, list):
            raise CurveError(f"the answer has no list at '{self.form.rows}'")
        return rows

    def _items(self, rows: list[Any]) -> tuple[list[list[Any]], int]:
        if self.form.where is not None:
            rows = [row for row in rows if self._get("where", row) is True]
        found = [[self._get(name, row) for row in rows] for name in ("start", "end", "value")]
        if self.form.otherwise is not None:
            other = [self._get("otherwise", row) for row in rows]
            found[2] = _first(found[2], other)
        if self.form.time == "period":
            found.append([self._get("period", row) for row in rows])
        return found, len(rows)

    def _columns(self, document: Any) -> tuple[list[list[Any]], int]:
        starts = self._column("start", document)
        found = [starts]
        for name in ("end", "value"):
            given = getattr(self.form, name) is not None
            found.append(self._column(name, document) if given else [None] * len(starts))
        if self.form.otherwise is not None:
            # A service without the second list is one that has nothing to add.
            other = self._get("otherwise", document)
            found[2] = _first(found[2], other if isinstance(other, list) else [])
        if any(len(column) != len(starts) for column in found):
            raise CurveError("the answer has lists of different lengths")
        return found, len(starts)

    def _column(self, name: str, document: Any) -> list[Any]:
        found = self._get(name, document)
        if not isinstance(found, list):
            raise CurveError(f"the answer has no list at '{getattr(self.form, name)}'")
        return found

    # ---------------------------------------------------------------- values

    def _value(self, raw: Any) -> float | None:
        if self.form.text is not None and self.form.text.decimal == "," and isinstance(raw, str):
            if "." in raw:
                raise CurveError(f"{_shown(raw)} is not a number with a decimal comma")
            raw = raw.replace(",", ".")
        return number(raw)

    def _starts(
        self, items: list[list[Any]], length: int
    ) -> tuple[Sequence[datetime | None], tuple[str, ...]]:
        form = self.form
        if form.time != "period":
            return moments(items[0], form=form.time, zone=self._zone), ()
        assert form.minutes is not None  # noqa: S101 - checked when it was made
        assert self._zone is not None  # noqa: S101
        pairs = [(items[0][n], items[3][n]) for n in range(length)]
        return starts_of_periods(pairs, form.date, timedelta(minutes=form.minutes), self._zone)

    def _ends(
        self, raw: list[Any], starts: Sequence[datetime | None], until: datetime | None
    ) -> Sequence[datetime | None]:
        form = self.form
        if form.minutes is not None:
            length = timedelta(minutes=form.minutes)
            return [None if start is None else start + length for start in starts]
        if form.end is None or form.time == "period":
            return [None] * len(starts)
        given = [each for each in raw if each is not None]
        left = iter(moments(given, form=form.time, zone=self._zone))
        ends = [None if each is None else next(left) for each in raw]
        if not form.open_end or until is None:
            return ends
        open_ends = [start is not None and start < until for start in starts]
        return [
            until if end is None and far else end for end, far in zip(ends, open_ends, strict=True)
        ]

    # ---------------------------------------------------------------- the rest

    def _unit(self, document: Any) -> Unit:
        found = self._get("unit_from", document) if self.form.unit_from else None
        if isinstance(found, list):
            several = set(map(str, found))
            if len(several) > 1:
                raise CurveError("the answer has values in several units")
            found = next(iter(several), None)
        if found is None:
            found = self._plain_unit
        return Unit() if found is None else read_unit(str(found))

    def _currency(self, document: Any, unit: Unit) -> str | None:
        named = self._text("currency_from", document)
        return unit.currency if named is None else named.upper()

    def _text(self, name: str, document: Any) -> str | None:
        found = self._get(name, document) if getattr(self.form, name) else None
        return found if isinstance(found, str) and found else None

    def _get(self, name: str, document: Any) -> Any:
        path = self._paths[name]
        if path is None:
            return None
        try:
            return path.search(document)
        except JMESPathError:
            raise CurveError(
                f"the answer is not of the form that '{getattr(self.form, name)}' expects"
            ) from None


def compiled(path: str | None, given: Mapping[str, str]) -> Any:
    """A JMESPath ready for use, its placeholders filled in; None for None. Raises CurveError."""
    if path is None:
        return None
    try:
        return jmespath.compile(filled(path, given))
    except JMESPathError:
        raise CurveError(f"{_shown(path)} is no path by JMESPath") from None


def filled(text: str, given: Mapping[str, str]) -> str:
    """`text` with `{name}` replaced. Raises CurveError for a name that is not there."""

    def put(match: re.Match[str]) -> str:
        name = match[1]
        if name not in given:
            raise CurveError(f"'{{{name}}}' is nothing that can be filled in")
        return given[name]

    return _PLACEHOLDER.sub(put, text)


def placeholders(text: str) -> set[str]:
    """The names that `filled` would need."""
    return set(_PLACEHOLDER.findall(text))


def _first(one: list[Any], other: list[Any]) -> list[Any]:
    """Of two lists the one's values, where they are null the other's; they may end early."""
    length = max(len(one), len(other))
    one, other = (each + [None] * (length - len(each)) for each in (one, other))
    return [b if a is None else a for a, b in zip(one, other, strict=True)]


def _shown(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
