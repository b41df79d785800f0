"""The actor beside its simulator, over real HTTP: days, faults, quirks, words."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.tariffs.tibber.settings import Settings
from actors.tariffs.tibber.sim import FAULTS, QUIRKS, TOKEN, Simulator
from bridge.config.secret import Secret
from bridge.curve import local_day
from tests.support.days import Days, lived
from tests.support.tariffs import life, slots, stamp
from tests.tibber.rig import EVENING, tibber

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.clock import Clock

ZONES = ("Europe/Berlin", "Europe/Oslo", "Europe/Amsterdam")
SHORT, LONG = date(2027, 3, 28), date(2026, 10, 25)
QUARTER = timedelta(minutes=15)
folders = itertools.count()


def said(sim: Simulator, *days: date) -> list[tuple[str, str, float]]:
    """What the simulator says of whole days, reckoned from its market."""
    found = []
    for day in days:
        start, end = local_day(day, sim.account.market.zone)
        prices = sim.account.prices(day, "QUARTER_HOURLY")
        assert len(prices) == (end - start) / QUARTER
        for place, each in enumerate(prices):
            moment = start + place * QUARTER
            assert datetime.fromisoformat(each["startsAt"]) == moment
            found.append((stamp(moment), stamp(moment + QUARTER), each["total"]))
    return found


@settings(
    max_examples=14,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    day=st.one_of(
        st.sampled_from([SHORT, LONG, SHORT - timedelta(days=1), LONG - timedelta(days=1)]),
        st.dates(date(2026, 1, 1), date(2029, 12, 31)),
    ),
    hour=st.integers(0, 23),
    zone=st.sampled_from(ZONES),
    prices=st.sampled_from(["usual", "negative", "flat"]),
)
def test_it_publishes_what_the_service_says(
    tmp_path: Path, day: date, hour: int, zone: str, prices: str
) -> None:
    local = datetime.combine(day, time(hour, 7), ZoneInfo(zone))
    sims: list[Simulator] = []

    def simulator(clock: Clock) -> Simulator:
        sims.append(Simulator(zone=zone, prices=prices, clock=clock))
        return sims[-1]

    make = tibber(tmp_path / str(next(folders)), timezone=zone)
    wire = life(simulator, make, begin=local.astimezone(UTC))
    days = [day, day + timedelta(days=1)] if hour >= 13 else [day]
    wanted = said_at(sims[0], local.astimezone(UTC), days)
    assert slots(wire) == wanted
    now = stamp(local.astimezone(UTC))
    (price,) = [each for start, end, each in wanted if start <= now < end]
    assert float(wire.last("Tariffs/dut/ImportPrice") or "nan") == pytest.approx(price)
    assert wire.last("Tariffs/dut/PriceDescriptor")
    assert not wire.last("Actors/dut/Messages/Warning")


def said_at(sim: Simulator, moment: datetime, days: list[date]) -> list[tuple[str, str, float]]:
    """As `said`, at a moment of a clock that has ended with its loop."""
    sim.account._now = lambda: moment
    return said(sim, *days)


def test_days_of_92_96_and_100_quarter_hours(tmp_path: Path) -> None:
    for day, count in ((SHORT, 92), (date(2026, 11, 20), 96), (LONG, 100)):
        begin = datetime.combine(day, time(9), UTC)
        wire = life(lambda clock: Simulator(clock=clock), tibber(tmp_path / str(day)), begin=begin)
        found = slots(wire)
        assert len(found) == count
        assert len({start for start, _, _ in found}) == count


@pytest.mark.parametrize("quirk", list(QUIRKS))
def test_quirks_change_nothing(tmp_path: Path, quirk: str) -> None:
    plain = life(lambda clock: Simulator(clock=clock), tibber(tmp_path / "plain"), begin=EVENING)
    wire = life(
        lambda clock: Simulator(clock=clock, quirks=[quirk]),
        tibber(tmp_path / "quirk"),
        begin=EVENING,
    )
    assert not wire.last("Actors/dut/Messages/Warning")
    found, wanted = slots(wire), slots(plain)
    assert len(wanted) == 192
    if quirk == "mixed":
        assert len(found) == 24 + 96
        assert found[24:] == wanted[96:]
        assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
        assert [each[2] for each in found[:24]] == [each[2] for each in wanted[:96:4]]
    else:
        assert found == wanted


SENTENCES = {
    "busy": "was asked too often",
    "busy_plain": "was asked too often",
    "broken": "failed inside (HTTP 500)",
    "down": "failed inside (HTTP 503)",
    "html": "a web page instead of data",
    "slow": "did not answer within 5 s",
    "half": "broke off in the middle",
    "redirect": "redirects to another address",
    "login": "Tibber refuses the token: make a new one at developer.tibber.com",
    "no_contract": "the home Home (5e1f0000-0000-4000-8000-000000000001) has no running contract",
    "question": "Tibber does not understand the question for prices",
    "inside": "Tibber failed inside, as it says itself",
    "other": "Tibber reports an error: not today, ***",
    "empty": "the service answers, but has no price for today or later",
    "nulls": "the service answers, but has no price for today or later",
    "words": "Tibber's prices cannot be used: 'cheap' is not a number",
    "currency": "Tibber's prices are partly in EUR and SEK, and are not used",
    "naive": "has no offset from UTC",
}
WARNINGS = {
    "empty": "Tibber has no prices for this home at present",
    "nulls": "Tibber has no prices for this home at present",
    "gap": "the prices have a hole: 2026-11-20 05:00 to 06:00, 2026-11-21 05:00 to 06:00",
    "overlap": "prices contradict themselves between 2026-11-20T06:30Z and 2026-11-21T06:45Z",
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_every_fault_has_its_sentence(tmp_path: Path, fault: str) -> None:
    def simulator(clock: Clock) -> Simulator:
        sim = Simulator(clock=clock)
        sim.fault = fault
        return sim

    wire = life(simulator, tibber(tmp_path), begin=EVENING)
    assert {fault} & (SENTENCES.keys() | WARNINGS.keys())
    assert SENTENCES.get(fault, "") in (wire.error or "")
    assert (wire.error is None) == (fault not in SENTENCES)
    assert WARNINGS.get(fault, "") in (wire.last("Actors/dut/Messages/Warning") or "")
    assert len(slots(wire)) == {"gap": 184, "overlap": 190}.get(fault, 0)
    written = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    names = " ".join(map(str, tmp_path.rglob("*")))
    sent = b"".join(payload for _, _, payload in wire.sent)
    for where in (written, names.encode(), sent):
        assert TOKEN.encode() not in where


def test_a_change_of_currency_is_refused_and_what_is_known_stays(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> None:
        async with Simulator(clock=clock) as sim:
            actor = tibber(tmp_path)(sim, clock)
            await actor.ask_once()
            before = actor.known
            sim.account.currency = "NOK"
            await clock.sleep(3600)
            await actor.ask_once()
            assert "came in NOK and not in EUR" in (actor.error or "")
            assert actor.known is before
            await actor.safe()

    lived(scenario, begin=EVENING)


def test_several_homes(tmp_path: Path) -> None:
    def told(name: str, **more: Any) -> tuple[str | None, int]:
        wire = life(
            lambda clock: Simulator(clock=clock, homes=3, **{"contracts": 2, **more}),
            tibber(tmp_path / name, home=None if name[0] == "-" else name),
            begin=EVENING,
        )
        return wire.error, len(slots(wire))

    error, count = told("-")
    assert "several homes: set 'home' to Home (5e1f" in (error or "")
    assert count == 0
    assert told("cabin") == (None, 192)
    assert "Workshop" in (told("Workshop")[0] or "")
    assert told("-one", contracts=1) == (None, 192)


def test_two_homes_of_one_account_share_an_answer(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> int:
        async with Simulator(clock=clock, homes=2) as sim:
            for name in ("Home", "Cabin"):
                actor = tibber(tmp_path, home=name)(sim, clock)
                await actor.ask_once()
                assert actor.error is None
                await actor.safe()
            return len(sim.requests)

    assert lived(scenario, begin=EVENING) == 1


def test_the_word_follows_the_time_and_outlives_a_restart(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> tuple[list[str | None], list[str | None], str | None]:
        async with Simulator(clock=clock, prices="negative") as sim:
            actor: Any = tibber(tmp_path)(sim, clock)
            await actor.ask_once()
            day = sim.account.prices(date(2026, 11, 20), "QUARTER_HOURLY")
            starts = [datetime.fromisoformat(each["startsAt"]) for each in day]
            words = [actor.levels.at(each + timedelta(minutes=7)) for each in starts]
            await actor.safe()
            again: Any = tibber(tmp_path)(sim, clock)
            await again.safe()
            wanted = [each["level"].lower() for each in day]
            return words, wanted, again.levels.at(EVENING)

    words, wanted, kept = lived(scenario, begin=EVENING)
    assert words == wanted
    assert len(set(words)) >= 4
    # 18:07 UTC is the 77th quarter-hour of the day in Berlin.
    assert kept == words[76]


def test_the_fee_and_the_tax_of_the_owner(tmp_path: Path) -> None:
    formula = {"price": "energy", "import_formula": "price * 2 + 1", "export_formula": "price"}
    wire = life(
        lambda clock: Simulator(clock=clock, prices="flat"),
        tibber(tmp_path, **formula),
        begin=EVENING,
    )
    point = wire.json("Tariffs/dut/Curve")[0]
    assert (point["import"], point["export"]) == (1.16, 0.08)


async def test_a_simulator_says_what_it_does_not_take() -> None:
    for wrong in ({"quirks": "no"}, {"homes": 9}, {"prices": "low"}):
        with pytest.raises(ValueError, match="is"):
            Simulator(clock=Days(), **wrong)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"token": Secret("")}, "token"),
        ({"token": Secret("two words")}, "token"),
        ({"url": "http://api.tibber.com/v1-beta/gql"}, "url"),
        ({}, None),
    ],
)
def test_settings(given: dict[str, Any], field: str | None) -> None:
    found = Settings(**{"token": Secret("t"), **given})
    assert [name for name, _ in found.check()] == ([] if field is None else [field])
