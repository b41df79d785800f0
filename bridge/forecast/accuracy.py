"""How well a forecast met what the PV gave. Pure: readings and moments in, figures out.

Compared are full hours of UTC. Measured is the mean power of an hour, from live readings that are
at most a minute apart; an hour of which less than 95 % was heard counts as not measured. Forecast
is what was expected for that hour

- at the beginning of its local day (`day`), and
- an hour before it began (`hour`).

Hours in which nothing was expected and nothing came (the night) do not count. Over the others, with
forecast F and measurement M of each: MAE = mean |F - M| (W), bias = sum(F - M) / sum(M) (the mean
bias error, normalised; + = too much was promised), accuracy = 100 % - sum|F - M| / sum(M) (100 %
less the normalised MAE), at least 0. Fewer than twelve hours tell nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from bridge.curve.days import day_of, local_day
from bridge.curve.power import energy
from bridge.curve.slots import Curve

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Basis = Literal["day", "hour"]

HOUR: Final = timedelta(hours=1)
LONGEST_GAP: Final = 60.0
"""s between two readings; what is farther apart says nothing of the time between."""
LEAST_HEARD: Final = 0.95
LEAST_HOURS: Final = 12
MOST_BIAS: Final = 1000.0
_JUMP: Final = 1.0
_IN_TIME: Final = timedelta(minutes=50)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Hour(msgspec.Struct, frozen=True):
    """One hour that is over. start: s since 1970; powers are means in W, None is unknown."""

    start: float
    measured: float
    day: float | None
    hour: float | None


class Scores(msgspec.Struct, frozen=True):
    """mae in W, bias and accuracy in %, over so many hours."""

    mae: float
    bias: float
    accuracy: float
    hours: int


class Meter:
    """The energy of each hour, from readings of power."""

    def __init__(self) -> None:
        self._last: tuple[float, datetime, float | None] | None = None
        self._hours: dict[datetime, tuple[float, float]] = {}  # start: (W * s, s)

    def hear(self, now: float, moment: datetime, power: float | None) -> None:
        """A live reading at the monotonic second `now`; None: the power is unknown."""
        last, self._last = self._last, (now, moment, power)
        if last is None or last[2] is None or power is None:
            return
        passed = now - last[0]
        walked = (moment - last[1]).total_seconds()
        if not 0 < passed <= LONGEST_GAP or abs(walked - passed) > _JUMP or walked <= 0:
            return
        self._spread(last[1], moment, last[2], power)

    def _spread(self, start: datetime, end: datetime, first: float, last: float) -> None:
        """Between two readings power runs straight; the parts go to the hours they are in."""
        whole = (end - start).total_seconds()
        begin = start
        while begin < end:
            hour = hour_of(begin)
            until = min(end, hour + HOUR)
            middle = (begin - start).total_seconds() + (until - begin).total_seconds() / 2
            power = first + (last - first) * middle / whole
            seconds = (until - begin).total_seconds()
            work, heard = self._hours.get(hour, (0.0, 0.0))
            self._hours[hour] = (work + power * seconds, heard + seconds)
            begin = until

    def over(self, now: datetime) -> list[tuple[datetime, float]]:
        """Take the hours that are over: start and mean W of those that were heard."""
        ended = sorted(hour for hour in self._hours if hour + HOUR <= now)
        found = []
        for hour in ended:
            work, heard = self._hours.pop(hour)
            if heard >= LEAST_HEARD * HOUR.total_seconds():
                found.append((hour, work / heard))
        # After the clock was put back, hours lie ahead that were counted already.
        for hour in [each for each in self._hours if each > now + HOUR]:
            del self._hours[hour]
        return found


class Diary(msgspec.Struct):
    """What an Accuracy keeps over a restart, besides the newest forecast."""

    hours: list[Hour] = []
    day: date | None = None
    morning: list[tuple[float, float, float]] = []
    ahead: dict[str, float] = {}


class Accuracy:
    """Remembers what was expected, hears what came, and compares the two."""

    def __init__(self, zone: ZoneInfo, days: int) -> None:
        self.zone, self.days = zone, days
        self.hours: dict[float, Hour] = {}
        self.day: date | None = None
        self.morning = Curve()
        self.ahead: dict[datetime, float] = {}
        self.meter = Meter()
        self._curve, self._known_at = Curve(), _EPOCH

    def renewed(self, curve: Curve, now: datetime) -> None:
        """There is a newer forecast, from `now` on."""
        self.tick(now)
        self._curve, self._known_at = curve, now
        self._look_ahead(now)

    def remembered(self, curve: Curve, at: datetime) -> None:
        """An earlier life knew this forecast since `at`; what time has come to is told later."""
        self._curve, self._known_at = curve, at

    def tick(self, now: datetime) -> bool:
        """Time has come to `now`. True when an hour was added."""
        changed = self._close(now)
        today = day_of(now, self.zone)
        if today != self.day:
            start, end = local_day(today, self.zone)
            known = self._known_at <= start
            self.day, self.morning = today, self._curve.between(start, end) if known else Curve()
        self._look_ahead(now)
        return changed

    def scores(self, basis: Basis) -> Scores | None:
        """The figures over the last days; None while there is too little to tell."""
        pairs = [
            (forecast, each.measured)
            for each in self.hours.values()
            if (forecast := getattr(each, basis)) is not None
            and (forecast > 0 or each.measured > 0)
        ]
        total = sum(measured for _, measured in pairs)
        if len(pairs) < LEAST_HOURS or total <= 0:
            return None
        wrong = sum(abs(forecast - measured) for forecast, measured in pairs)
        bias = 100 * sum(forecast - measured for forecast, measured in pairs) / total
        if bias > MOST_BIAS:
            return None
        return Scores(wrong / len(pairs), bias, max(0.0, 100 - 100 * wrong / total), len(pairs))

    # ---------------------------------------------------------------- inside

    def _close(self, now: datetime) -> bool:
        found = self.meter.over(now)
        for hour, measured in found:
            start = hour.timestamp()
            day = _mean(self.morning, hour) if day_of(hour, self.zone) == self.day else None
            self.hours[start] = Hour(start, measured, day, self.ahead.get(hour))
        self.ahead = {hour: watts for hour, watts in self.ahead.items() if hour + HOUR > now}
        oldest = (now - timedelta(days=self.days)).timestamp()
        newest = now.timestamp()
        self.hours = {at: each for at, each in self.hours.items() if oldest <= at <= newest}
        return bool(found)

    def _look_ahead(self, now: datetime) -> None:
        """Note what is expected for the next hour, unless it is too near already."""
        hour = hour_of(now) + HOUR
        if hour in self.ahead or hour - now < _IN_TIME:
            return
        expected = _mean(self._curve, hour)
        if expected is not None:
            self.ahead[hour] = expected


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour that `moment` is in."""
    return moment - (moment - _EPOCH) % HOUR


def _mean(curve: Curve, hour: datetime) -> float | None:
    found = energy(curve, hour, hour + HOUR)
    return None if found is None else found * 1000
