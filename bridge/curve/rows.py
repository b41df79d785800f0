"""Curves as rows: of numbers for files (start, end, value; seconds since 1970), of text in JSON."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.curve.slots import Curve

Rows = list[tuple[float, float, float]]


def rows_of(curve: Curve) -> Rows:
    """What `curve_of` takes back."""
    return [(slot.start.timestamp(), slot.end.timestamp(), slot.value) for slot in curve]


def curve_of(rows: Rows) -> Curve:
    """The curve again. Raises CurveError, ValueError, OverflowError or OSError for other rows."""
    return Curve.of((moment_of(start), moment_of(end), value) for start, end, value in rows)


def stamp_of(moment: datetime) -> str:
    """A border of a slot as it is published, in UTC."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def moment_of(seconds: float) -> datetime:
    """The moment in UTC. Raises ValueError, OverflowError or OSError."""
    return datetime.fromtimestamp(seconds, UTC)
