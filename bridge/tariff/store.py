"""What a tariff remembers over a restart: prices before the owner's rules, and when to ask."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.asking import source_of as mark_of
from bridge.curve.rows import Rows, curve_of, moment_of, rows_of
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
    imports: Rows
    exports: Rows | None
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
            imports=rows_of(known.imports),
            exports=None if known.exports is None else rows_of(known.exports),
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
                imports=curve_of(saved.imports),
                exports=None if saved.exports is None else curve_of(saved.exports),
                currency=saved.currency,
                final=saved.final,
                raw=saved.raw,
                ask_at=None if saved.ask_at is None else moment_of(saved.ask_at),
            )
        except (msgspec.ValidationError, CurveError, ValueError, OverflowError, OSError):
            return None


def source_of(kind: str, settings: Mapping[str, Any]) -> str:
    """A mark of where prices come from, whatever the owner's rules make of them."""
    return mark_of(kind, settings, _RULES)
