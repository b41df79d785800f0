"""What a tariff remembers over a restart: prices before the owner's rules, and when to ask."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.curve.slots import Curve
from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.state import StateFolder

_FILE = "prices"
# These change what is made of the prices, not where they come from.
_RULES = {"charges", "tax", "import_formula", "export_formula", "currency"}


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Prices as the service gave them (see Prices), and when it is to be asked again."""

    imports: Curve = Curve()
    exports: Curve | None = None
    currency: str | None = None
    final: bool = True
    raw: bool = True
    ask_at: datetime | None = None


class _Saved(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    source: str
    imports: list[tuple[float, float, float]]
    exports: list[tuple[float, float, float]] | None
    currency: str | None
    final: bool
    raw: bool
    ask_at: float | None


class Store:
    """Keeps `Known` in the actor's state folder.

    What was saved under other settings (another zone, another meter) is another source's and is
    forgotten. Secrets are not written, not even as a digest.
    """

    def __init__(self, state: StateFolder, kind: str, settings: msgspec.Struct) -> None:
        self._state = state
        self._source = source_of(kind, msgspec.structs.asdict(settings))

    def save(self, known: Known) -> None:
        """Write it; a disk that refuses is reported once by the state folder."""
        saved = _Saved(
            source=self._source,
            imports=_rows(known.imports),
            exports=None if known.exports is None else _rows(known.exports),
            currency=known.currency,
            final=known.final,
            raw=known.raw,
            ask_at=None if known.ask_at is None else known.ask_at.timestamp(),
        )
        self._state.save(_FILE, msgspec.to_builtins(saved))

    def load(self) -> Known | None:
        """What was saved last for the same source; None when there is nothing of use."""
        try:
            saved = msgspec.convert(self._state.load(_FILE), _Saved)
            if saved.source != self._source:
                return None
            return Known(
                imports=_curve(saved.imports),
                exports=None if saved.exports is None else _curve(saved.exports),
                currency=saved.currency,
                final=saved.final,
                raw=saved.raw,
                ask_at=None if saved.ask_at is None else _moment(saved.ask_at),
            )
        except (msgspec.ValidationError, CurveError, ValueError, OverflowError, OSError):
            return None


def source_of(kind: str, settings: Mapping[str, Any]) -> str:
    """A mark of where prices come from; a Secret shows nothing of itself in its repr."""
    parts = [f"{name}={value!r}" for name, value in sorted(settings.items()) if name not in _RULES]
    return hashlib.sha256("\n".join((kind, *parts)).encode()).hexdigest()[:16]


def _rows(curve: Curve) -> list[tuple[float, float, float]]:
    return [(slot.start.timestamp(), slot.end.timestamp(), slot.value) for slot in curve]


def _curve(rows: list[tuple[float, float, float]]) -> Curve:
    return Curve.of((_moment(start), _moment(end), value) for start, end, value in rows)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
