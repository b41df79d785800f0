"""When to ask Solcast next: the calls of a day are spread over the hours with sun. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.curve import Curve

SOONEST: Final = timedelta(minutes=30)
"""There is nothing newer before."""
_SPREAD: Final = timedelta(minutes=10)
_BLIND: Final = timedelta(hours=6)
_MOST: Final = timedelta(days=1)


def wait(power: Curve | None, now: datetime, rounds: int, *, share: float) -> float:
    """Seconds until the next asking after one at `now`.

    power: the forecast, which tells when there is sun; rounds: askings of all sites that are left
    until the quota begins anew at 00:00 UTC; share: this house's place between 0 and 1.
    """
    midnight = next_midnight(now)
    light = _light(power, now, midnight) if rounds > 0 else []
    if light and light[0][0] <= now:
        target = _walk(light, rounds) or _dawn(power, midnight, share)
    elif light:
        target = light[0][0] + share * _SPREAD
    else:
        target = _dawn(power, midnight, share)
    if target is None:
        target = max(now + _BLIND, midnight if rounds <= 0 else now)
    # A day without sun, or a quota that begins anew: never longer than a day, never at once.
    return min(max(target - now, SOONEST), _MOST).total_seconds()


def next_midnight(now: datetime) -> datetime:
    """When the calls of the next day begin."""
    start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start + timedelta(days=1)


def _light(power: Curve | None, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches with sun between the two."""
    found: list[tuple[datetime, datetime]] = []
    for slot in power.between(start, end) if power is not None else ():
        if slot.value <= 0:
            continue
        if found and found[-1][1] == slot.start:
            found[-1] = (found[-1][0], slot.end)
        else:
            found.append((slot.start, slot.end))
    return found


def _walk(light: list[tuple[datetime, datetime]], rounds: int) -> datetime | None:
    """So far into the light that all rounds are spread over it evenly."""
    whole = sum((end - start for start, end in light), timedelta())
    left = max(whole / (rounds + 1), SOONEST)
    for start, end in light:
        if left < end - start:
            return start + left
        left -= end - start
    return None


def _dawn(power: Curve | None, after: datetime, share: float) -> datetime | None:
    """The first sun from then on."""
    end = None if power is None else power.end
    if end is None or end <= after:
        return None
    light = _light(power, after, end)
    return light[0][0] + share * _SPREAD if light else None
