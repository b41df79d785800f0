"""Time zones and local days, which have 23, 24 or 25 hours."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.errors import CurveError

_LOCALTIME = Path("/etc/localtime")
_TIMEZONE = Path("/etc/timezone")
_ZONES = "zoneinfo/"


def zone_of(name: str | None) -> ZoneInfo:
    """A time zone by name, such as `Europe/Berlin`; None is this computer's own.

    A computer that does not tell its zone has UTC. Raises CurveError for a name that is not known.
    """
    if name is None:
        return _own_zone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise CurveError(
            f"the time zone {name!r} is not known: it is a name like Europe/Berlin"
        ) from None


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The local day that `moment` is in."""
    return moment.astimezone(zone).date()


def local_day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end of a local day in UTC, the end being the start of the next day."""
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def at_clock(day: date, wall: str, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which the clocks of `zone` show `HH:MM`, 24:00 being the day's end."""
    hour, minute = map(int, wall.split(":"))
    if hour == 24:  # noqa: PLR2004 - hours of a clock
        return local_day(day, zone)[1]
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Where midnight is skipped, the day begins at the jump; where it occurs twice, at the first.
    # Fold 0 means just that.
    return datetime.combine(day, time(), zone).astimezone(UTC)


@cache
def _own_zone() -> ZoneInfo:
    """The zone of this computer, from TZ, /etc/localtime or /etc/timezone."""
    names = [os.environ.get("TZ", "").removeprefix(":")]
    with suppress(OSError):
        names.append(str(_LOCALTIME.resolve(strict=True)))
    with suppress(OSError, UnicodeDecodeError):
        names.append(_TIMEZONE.read_text(encoding="utf-8").strip())
    for name in filter(None, names):
        try:
            return ZoneInfo(name.rpartition(_ZONES)[2])
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")
