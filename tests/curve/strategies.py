"""Moments, days and curves for tests: everything is a pure function of what hypothesis draws."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st

from bridge.curve import Curve, Slot

ZONES = tuple(
    ZoneInfo(name)
    for name in ("Europe/Berlin", "Europe/London", "Australia/Sydney", "America/New_York")
)
# Each zone's days of 23 and of 25 hours, by the calendars of these countries.
SHORT = (date(2026, 3, 29), date(2026, 3, 29), date(2026, 10, 4), date(2026, 3, 8))
LONG = (date(2026, 10, 25), date(2026, 10, 25), date(2026, 4, 5), date(2026, 11, 1))
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
BEGIN = datetime(2026, 11, 21, tzinfo=UTC)

same_each_time = settings(derandomize=True, deadline=None, max_examples=60)


def at(text: str) -> datetime:
    """`21 10:15` is that time of November 2026 in UTC."""
    return datetime.strptime(f"2026-11-{text} +0000", "%Y-%m-%d %H:%M %z")


def curve(*slots: tuple[str, str, float], day: str = "21") -> Curve:
    """Slots of one day, such as ("10:00", "10:15", 0.3)."""
    return Curve(tuple(Slot(at(f"{day} {a}"), at(f"{day} {b}"), value) for a, b, value in slots))


def even(start: datetime, step: timedelta, values: list[float]) -> Curve:
    """Slots of one length without holes."""
    return Curve(
        tuple(Slot(start + n * step, start + (n + 1) * step, v) for n, v in enumerate(values))
    )


def shown(found: Curve) -> list[tuple[str, str, float]]:
    """Slots as `curve` takes them."""
    return [(f"{each.start:%H:%M}", f"{each.end:%H:%M}", each.value) for each in found]


def sound(found: Curve) -> None:
    """Fail unless it is half-open, in UTC, sorted and without overlap."""
    for slot in found:
        assert slot.start < slot.end
        assert slot.start.tzinfo is UTC
        assert slot.end.tzinfo is UTC
        assert found.at(slot.start) == slot.value
        assert found.slot_at(slot.end) is not slot
    for before, after in zip(found.slots, found.slots[1:], strict=False):
        assert before.end <= after.start


values = st.sampled_from([-0.05, 0.0, 0.1, 0.2, 0.3])
lengths = st.sampled_from([timedelta(minutes=m) for m in (5, 15, 30, 60, 90)])


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Any sound curve of a day or so: mixed lengths, holes."""
    slots = []
    moment = BEGIN + draw(st.sampled_from([0, 1, 2])) * QUARTER
    for _ in range(draw(st.integers(0, 14))):
        if draw(st.integers(0, 4)) == 0:
            moment += draw(lengths)
        end = moment + draw(lengths)
        slots.append(Slot(moment, end, draw(values)))
        moment = end
    return Curve(tuple(slots))


moments = st.integers(-60, 1500).map(lambda minute: BEGIN + timedelta(minutes=minute))
zoned_days = st.one_of(
    st.sampled_from([*zip(ZONES, SHORT, strict=True), *zip(ZONES, LONG, strict=True)]),
    st.tuples(st.sampled_from(ZONES), st.dates(date(2024, 1, 1), date(2030, 12, 31))),
)
