"""The rate limit as Amber tells it, the pieces of a long time, and when to ask next."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.tariffs.amber.history import MARKET, market_day, pieces
from actors.tariffs.amber.interval import Interval
from actors.tariffs.amber.limits import RateLimits, read_limits, stop_after_429
from actors.tariffs.amber.plan import Seen, amounts, seen, wait
from actors.tariffs.amber.simulator.counter import Counter
from actors.tariffs.amber.site import chosen, read_sites
from bridge.errors import DeviceGarbled, DeviceRefused
from tests.amber.test_interval import sample

NOW = datetime(2026, 11, 20, 2, 30, 0, tzinfo=UTC)
HEADERS = {
    "RateLimit-Limit": "50",
    "RateLimit-Remaining": "47",
    "RateLimit-Reset": "211",
    "RateLimit-Policy": "50;w=300",
}


# ---------------------------------------------------------------------------- the headers


@pytest.mark.parametrize("change", [str.lower, str.upper, str])
def test_the_headers_are_read_in_any_case(change: type[str]) -> None:
    found = read_limits({change(name): value for name, value in HEADERS.items()}, NOW)
    assert found == RateLimits(50, 47, 211, "50;w=300", NOW)
    assert found.estimated_reset == NOW + timedelta(seconds=211)
    assert found.window == 300


def test_without_headers_there_is_nothing() -> None:
    assert read_limits({"content-type": "application/json"}, NOW) is None
    assert read_limits({}, NOW) is None


@pytest.mark.parametrize(
    ("policy", "window"),
    [
        ("50;w=300", 300),
        ("50; w=300 ;comment=x", 300),
        ("50;burst=5;w=60", 60),
        ("10;w=1, 50;w=300", 300),
        ("10;w=1, 20;w=60", None),
        ("50", None),
        ("50;w=", None),
        ("50;w=soon", None),
        ("w=300", None),
        (";;;,,", None),
        ("50;w=99999999999999999999", None),
    ],
)
def test_the_window_is_read_from_the_policy_or_unknown(policy: str, window: int | None) -> None:
    found = read_limits(HEADERS | {"RateLimit-Policy": policy}, NOW)
    assert found is not None
    assert found.window == window


@given(st.dictionaries(st.sampled_from(list(HEADERS)), st.text(max_size=30)))
def test_no_header_makes_an_error(headers: dict[str, str]) -> None:
    found = read_limits(headers, NOW)
    if found is not None:
        assert found.window is None or found.window >= 0
        assert found.estimated_reset is None or found.estimated_reset >= NOW
    assert stop_after_429(headers, NOW) >= 60


def test_after_a_429_nothing_is_asked_for_a_minute_at_least() -> None:
    assert stop_after_429({}, NOW) == 60
    assert stop_after_429(HEADERS, NOW) == 211
    assert stop_after_429(HEADERS | {"RateLimit-Reset": "5"}, NOW) == 60
    assert stop_after_429({"Retry-After": "400"}, NOW) == 400


def test_the_simulator_counts_as_the_service_does() -> None:
    counter = Counter()
    assert all(counter.count(1000 + number) for number in range(50))
    assert counter.headers(1050)["RateLimit-Reset"] == "250"
    assert counter.headers(1050)["RateLimit-Remaining"] == "0"
    assert not counter.count(1060)
    # The wait begins anew with each request.
    assert not counter.count(1359)
    assert counter.headers(1359)["RateLimit-Reset"] == "300"
    assert counter.count(1659)


# ---------------------------------------------------------------------------- pieces


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400))
def test_the_pieces_are_the_days_once_each_and_no_longer_than_a_week(
    start: date, days: int
) -> None:
    end = start + timedelta(days=days)
    found = pieces(start, end)
    every = [
        first + timedelta(days=n) for first, last in found for n in range((last - first).days + 1)
    ]
    assert every == [start + timedelta(days=n) for n in range(days + 1)]
    assert all((last - first).days < 7 for first, last in found)
    assert pieces(end, start) == ([] if days else [(start, end)])


def test_the_markets_day_has_no_daylight_saving() -> None:
    # 00:30 on the 21st in Sydney in summer (UTC+11) is still the 20th at the market.
    assert market_day(datetime(2026, 11, 20, 13, 30, tzinfo=UTC)) == date(2026, 11, 20)
    assert market_day(datetime(2026, 11, 20, 14, 0, tzinfo=UTC)) == date(2026, 11, 21)
    assert MARKET.utcoffset(None) == timedelta(hours=10)


# ---------------------------------------------------------------------------- when to ask


def current(start: datetime, estimate: bool | None, minutes: int = 5) -> Interval:
    end = start + timedelta(minutes=minutes)
    return Interval(kind="current", channel="general", start=start, end=end, estimate=estimate)


def test_a_final_price_stands_until_the_next_can_be_there() -> None:
    last = seen(Seen(), current(NOW, False), NOW + timedelta(seconds=35))
    assert wait(last, NOW + timedelta(seconds=35), 0.0) == 295
    assert wait(last, NOW + timedelta(seconds=35), 1.0) == 303


def test_an_estimate_is_asked_for_three_times_more_and_then_once_a_minute() -> None:
    last, now, pauses = Seen(), NOW + timedelta(seconds=30), []
    for _ in range(6):
        last = seen(last, current(NOW, True, 30), now)
        pauses.append(wait(last, now, 0.0))
        now += timedelta(seconds=pauses[-1])
    assert pauses == [10, 10, 10, 30, 60, 60]
    last = seen(last, current(NOW, False, 30), now)
    assert wait(last, now, 0.0) > 60


def test_while_the_new_interval_is_not_shown_it_is_waited_for() -> None:
    last = seen(Seen(), None, NOW + timedelta(seconds=30))
    assert last.current is None
    assert wait(last, NOW + timedelta(seconds=30), 0.0) == 10
    forecast = Interval(
        kind="forecast", channel="general", start=NOW, end=NOW + timedelta(minutes=5)
    )
    last = seen(Seen(), forecast, NOW + timedelta(seconds=30))
    assert wait(last, NOW + timedelta(seconds=30), 0.0) == 10


def test_what_others_use_of_the_account_is_left_to_them() -> None:
    last = seen(Seen(), current(NOW, True), NOW)
    few = RateLimits(50, 4, 240, "50;w=300", NOW)
    assert wait(last, NOW, 0.0, few) == 240
    assert wait(last, NOW + timedelta(seconds=241), 0.0, few) < 60
    absurd = RateLimits(50, 4, 600_000, None, NOW)
    assert wait(last, NOW, 0.0, absurd) == 600


@given(
    second=st.floats(0, 86400),
    estimate=st.sampled_from([True, False, None]),
    share=st.floats(0, 1, exclude_max=True),
    tries=st.integers(0, 9),
)
def test_the_wait_is_never_hot_and_never_misses_an_interval(
    second: float, estimate: bool | None, share: float, tries: int
) -> None:
    now = NOW + timedelta(seconds=second)
    last = Seen(current(NOW, estimate, 30), NOW, tries)
    assert 10 <= wait(last, now, share) <= 310


def test_how_much_is_asked_for() -> None:
    five, thirty = timedelta(minutes=5), timedelta(minutes=30)
    midnight = NOW - timedelta(hours=13, minutes=30)
    assert amounts(NOW, midnight, 48, thirty, full=True) == (27, 96)
    assert amounts(NOW, midnight, 48, five, full=True) == (162, 576)
    assert amounts(NOW, midnight, 48, five, full=False) == (1, 12)
    assert amounts(NOW, midnight, 48, thirty, full=False) == (1, 2)


# ---------------------------------------------------------------------------- sites


def test_the_only_active_site_is_taken_and_an_id_in_any_case() -> None:
    sites = read_sites(sample("sites"))
    active = next(site for site in sites if site.status == "active")
    assert chosen(sites, None) == active
    assert chosen(sites, active.id.lower()) == active
    assert (active.length, active.network) == (30, "Ausgrid")
    assert [(m.identifier, m.type) for m in active.channels][-1] == ("B1", "feedIn")


def test_every_other_site_is_a_plain_sentence() -> None:
    sites = read_sites(sample("sites"))
    closed = next(site for site in sites if site.status == "closed")
    for wanted, among, sentence in (
        (closed.id, sites, "is closed at Amber; active: 01H"),
        ("01NOPE", sites, "has no site 01NOPE; active: 01H"),
        ("01NOPE", [closed], "nor an active one"),
        (None, [closed], "has no active site"),
        (None, [*sites, *sites], "several active sites: set 'site' to 01H"),
    ):
        with pytest.raises(DeviceRefused) as caught:
            chosen(among, wanted)
        assert sentence in str(caught.value)


@pytest.mark.parametrize("raw", [None, {}, [1], [{}], [{"id": 7}]])
def test_sites_that_are_none_are_refused(raw: object) -> None:
    with pytest.raises(DeviceGarbled):
        read_sites(raw)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "nmi", "channels", "status", "intervalLength", "activeFrom"]),
            st.none()
            | st.integers()
            | st.text(max_size=5)
            | st.lists(st.none() | st.integers(), max_size=2),
        ),
        max_size=3,
    )
)
def test_sites_of_nonsense_make_no_traceback(raw: list[dict[str, object]]) -> None:
    usable = all(isinstance(each.get("id"), str) and each["id"] for each in raw)
    if not usable:
        with pytest.raises(DeviceGarbled):
            read_sites(raw)
        return
    with contextlib.suppress(DeviceRefused):
        assert chosen(read_sites(raw), None).status == "active"
