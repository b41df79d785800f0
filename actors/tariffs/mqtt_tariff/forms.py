"""Which form a payload has: our own curve, or one of those that home automation publishes. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bridge.curve.document import Reader, Reading
from bridge.curve.slots import Curve
from bridge.errors import CurveError

MOST_BYTES: Final = 512 * 1024
_MILLISECONDS: Final = 1e11
# Where the list of slots is; of several lists one after the other.
_LISTS: Final = (
    ("raw_today", "raw_tomorrow"),  # Nord Pool in Home Assistant
    ("prices_today", "prices_tomorrow"),
    ("today", "tomorrow"),  # Tibber
    ("data",),  # EPEX Spot in Home Assistant
    ("prices",),
    ("curve",),
    ("slots",),
)
# (start, end, value, export, factor to currency/kWh) by the names in one slot.
_SLOTS: Final = (
    ("start", "end", "import", "export", 1.0),
    ("start_time", "end_time", "price_per_kwh", None, 1.0),
    ("start_time", "end_time", "price_ct_per_kwh", None, 0.01),
    ("start_time", "end_time", "price_eur_per_mwh", None, 0.001),
    ("startsAt", None, "total", None, 1.0),
    ("start", "end", "value", None, 1.0),
    ("start", "end", "price", None, 1.0),
    ("start", "end", "total", None, 1.0),
    ("from", "to", "price", None, 1.0),
    ("time", None, "price", None, 1.0),
    ("timestamp", None, "price", None, 1.0),
)
KNOWN: Final = "a list of {start, end, import, export}, or {start, end, value}"


class Curves(msgspec.Struct, frozen=True):
    """What one payload says; `exports` None: nothing about what is fed in."""

    imports: Curve
    exports: Curve | None = None
    currency: str | None = None


def curves(
    payload: bytes, *, zone: str | None, unit: str | None = None, form: Reading | None = None
) -> Curves:
    """Read a payload. Raises CurveError.

    zone: of times without an offset; unit: such as EUR/MWh, None for what the form says; form: how
    it is read, None to find out.
    """
    if len(payload) > MOST_BYTES:
        raise CurveError(f"it has more than {MOST_BYTES // 1024} kB")
    try:
        document: Any = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CurveError("it is no JSON") from None
    if form is not None:
        found = Reader(form).read(document)
        return Curves(found.curve, None, found.currency)
    rows = _rows(document)
    if not rows:
        raise CurveError("it has no prices")
    start, end, value, export, factor = _names(rows)
    bought = Reading(
        rows="@",
        start=f'"{start}"',
        end=None if end is None or not any(end in row for row in rows) else f'"{end}"',
        value=f'"{value}"',
        time=_time(rows[0][start]),
        timezone=zone,
        unit=unit,
        factor=1.0 if unit else factor,
    )
    imports = Reader(bought).read(rows)
    exports = None
    if export is not None and any(row.get(export) is not None for row in rows):
        sold = msgspec.structs.replace(bought, value=f'"{export}"')
        exports = Reader(sold).read(rows).curve
    return Curves(imports.curve, exports, imports.currency)


def _rows(document: Any) -> list[dict[str, Any]]:
    """The list of slots, wherever it is. Raises CurveError."""
    found = document
    if isinstance(document, dict):
        inner = document.get("attributes")
        document = inner if isinstance(inner, dict) else document
        for names in _LISTS:
            if isinstance(document.get(names[0]), list):
                lists = [document.get(name) for name in names]
                found = [row for each in lists if isinstance(each, list) for row in each]
                break
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise CurveError(f"it is not {KNOWN}")
    return found


def _names(rows: list[dict[str, Any]]) -> tuple[str, str | None, str, str | None, float]:
    for names in _SLOTS:
        if all(names[0] in row and names[2] in row for row in rows):
            return names
    raise CurveError(f"it is not {KNOWN}")


def _time(raw: Any) -> Any:
    if isinstance(raw, str) and not raw.strip().lstrip("-").isdigit():
        return "iso"
    try:
        return "unix_ms" if abs(float(raw)) >= _MILLISECONDS else "unix"
    except (TypeError, ValueError):
        raise CurveError("its times cannot be read") from None
