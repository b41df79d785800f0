"""Holes of a forecast: 0 where the sun is down, unknown where it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.curve import Curve, Slot
from bridge.forecast.night import with_nights
from bridge.sun import Place, clear_sky_irradiance, elevation, nights
from tests.support.oracle import ask_oracle, oracle_python

FRANKFURT = Place(50.1, 8.7)
DAY = datetime(2026, 11, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SCRIPT = Path(__file__).parents[1] / "oracles" / "pvlib_sun.py"


def at(hour: int, minute: int = 0) -> datetime:
    return DAY + timedelta(hours=hour, minutes=minute)


def test_a_hole_is_dark_from_sunset_to_sunrise_only() -> None:
    curve = Curve((Slot(at(9), at(14), 500.0), Slot(at(33), at(38), 500.0)))
    found = with_nights(curve, FRANKFURT, at(9), at(38))
    (dark,) = [slot for slot in found if slot.value == 0]
    assert abs(dark.start - at(15, 34)) < 4 * MINUTE
    assert abs(dark.end - at(24 + 6, 50)) < 4 * MINUTE
    assert dark.start.microsecond == dark.end.microsecond == 0
    assert found.at(at(15)) is None
    assert found.at(at(31)) is None


def test_marks_of_the_service_join_the_night() -> None:
    down, up = at(15, 40), at(24 + 6, 44)  # eight minutes beyond the night that is computed
    curve = Curve((Slot(at(9), down, 500.0), Slot(up, at(38), 500.0)))
    assert with_nights(curve, FRANKFURT, at(9), at(38)).covers(at(9), at(38))
    early, late = at(15, 22), at(24 + 7)
    curve = Curve((Slot(at(9), early, 500.0), Slot(late, at(38), 500.0)))
    assert not with_nights(curve, FRANKFURT, at(9), at(38)).covers(at(9), at(38))
    marked = with_nights(curve, FRANKFURT, at(9), at(38), {early, late})
    assert marked.covers(at(9), at(38))


def test_a_mark_in_full_daylight_is_not_believed() -> None:
    curve = Curve((Slot(at(9), at(13), 500.0), Slot(at(24 + 9), at(38), 500.0)))
    found = with_nights(curve, FRANKFURT, at(9), at(38), {at(13), at(24 + 9)})
    assert found.at(at(14)) is None
    assert found.at(at(24 + 8)) is None
    assert found.at(at(20)) == 0


def test_polar_night_and_midnight_sun() -> None:
    north = Place(78.2, 15.6)
    winter = (datetime(2026, 12, 10, tzinfo=UTC), datetime(2026, 12, 12, tzinfo=UTC))
    summer = (datetime(2026, 6, 10, tzinfo=UTC), datetime(2026, 6, 12, tzinfo=UTC))
    assert nights(north, *winter) == [winter]
    assert nights(north, *summer) == []
    assert with_nights(Curve(), north, *winter).covers(*winter)


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_the_sun_is_where_pvlib_sees_it() -> None:
    python = oracle_python(["pvlib==0.16.1"])
    places = ((50.1, 8.7), (-33.9, 151.2), (69.6, 18.9), (0.0, -78.5), (19.1, 72.9))
    moments = [1767225600 + 86400 * 13 * day + 5557 * day for day in range(28)]
    for latitude, longitude in places:
        seen = await ask_oracle(
            python, SCRIPT, str(latitude), str(longitude), ",".join(map(str, moments))
        )
        for moment, theirs, azimuth in zip(moments, *seen, strict=True):
            ours = elevation(Place(latitude, longitude), moment)
            assert ours == pytest.approx(theirs, abs=0.35), (latitude, moment)
            _agree_on_the_side(Place(latitude, longitude), moment, theirs, azimuth)


def _agree_on_the_side(place: Place, moment: float, height: float, azimuth: float) -> None:
    """An upright panel gets most where pvlib sees the sun (180 = south for both)."""
    if not 10 < height < 70:
        return
    light = {
        turn: clear_sky_irradiance(place, 90, (azimuth + turn) % 360, moment)
        for turn in (-60, -30, 0, 30, 60)
    }
    assert max(light, key=lambda turn: light[turn]) == 0
    assert light[-30] == pytest.approx(light[30], rel=0.03)
