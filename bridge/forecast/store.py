"""What a forecast remembers over a restart: the curves, when to ask, and how right it was."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from bridge.asking import source_of
from bridge.curve.rows import Rows, curve_of, moment_of, rows_of
from bridge.errors import CurveError
from bridge.forecast.accuracy import Hour
from bridge.forecast.view import Outlook

if TYPE_CHECKING:
    from bridge.curve.slots import Curve
    from bridge.forecast.accuracy import Accuracy
    from bridge.state import StateFolder

_FILE, _DIARY = "forecast", "accuracy"
# These change what is made of the forecast, not where it comes from.
_OURS = frozenset({"timezone", "measured", "accuracy_days", "timeout", "interval"})
_UNREADABLE = (msgspec.ValidationError, CurveError, ValueError, OverflowError, OSError)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The outlook, when the service gave it, and when it is to be asked again."""

    outlook: Outlook
    at: datetime
    ask_at: datetime | None = None


class _Saved(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    source: str
    power: Rows
    low: Rows | None
    high: Rows | None
    at: float
    ask_at: float | None


class _Diary(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    source: str
    hours: list[Hour]
    day: str | None
    morning: Rows
    ahead: list[tuple[float, float]]


class Store:
    """Keeps both in the actor's state folder; of another place or other panels it forgets them."""

    def __init__(self, state: StateFolder, kind: str, settings: msgspec.Struct) -> None:
        self._state = state
        given = msgspec.structs.asdict(settings)
        self._source = source_of(kind, given, _OURS)
        # Hours that were compared with another device are other hours.
        self._compared = source_of(kind, given, _OURS - {"measured"})

    def save(self, known: Known) -> None:
        """Write it; a disk that refuses is reported once by the state folder."""
        saved = _Saved(
            source=self._source,
            power=rows_of(known.outlook.power),
            low=_rows(known.outlook.low),
            high=_rows(known.outlook.high),
            at=known.at.timestamp(),
            ask_at=None if known.ask_at is None else known.ask_at.timestamp(),
        )
        self._state.save(_FILE, msgspec.to_builtins(saved))

    def load(self) -> Known | None:
        """What was saved last for the same source; None when there is nothing of use."""
        try:
            saved = msgspec.convert(self._state.load(_FILE), _Saved)
            if saved.source != self._source:
                return None
            outlook = Outlook(
                curve_of(saved.power),
                None if saved.low is None else curve_of(saved.low),
                None if saved.high is None else curve_of(saved.high),
            )
            return Known(
                outlook=outlook,
                at=moment_of(saved.at),
                ask_at=None if saved.ask_at is None else moment_of(saved.ask_at),
            )
        except _UNREADABLE:
            return None

    def save_accuracy(self, accuracy: Accuracy) -> None:
        """Write the hours that were compared and what was expected of those to come."""
        diary = _Diary(
            source=self._compared,
            hours=list(accuracy.hours.values()),
            day=None if accuracy.day is None else accuracy.day.isoformat(),
            morning=rows_of(accuracy.morning),
            ahead=[(hour.timestamp(), watts) for hour, watts in accuracy.ahead.items()],
        )
        self._state.save(_DIARY, msgspec.to_builtins(diary))

    def load_accuracy(self, accuracy: Accuracy) -> None:
        """Fill a new one with what an earlier life had."""
        try:
            diary = msgspec.convert(self._state.load(_DIARY), _Diary)
            if diary.source != self._compared:
                return
            morning = curve_of(diary.morning)
            ahead = {moment_of(at): watts for at, watts in diary.ahead}
            day = None if diary.day is None else date.fromisoformat(diary.day)
        except _UNREADABLE:
            return
        accuracy.hours = {each.start: each for each in diary.hours}
        accuracy.day, accuracy.morning, accuracy.ahead = day, morning, ahead


def _rows(curve: Curve | None) -> Rows | None:
    return None if curve is None else rows_of(curve)
