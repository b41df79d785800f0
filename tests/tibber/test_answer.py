"""What Tibber answers, by hand: errors, homes, prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from actors.tariffs.tibber.answer import Home, chosen, read_homes, refusal
from actors.tariffs.tibber.decode import read_prices
from bridge.errors import CurveError, DeviceGarbled, DeviceRefused
from tests.tibber.rig import HOME, answer, home, item

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)


def error(message: Any, code: str | None = None) -> dict[str, Any]:
    about = {} if code is None else {"extensions": {"code": code}}
    return {"errors": [{"message": message, **about}], "data": None}


def prices(*items: Any, part: str = "total", **more: Any) -> Any:
    return read_prices(read_homes(answer(home(*items, **more)))[0], part, BERLIN)


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (error("no", "UNAUTHENTICATED"), "refuses the token"),
        (error("no", "FORBIDDEN"), "refuses access"),
        (error("no", "GRAPHQL_VALIDATION_FAILED"), "does not understand the question"),
        (error("no", "INTERNAL_SERVER_ERROR"), "failed inside"),
        (error("Out to lunch.", "LUNCH"), "reports an error: Out to lunch"),
        (error("for s3cret\nonly"), "reports an error: for *** only"),
        (error(None, "LUNCH"), "reports an error: LUNCH"),
        ({"errors": ["plain"]}, "reports an error: plain"),
        ({"errors": "plain"}, "reports an error: plain"),
        ({"errors": [{}], "data": answer(home())["data"]}, "no reason given"),
    ],
)
def test_errors_come_first(raw: Any, sentence: str) -> None:
    with pytest.raises(DeviceRefused, match=sentence.replace("*", r"\*")):
        read_homes(raw, "s3cret")


def test_no_errors() -> None:
    assert refusal({"errors": [], "data": {}}) is None
    assert refusal({"data": {}}) is None
    assert refusal([]) is None


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {"data": None},
        {"data": {"viewer": None}},
        {"data": {"viewer": {"homes": {}}}},
        answer({"timeZone": "Europe/Berlin"}),
        answer("home"),
        answer(home(currentSubscription={"priceInfo": {"today": "x"}})),
    ],
)
def test_something_else_is_refused(raw: Any) -> None:
    with pytest.raises(DeviceGarbled):
        read_homes(raw)


# ------------------------------------------------------------------------------------------- homes


def homes(*names: tuple[str, str, bool]) -> list[Home]:
    return [Home(key, name, contract=contract) for key, name, contract in names]


def test_the_only_home_and_the_only_one_with_a_contract() -> None:
    assert chosen(homes(("a", "", True)), None).id == "a"
    assert chosen(homes(("a", "", False), ("b", "", True)), None).id == "b"


def test_a_home_by_its_id_or_its_nickname() -> None:
    two = homes(("a1", "Home", True), ("b2", "Cabin", True))
    assert chosen(two, "B2").id == "b2"
    assert chosen(two, " cabin ").id == "b2"


@pytest.mark.parametrize(
    ("given", "wanted", "sentence"),
    [
        ([], None, "has no home$"),
        (
            [("a", "Home", True), ("b", "", True)],
            None,
            r"several homes: set 'home' to Home \(a\), b",
        ),
        ([("a", "Home", False), ("b", "", False)], None, "several homes"),
        ([("a", "Home", True)], "Cabin", r"no home Cabin: there are Home \(a\)"),
        ([("a", "X", True), ("b", "x", True)], "x", "several homes are called x: .* a, b"),
        ([("a", "Home", False)], None, "has no running contract"),
        ([("a", "Home", False), ("b", "", True)], "home", "has no running contract"),
    ],
)
def test_which_home_is_meant_must_be_clear(given: Any, wanted: str | None, sentence: str) -> None:
    with pytest.raises(DeviceRefused, match=sentence):
        chosen(homes(*given), wanted)


def test_what_is_not_known_of_a_home() -> None:
    (bare,) = read_homes(answer({"id": HOME, "currentSubscription": None}))
    assert bare == Home(HOME)
    (found,) = read_homes(answer(home(currentSubscription={"status": "ended", "priceInfo": None})))
    assert (found.contract, found.items) == (True, ())


# ------------------------------------------------------------------------------------------ prices


def test_prices_end_where_the_next_begin() -> None:
    found = prices(item("20T00:00+01:00", 0.25), item("20T00:15+01:00", -0.01))
    start = datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert [(each.start, each.end, each.value) for each in found.curve] == [
        (start, start + QUARTER, 0.25),
        (start + QUARTER, start + 2 * QUARTER, -0.01),
    ]
    assert (found.currency, found.curve.notes) == ("EUR", ())


def test_total_or_energy() -> None:
    both = (item("20T00:00+01:00", 0.3), item("20T00:15+01:00", 0.3))
    assert [each.value for each in prices(*both).curve] == [0.3, 0.3]
    assert [each.value for each in prices(*both, part="energy").curve] == [0.1, 0.1]


def test_the_hour_that_comes_twice() -> None:
    quarters = [
        item(f"25T02:{minute:02}+0{offset}:00", offset + minute / 100)
        | {"startsAt": f"2026-10-25T02:{minute:02}:00.000+0{offset}:00"}
        for offset in (2, 1)
        for minute in (0, 15, 30, 45)
    ]
    found = prices(*quarters).curve
    assert found.start == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert [each.value for each in found] == [2.0, 2.15, 2.3, 2.45, 1.0, 1.15, 1.3, 1.45]
    assert {each.length for each in found} == {QUARTER}


def test_null_is_a_hole_and_no_tomorrow_is_none() -> None:
    times = ("20T00:00+01:00", "20T00:15+01:00", "20T00:30+01:00")
    found = prices(*(item(at, price) for at, price in zip(times, (0.2, None, 0.3), strict=True)))
    assert [each.value for each in found.curve] == [0.2, 0.3]
    assert found.curve.notes == ("the prices have a hole: 2026-11-20 00:15 to 00:30",)
    assert len(prices(item(times[0]), item(times[1]), tomorrow=None).curve) == 2


def test_today_and_tomorrow_are_one_curve() -> None:
    found = prices(item("20T23:45+01:00", 0.2), tomorrow=[item("21T00:00+01:00", 0.3)])
    assert [each.value for each in found.curve] == [0.2, 0.3]
    assert found.curve.notes == ()


def test_without_prices_it_says_so() -> None:
    found = prices()
    assert (len(found.curve), found.currency) == (0, None)
    assert found.curve.notes == ("Tibber has no prices for this home at present",)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (item("20T00:00", 0.2), "no offset"),
        (item("20T00:00+01:00", "cheap"), "not a number"),
        (item("20T00:00+01:00") | {"startsAt": None}, "is not a time"),
        (item("20T00:00+01:00", currency="NOK"), "partly in EUR and NOK"),
        ("cheap", "is no object"),
    ],
)
def test_what_cannot_be_right_is_refused(bad: Any, sentence: str) -> None:
    with pytest.raises(CurveError, match=sentence):
        prices(item("20T00:15+01:00"), bad, item("20T00:30+01:00"))


def test_levels_are_of_slots_that_have_a_price() -> None:
    found = prices(
        item("20T00:00+01:00", level="VERY_CHEAP"),
        item("20T00:15+01:00", None, level="CHEAP"),
        item("20T00:30+01:00", level=None),
        item("20T00:45+01:00", level="not a word!"),
    )
    assert [(each.word, each.end - each.start) for each in found.levels] == [
        ("very_cheap", QUARTER)
    ]
