"""The day generator: plausible, repeatable, and dark at night."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.sim.sim_home.day import DAY, GeneratedDays, midnight
from actors.sim.sim_home.household import Household
from actors.sim.sim_home.sky import SKIES, Clouds
from bridge.sun import Panels, Place, clear_sky_power, elevation

if TYPE_CHECKING:
    from actors.sim.sim_home.sky import Sky

HERE = Place(50.0, 10.0)
ONE_KWP = Panels(1.0, 35.0, 180.0, 1000.0)
SUMMER, WINTER, SPRING = date(2024, 6, 21), date(2024, 12, 21), date(2024, 3, 20)


def days(
    first: date = SUMMER,
    *,
    sky: Sky = "clear",
    seed: int = 1,
    place: Place = HERE,
    panels: Panels = ONE_KWP,
    loop: bool = True,
) -> GeneratedDays:
    return GeneratedDays(place=place, panels=panels, sky=sky, seed=seed, first=first, loop=loop)


def pv_kwh(source: GeneratedDays, step: int = 20) -> float:
    moments = range(0, int(DAY), step)
    return sum(source.sample(source.begin + k).pv for k in moments) * step / 3.6e6


def load_kwh(source: GeneratedDays, step: int = 20) -> float:
    moments = range(0, int(DAY), step)
    return sum(source.sample(source.begin + k).load for k in moments) * step / 3.6e6


@pytest.mark.parametrize(
    ("day", "highest"), [(SUMMER, 63.44), (WINTER, 16.56), (SPRING, 40.0)], ids=str
)
def test_the_sun_stands_as_high_as_the_almanac_says(day: date, highest: float) -> None:
    begin = midnight(day, HERE.offset)
    heights = [elevation(HERE, begin + 60 * minute) for minute in range(1440)]
    assert max(heights) == pytest.approx(highest, abs=0.4)
    noon = heights.index(max(heights)) / 60
    assert noon == pytest.approx(12 + 20 / 60, abs=0.15)  # 5 degrees west of its zone's middle


def test_south_of_the_equator_the_seasons_are_the_other_way_round() -> None:
    there = Place(-35.0, 150.0)
    north = Panels(1.0, 30.0, 0.0, 1000.0)
    june = pv_kwh(days(SUMMER, place=there, panels=north))
    december = pv_kwh(days(WINTER, place=there, panels=north))
    assert december > 1.3 * june


def test_a_clear_summer_day_yields_what_a_roof_in_central_europe_does() -> None:
    assert 6.0 < pv_kwh(days(SUMMER)) < 7.8


def test_seasons_and_skies_are_in_order() -> None:
    summer, spring, winter = (pv_kwh(days(day)) for day in (SUMMER, SPRING, WINTER))
    assert summer > 1.15 * spring > 2.0 * winter > 2.0
    clear, broken, overcast = (
        sum(pv_kwh(days(SUMMER, sky=sky, seed=seed), 60) for seed in range(5))
        for sky in ("clear", "broken", "overcast")
    )
    assert clear > 1.15 * broken > 2.0 * overcast > 0


def test_the_yield_grows_with_the_panels_until_the_inverter_is_full() -> None:
    ten = Panels(10.0, 35.0, 180.0, 10_000.0)
    assert pv_kwh(days(panels=ten)) == pytest.approx(10 * pv_kwh(days()), rel=1e-9)
    limited = days(panels=Panels(10.0, 35.0, 180.0, 4000.0))
    powers = [limited.sample(limited.begin + k * 60).pv for k in range(1440)]
    assert max(powers) == 4000.0
    assert powers.count(4000.0) > 240


@given(st.integers(0, 86_399), st.sampled_from(sorted(SKIES)), st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_at_night_there_is_nothing_and_by_day_never_too_much(
    second: int, sky: Sky, ahead: int
) -> None:
    source = days(SUMMER + timedelta(days=ahead), sky=sky)
    at = source.begin + second
    pv = source.sample(at).pv
    assert 0.0 <= pv <= 1000.0
    if elevation(HERE, at) <= 0:
        assert pv == 0.0
    assert pv <= 1.06 * clear_sky_power(HERE, ONE_KWP, at) + 1e-9


def test_the_same_seed_gives_the_same_days_in_any_order() -> None:
    moments = [days().begin + 7 * 3600 + k * 997 for k in range(300)]
    one, two = days(sky="broken", seed=4), days(sky="broken", seed=4)
    forwards = [one.sample(at) for at in moments]
    assert forwards == list(reversed([two.sample(at) for at in reversed(moments)]))
    other = days(sky="broken", seed=5)
    assert forwards != [other.sample(at) for at in moments]


def test_the_next_day_is_another_one() -> None:
    source = days(sky="broken")
    today = [source.sample(source.begin + k * 60).load for k in range(1440)]
    assert today != [source.sample(source.begin + DAY + k * 60).load for k in range(1440)]
    assert source.end == float("inf")
    assert days(loop=False).end == days().begin + DAY


def test_broken_clouds_come_and_go_within_minutes_but_not_within_a_second() -> None:
    clouds = Clouds(random.Random(3), "broken")
    shares = [clouds.share(float(k)) for k in range(36_000, 43_200)]
    assert max(shares) - min(shares) > 0.5
    steps = [abs(b - a) for a, b in itertools.pairwise(shares)]
    assert 0.02 < max(steps) < 0.2
    swings = sum((a < 0.7) != (b < 0.7) for a, b in itertools.pairwise(shares))
    assert swings > 8
    calm = Clouds(random.Random(3), "clear")
    assert min(calm.share(float(k)) for k in range(0, 86_400, 30)) > 0.96


def test_a_household_uses_what_a_household_uses() -> None:
    used = [load_kwh(days(SUMMER + timedelta(days=k)), 30) for k in range(14)]
    assert all(3.5 < each < 16.0 for each in used)
    assert 5.5 < sum(used) / 14 < 11.0
    assert len({round(each, 6) for each in used}) == 14


def test_the_household_boils_cooks_and_cools() -> None:
    home = Household(random.Random(1))
    powers = [home.power(float(k)) for k in range(0, 86_400, 10)]
    assert min(powers) > 100.0
    assert max(powers) > 1800.0
    night = [home.power(float(k)) for k in range(3600, 4 * 3600, 10)]
    fridge = [watts > 170 for watts in night]
    assert 0.2 < sum(fridge) / len(fridge) < 0.55
    assert max(night) < 400.0
    levels = [home.power(k / 4) for k in range(int(6.3 * 14_400), int(7.4 * 14_400))]
    kettle = sum(watts > 1800 for watts in levels) / 4
    assert 100 < kettle < 600


def test_lamps_burn_longer_in_winter() -> None:
    def lit(day: date) -> float:
        source = days(day)
        evening = range(int(16.5 * 3600), 18 * 3600, 20)
        return sum(source.sample(source.begin + k).load for k in evening)

    winter = sum(lit(WINTER + timedelta(days=k)) for k in range(6))
    summer = sum(lit(SUMMER + timedelta(days=k)) for k in range(6))
    assert winter > summer


def test_midnight_is_local() -> None:
    assert midnight(SUMMER, HERE.offset) == datetime(2024, 6, 20, 23, tzinfo=UTC).timestamp()
    assert Place(0, -75).offset == -5 * 3600
