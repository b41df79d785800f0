"""Planes: the compass at our side, each service's own count at its edge."""

from __future__ import annotations

import pytest

from bridge.config import load_text
from bridge.errors import ConfigError
from bridge.forecast import Plane


@pytest.mark.parametrize(
    ("compass", "from_south"),
    [(0, 180), (90, -90), (180, 0), (270, 90), (360, 180), (135, -45), (225, 45), (1, -179)],
)
def test_the_four_directions_and_both_signs(compass: float, from_south: float) -> None:
    assert Plane(tilt=30, azimuth=compass, kwp=1).from_south == from_south


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_text(f"actors:\n  sun: {{{text}}}\n")
    return str(caught.value)


PLACE = "latitude: 50.1, longitude: 8.7"
FOUR = ", ".join(["{tilt: 30, azimuth: 180, kwp: 5}"] * 4)
PLANES = "planes: [{tilt: 30, azimuth: 180, kwp: 5}]"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"kind: open_meteo, {PLANES}, latitude: 50.1", "longitude"),
        (f"kind: open_meteo, {PLACE}, planes: []", "planes"),
        (f"kind: open_meteo, {PLACE}, planes: [{{tilt: 30, azimuth: -90, kwp: 5}}]", "azimuth"),
        (f"kind: open_meteo, {PLACE}, {PLANES}, timezone: Mars/Olympus", "Mars/Olympus"),
        (f"kind: open_meteo, {PLACE}, {PLANES}, interval: 60", "interval"),
        (f"kind: open_meteo, {PLACE}, {PLANES}, url: 'http://example.org'", "https"),
        (f"kind: forecast_solar, {PLACE}, {PLANES}, token: 'a/b'", "token"),
        (
            f"kind: forecast_solar, {PLACE}, interval: 900, planes: [{FOUR}]",
            "free",
        ),
        ("kind: solcast, token: k, site: [a, a]", "twice"),
        ("kind: solcast, token: k, site: [a, b], calls_per_day: 1", "calls_per_day"),
        ("kind: solcast, token: '', site: a", "token"),
        ("kind: solcast, token: k, site: ../a", "site"),
    ],
)
def test_what_cannot_work_is_refused(text: str, word: str) -> None:
    assert word in refused(text)


def test_one_site_needs_no_list() -> None:
    found = load_text(
        f"actors:\n  a: {{kind: open_meteo, {PLACE}, planes: [{{tilt: 3, azimuth: 9, kwp: 5}}]}}\n"
        "  b: {kind: solcast, token: k, site: abc}\n"
    ).actors
    assert found["a"].settings.planes == (Plane(tilt=3, azimuth=9, kwp=5),)
    assert found["b"].settings.site == ("abc",)
