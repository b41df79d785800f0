"""Numbers and moments as services write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.curve import local_day, moment, moments, number
from bridge.errors import CurveError
from tests.curve.strategies import HOUR, LONG, QUARTER, SHORT, ZONES

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        (0, 0.0),
        (-12, -12.0),
        (0.25, 0.25),
        ("12.5", 12.5),
        (" -0.5 ", -0.5),
        ("+3", 3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
    ],
)
def test_a_number(raw: object, wanted: float | None) -> None:
    assert number(raw) == wanted


@pytest.mark.parametrize(
    "raw",
    [
        *(True, [], {}, "12,5", "1_000", "nan", "NaN", "inf", "twelve", "12 ct", "0x10", "--1"),
        *(float("nan"), float("inf"), "1e999", 10**400, "٣"),
    ],
)
def test_no_number(raw: object) -> None:
    with pytest.raises(CurveError) as caught:
        number(raw)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00Z",
        "2026-11-21t12:00:00z".upper(),
        "2026-11-21 12:00:00+00:00",
        "2026-11-21T13:00:00.000+01:00",
        "2026-11-21T13:00:00+0100",
        "2026-11-21T13:00:00+01",
        " 2026-11-21T12:00:00.000000000Z ",
    ],
)
def test_a_moment_in_iso_form(raw: str) -> None:
    assert moment(raw, form="iso") == NOON
    assert moment(raw, form="iso").tzinfo is UTC


def test_a_moment_in_seconds_and_milliseconds() -> None:
    seconds = int(NOON.timestamp())
    assert moment(seconds, form="unix") == NOON
    assert moment(str(seconds), form="unix") == NOON
    assert moment(seconds * 1000, form="unix_ms") == NOON


def test_a_moment_by_the_wall_clock_of_a_zone() -> None:
    assert moment("2026-11-21T13:00", form="iso", zone=BERLIN) == NOON
    assert moment("2026-11-21", form="iso", zone=BERLIN) == NOON - 13 * HOUR
    with pytest.raises(CurveError, match="no time zone is given"):
        moment("2026-11-21T13:00", form="iso")


@pytest.mark.parametrize(
    ("raw", "form"),
    [
        (None, "unix"),
        ("", "unix"),
        (None, "iso"),
        (1763726400, "iso"),
        ("21.11.2026 12:00", "iso"),
        ("2026-13-01T00:00:00Z", "iso"),
        ("2026-W47-6T12:00Z", "iso"),
        ("20261121T120000Z", "iso"),
        ("1970-01-01T00:00:00Z", "iso"),
        ("9999-12-31T23:59:59-12:00", "iso"),
        (NOON.timestamp() * 1000, "unix"),  # milliseconds taken for seconds
        (NOON.timestamp(), "unix_ms"),
        (True, "unix"),
        (1e300, "unix"),
        (-5, "unix"),
    ],
)
def test_no_moment(raw: object, form: str) -> None:
    with pytest.raises(CurveError) as caught:
        moment(raw, form=form)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 130


def test_a_wall_clock_time_that_occurs_twice_or_never_is_refused() -> None:
    with pytest.raises(CurveError, match="occurs twice"):
        moment("2026-10-25T02:15", form="iso", zone=BERLIN)
    with pytest.raises(CurveError, match="skipped"):
        moment("2026-03-29T02:15", form="iso", zone=BERLIN)
    assert moment("2026-10-25T02:15+02:00", form="iso") + HOUR == moment(
        "2026-10-25T02:15+01:00", form="iso"
    )


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("place", range(len(ZONES)), ids=[str(zone) for zone in ZONES])
def test_a_list_by_the_wall_clock_tells_the_hour_that_occurs_twice(
    place: int, backwards: bool
) -> None:
    zone = ZONES[place]
    for day in (SHORT[place], LONG[place], LONG[place] + timedelta(days=3)):
        start, end = local_day(day, zone)
        wanted = [start + n * QUARTER for n in range((end - start) // QUARTER)]
        if backwards:
            wanted.reverse()
        texts = [f"{each.astimezone(zone):%Y-%m-%dT%H:%M}" for each in wanted]
        assert moments(texts, form="iso", zone=zone) == wanted


def test_a_list_that_does_not_tell_leaves_it_unknown() -> None:
    texts = [f"2026-10-25T{hour:02}:00" for hour in range(24)]
    found = moments(texts, form="iso", zone=BERLIN)
    assert found[2] is None
    assert None not in (found[:2] + found[3:])
    texts = [f"2026-03-29T{hour:02}:00" for hour in range(24)]
    found = moments(texts, form="iso", zone=BERLIN)
    assert found[2] is None
    assert None not in (found[:2] + found[3:])


def test_a_list_of_other_forms() -> None:
    assert moments([NOON.timestamp()], form="unix") == [NOON]
    assert moments(["2026-11-21T12:00:00Z", "2026-11-21T13:00:00+01:00"], form="iso") == [NOON] * 2
    assert moments([], form="iso") == []
    with pytest.raises(CurveError):
        moments(["2026-11-21T12:00:00"], form="iso")
