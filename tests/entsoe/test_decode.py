"""Documents by hand: XML, periods, which auction counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from actors.tariffs.entsoe.curves import read_prices
from actors.tariffs.entsoe.decode import read_series
from actors.tariffs.entsoe.document import parse
from bridge.errors import CurveError, DeviceGarbled, DeviceRefused
from tests.entsoe.rig import CODE, HOUR, NOON, document, period, series

BERLIN = ZoneInfo("Europe/Berlin")
FOUR = [(1, "10"), (2, "20.5"), (3, "-30"), (4, "40")]


def read(*content: str, currency: str = "EUR") -> Any:
    return read_prices(read_series(parse(document(*content))), CODE, currency, BERLIN)


def shown(*content: str) -> list[tuple[str, str, float]]:
    """(from, until, EUR/MWh)."""
    curve = read(*content).curve
    return [(f"{s.start:%H:%M}", f"{s.end:%H:%M}", round(s.value * 1000, 5)) for s in curve]


def quarters(*values: float | None, start: datetime = NOON) -> list[tuple[str, str, float]]:
    step = timedelta(minutes=15)
    return [
        (f"{start + n * step:%H:%M}", f"{start + (n + 1) * step:%H:%M}", value)
        for n, value in enumerate(values)
        if value is not None
    ]


# --------------------------------------------------------------------------------------------- xml


@pytest.mark.parametrize("space", ["urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3", "x"])
def test_the_namespace_does_not_matter(space: str) -> None:
    root = parse(document(series(period(FOUR)), space=space))
    assert (root.name, len(read_series(root))) == ("Publication_MarketDocument", 1)


BOMB = b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>'
FILE = b'<!DOCTYPE a SYSTEM "file:/etc/hostname"><a/>'


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (BOMB, "document type"),
        (FILE, "document type"),
        (b"<a>&unknown;</a>", "cannot be read"),
        (b"<a><b></a>", "cannot be read"),
        (b"<a>", "cannot be read"),
        (b"", "cannot be read"),
        (b"{}", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "cannot be read"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"  <HTML><body>", "web page"),
        (b"<?xml version='1.0'?><html xmlns='x'></html>", "web page"),
        (b"<a>" * 100 + b"</a>" * 100, "more data"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "more data"),
    ],
)
def test_xml_that_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(DeviceGarbled, match=sentence):
        parse(body)


# --------------------------------------------------------------------------------- acknowledgement


def reason(code: str, text: str) -> Any:
    content = f"<Reason><code>{code}</code><text>{text}</text></Reason>"
    return parse(document(content, root="Acknowledgement_MarketDocument"))


def test_no_matching_data_is_no_error() -> None:
    assert read_series(reason("999", "No matching data found for Data item X")) == []
    assert read_series(reason("999", "")) == []


@pytest.mark.parametrize(
    ("code", "text", "sentence"),
    [
        ("999", "The interval is not valid.", "refuses the question: The interval is not valid$"),
        ("999", "Token s3cret is\n bad", r"refuses the question: Token \*\*\* is bad$"),
        ("A59", "", "refuses the question: reason A59"),
    ],
)
def test_other_reasons_are_sentences(code: str, text: str, sentence: str) -> None:
    with pytest.raises(DeviceRefused, match=sentence):
        read_series(reason(code, text), "s3cret")


def test_other_documents_are_refused() -> None:
    for root in ("GL_MarketDocument", "Acknowledgement_MarketDocument"):
        with pytest.raises((DeviceGarbled, DeviceRefused)):
            read_series(parse(document(root=root)))


# ----------------------------------------------------------------------------------------- periods


def test_a01_leaves_out_what_is_left_out() -> None:
    assert shown(series(period(FOUR))) == quarters(10, 20.5, -30, 40)
    assert shown(series(period([FOUR[0], FOUR[3]]))) == quarters(10, None, None, 40)
    assert shown(series(period([FOUR[0], FOUR[3]]), curve=None)) == quarters(10, None, None, 40)


def test_a03_repeats_up_to_the_end_of_the_interval() -> None:
    assert shown(series(period([FOUR[0], FOUR[2]]), curve="A03")) == quarters(10, 10, -30, -30)
    assert shown(series(period([FOUR[1]]), curve="A03")) == quarters(None, 20.5, 20.5, 20.5)
    assert shown(series(period([(1, 5)], hours=2), curve="A03")) == quarters(*[5.0] * 8)


@pytest.mark.parametrize(("hours", "count"), [(23, 92), (24, 96), (25, 100)])
def test_the_interval_says_how_many(hours: int, count: int) -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    curve = read(series(period([(1, 5)], hours=hours, start=start), curve="A03")).curve
    assert (len(curve), curve.start, curve.end) == (count, start, start + hours * HOUR)


@pytest.mark.parametrize(
    ("resolution", "count"), [("PT15M", 4), ("PT30M", 2), ("PT60M", 1), ("PT1H", 1)]
)
def test_resolutions(resolution: str, count: int) -> None:
    found = read(series(period([(1, 7)], resolution=resolution), curve="A03")).curve
    assert len(found) == count
    assert found.covers(NOON, NOON + HOUR)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (series(period(FOUR, resolution="P1D")), "the resolution P1D is not known"),
        (series(period(FOUR, hours=1.1)), "no whole number of PT15M"),
        (series(period(FOUR, hours=-1)), "no whole number of PT15M"),
        (series(period([*FOUR, (5, 1)])), "a position that is not from 1 to 4"),
        (series(period([(0, 1)])), "a position that is not from 1 to 4"),
        (series(period([("x", 1)])), "a position that is not from 1 to 4"),
        (series(period([(1, "cheap")])), "'cheap' is not a number"),
        (series(period([(1, "1,5")])), "'1,5' is not a number"),
        (series(period(FOUR), curve="A02"), "the curve type A02 is not known"),
        (series(period(FOUR, hours=24 * 400)), "no whole number"),
        (series("<Period/>"), "is not a time"),
    ],
)
def test_a_period_that_cannot_be_right_is_left_out(bad: str, sentence: str) -> None:
    with pytest.raises(CurveError, match=sentence):
        read(bad)
    later = series(period(FOUR, start=NOON + 3 * HOUR))
    found = read(bad, later).curve
    assert shown(bad, later) == quarters(10, 20.5, -30, 40, start=NOON + 3 * HOUR)
    assert sentence in found.notes[0]


def test_empty_and_contradicting_points_are_unknown() -> None:
    points = [(1, 1), (2, None), (3, 3), (3, 4), (4, 4), (4, "4.0")]
    assert shown(series(period(points))) == quarters(1, None, None, 4)
    # What is unknown is not filled with what came before it.
    assert shown(series(period([(1, 1), (2, None), (4, 4)]), curve="A03")) == quarters(
        1, None, None, 4
    )


def test_a_hole_is_told() -> None:
    assert read(series(period([FOUR[0], FOUR[3]]))).curve.notes == (
        "the prices have a hole: 2026-11-20 13:15 to 13:45",
    )


# ---------------------------------------------------------------------------------- several series


SDAC = series(period(FOUR), position="1")
HOURLY = series(period([(1, 99)], resolution="PT60M"), position="1")
EXAA = series(period([(n, 70 + n) for n in range(1, 9)], hours=2), position="2")


@pytest.mark.parametrize("swap", [False, True])
def test_the_lowest_auction_then_the_finest_resolution(swap: bool) -> None:
    content = [SDAC, HOURLY, EXAA]
    found = shown(*(reversed(content) if swap else content))
    assert found == [*quarters(10, 20.5, -30, 40), *quarters(75, 76, 77, 78, start=NOON + HOUR)]


def test_a_further_auction_that_stands_in_is_not_final() -> None:
    assert read(SDAC, EXAA).final is False
    assert read(SDAC, series(period(FOUR), position="2")).final is True
    assert read(EXAA).final is True


def test_a_hole_is_not_filled_from_another_auction_or_from_hours() -> None:
    holed = series(period([FOUR[0], FOUR[3]]), position="1")
    same = series(period(FOUR), position="2")
    assert shown(holed, HOURLY, same) == quarters(10, None, None, 40)


def test_no_position_is_the_first_and_the_tenth_is_after_the_second() -> None:
    second = series(period([(1, 2)]), position="2", curve="A03")
    tenth = series(period([(1, 10)]), position="10", curve="A03")
    assert shown(tenth, second) == quarters(2, 2, 2, 2)
    assert shown(second, series(period(FOUR))) == quarters(10, 20.5, -30, 40)


def test_intraday_is_not_day_ahead() -> None:
    intraday = series(period([(1, 1)]), contract="A07", curve="A03")
    assert shown(intraday, SDAC) == quarters(10, 20.5, -30, 40)
    assert len(read(intraday).curve) == 0


def test_the_same_twice_is_once_and_two_that_differ_are_none() -> None:
    assert shown(SDAC, SDAC) == quarters(10, 20.5, -30, 40)
    other = series(period([*FOUR[:3], (4, 41)]))
    assert shown(SDAC, other) == quarters(10, 20.5, -30)
    assert "contradict themselves" in read(SDAC, other).curve.notes[0]


def test_hours_then_quarters() -> None:
    early = series(period([(1, 99), (2, 98)], resolution="PT60M", start=NOON - 2 * HOUR, hours=2))
    assert shown(early, SDAC) == [
        ("10:00", "11:00", 99),
        ("11:00", "12:00", 98),
        *quarters(10, 20.5, -30, 40),
    ]


# --------------------------------------------------------------- currency, unit, zone


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"currency": "PLN"}, "are in PLN and not in EUR"),
        ({"currency": ""}, "are in an unknown currency and not in EUR"),
        ({"unit": "KWH"}, "are per KWH, not per MWh"),
        ({"unit": ""}, "are per an unknown unit"),
    ],
)
def test_other_currencies_and_units_are_refused(more: dict[str, str], sentence: str) -> None:
    with pytest.raises(DeviceRefused, match=sentence):
        read(series(period(FOUR), **more))
    # Beside good ones they are left out, and a note says so.
    other = series(period([(1, 500)], start=NOON + HOUR), **more)
    assert shown(SDAC, other) == quarters(10, 20.5, -30, 40)
    assert sentence in read(SDAC, other).curve.notes[0]


def test_the_owner_may_want_another_currency() -> None:
    both = SDAC, series(period([(1, 500)]), currency="PLN", curve="A03")
    assert [slot.value for slot in read(*both, currency="PLN").curve] == [0.5] * 4


def test_another_zone_is_refused() -> None:
    with pytest.raises(CurveError, match="another bidding zone"):
        read(series(period(FOUR), zone="10YFI-1--------U"))
    assert shown(series(period(FOUR), zone="")) == quarters(10, 20.5, -30, 40)


def test_per_kwh() -> None:
    assert [slot.value for slot in read(SDAC).curve] == [0.01, 0.0205, -0.03, 0.04]
