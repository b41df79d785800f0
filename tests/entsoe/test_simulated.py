"""The actor beside its simulator, over real HTTP: days, faults, quirks."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.tariffs.entsoe.sim import FAULTS, QUIRKS, TOKEN, Simulator
from tests.entsoe.rig import CODE, EVENING, entsoe
from tests.support.days import Days, lived
from tests.support.tariffs import life, slots, stamp

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.clock import Clock

SHORT, LONG = date(2027, 3, 28), date(2026, 10, 25)
MARKET = ZoneInfo("Europe/Brussels")
folders = itertools.count()


def said(sim: Simulator, *days: date) -> list[tuple[str, str, float]]:
    """What the simulator says of whole days."""
    return [
        (stamp(start), stamp(end), round(value / 1000, 5))
        for day in days
        for start, end, value in sim.values(day)
    ]


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
    minutes=st.sampled_from([15, 15, 30, 60]),
    prices=st.sampled_from(["usual", "negative", "flat"]),
    a03=st.booleans(),
)
def test_it_publishes_what_the_service_says(
    tmp_path: Path, day: date, hour: int, minutes: int, prices: str, a03: bool
) -> None:
    now = datetime.combine(day, time(hour, 7), MARKET).astimezone(UTC)
    sims: list[Simulator] = []

    def simulator(clock: Clock) -> Simulator:
        quirks = ["a03"] if a03 else []
        sims.append(Simulator(minutes=minutes, prices=prices, quirks=quirks, clock=clock))
        return sims[-1]

    wire = life(simulator, entsoe(tmp_path / str(next(folders))), begin=now)
    days = [day, day + timedelta(days=1)] if hour >= 13 else [day]
    wanted = said(sims[0], *days)
    assert slots(wire) == wanted
    (price,) = [each for start, end, each in wanted if start <= stamp(now) < end]
    assert float(wire.last("Tariffs/dut/ImportPrice") or "nan") == pytest.approx(price)
    assert not wire.last("Actors/dut/Messages/Warning")


def test_days_of_92_96_and_100_quarter_hours(tmp_path: Path) -> None:
    for day, count in ((SHORT, 92), (date(2026, 11, 20), 96), (LONG, 100)):
        begin = datetime.combine(day, time(9), UTC)
        wire = life(lambda clock: Simulator(clock=clock), entsoe(tmp_path / str(day)), begin=begin)
        assert len(slots(wire)) == count


def test_a_house_east_of_the_market_has_its_whole_day(tmp_path: Path) -> None:
    # In Helsinki the day began at 22:00 UTC, an hour before that of the market.
    begin = datetime(2026, 11, 20, 9, tzinfo=UTC)
    wire = life(
        lambda clock: Simulator(clock=clock, zone="FI"),
        entsoe(tmp_path, timezone="Europe/Helsinki"),
        begin=begin,
    )
    found = slots(wire)
    assert (found[0][0], found[-1][1]) == ("2026-11-19T22:00:00Z", "2026-11-20T23:00:00Z")


def test_hours_until_a_day_and_quarters_from_then_on(tmp_path: Path) -> None:
    wire = life(
        lambda clock: Simulator(clock=clock, switched=date(2026, 11, 21)),
        entsoe(tmp_path),
        begin=EVENING,
    )
    assert len(slots(wire)) == 24 + 96


@pytest.mark.parametrize("quirk", list(QUIRKS))
def test_quirks_change_nothing(tmp_path: Path, quirk: str) -> None:
    sims: list[Simulator] = []

    def simulator(clock: Clock) -> Simulator:
        sims.append(Simulator(clock=clock, quirks=[quirk]))
        return sims[-1]

    wire = life(simulator, entsoe(tmp_path), begin=EVENING)
    assert wire.error is None
    assert not wire.last("Actors/dut/Messages/Warning")
    assert slots(wire) == said(sims[0], date(2026, 11, 20), date(2026, 11, 21))


def test_a03_really_leaves_points_out(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> int:
        async with Simulator(clock=clock, prices="flat", quirks=["a03"]) as sim:
            actor: Any = entsoe(tmp_path)(sim, clock)
            found = await actor.client.prices(CODE, EVENING, EVENING + timedelta(hours=1))
            await actor.ask_once()
            assert len(actor.known) == 192
            await actor.safe()
            return len(found)

    assert lived(scenario, begin=EVENING) == 1


NOTHING = "ENTSO-E has no prices of DE-LU for these days yet"
NO_PRICE = "the service answers, but has no price for today or later"
SENTENCES = {
    "busy": "was asked too often",
    "busy_plain": "was asked too often",
    "broken": "failed inside (HTTP 500)",
    "down": "failed inside (HTTP 503)",
    "html": "a web page instead of data",
    "slow": "did not answer within 5 s",
    "half": "broke off in the middle",
    "redirect": "redirects to another address",
    "login": "ENTSO-E refuses the token",
    "question": "ENTSO-E refuses the question: The query with *** is not valid",
    "nothing": NO_PRICE,
    "nothing_400": NO_PRICE,
    "truncated": "data that cannot be read",
    "entities": "a document type, which is refused",
    "other": "another document than one of prices",
    "nulls": NO_PRICE,
    "words": "'cheap' is not a number",
    "phantom": "it has a position that is not from 1 to 96",
    "currency": "are in PLN and not in EUR",
    "unit": "are per KWH, not per MWh",
    "elsewhere": "the prices of another bidding zone",
}
WARNINGS = {
    "nothing": NOTHING,
    "nothing_400": NOTHING,
    "nulls": NOTHING,
    "gap": "the prices have a hole: 2026-11-20 05:00 to 06:00, 2026-11-21 05:00 to 06:00",
    "overlap": "the prices contradict themselves between 2026-11-20T06:30Z and 2026-11-21T07:30Z",
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_every_fault_has_its_sentence(tmp_path: Path, fault: str) -> None:
    def simulator(clock: Clock) -> Simulator:
        sim = Simulator(clock=clock)
        sim.fault = fault
        return sim

    wire = life(simulator, entsoe(tmp_path), begin=EVENING)
    assert {fault} & (SENTENCES.keys() | WARNINGS.keys())
    assert SENTENCES.get(fault, "") in (wire.error or "")
    assert (wire.error is None) == (fault not in SENTENCES)
    assert WARNINGS.get(fault, "") in (wire.last("Actors/dut/Messages/Warning") or "")
    assert len(slots(wire)) == {"gap": 184, "overlap": 184}.get(fault, 0)
    written = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    names = " ".join(map(str, tmp_path.rglob("*")))
    sent = b"".join(payload for _, _, payload in wire.sent)
    for where in (written, names.encode(), sent):
        assert TOKEN.encode() not in where


def test_the_question_is_one_for_both_days(tmp_path: Path) -> None:
    def asked(begin: datetime) -> str:
        sims: list[Simulator] = []

        def simulator(clock: Clock) -> Simulator:
            sims.append(Simulator(clock=clock))
            return sims[-1]

        life(simulator, entsoe(tmp_path / f"{begin:%m%d%H}"), begin=begin)
        (question,) = sims[0].requests
        return question

    spring = asked(datetime(2027, 3, 28, 9, tzinfo=UTC))
    assert "periodStart=202703272300&periodEnd=202703292200" in spring
    assert f"documentType=A44&in_Domain={CODE}&out_Domain={CODE}" in spring
    # At 23:30 UTC it is tomorrow already.
    late = asked(datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    assert "periodStart=202611202300&periodEnd=202611222300" in late


def test_a_further_auction_first_and_the_coupled_one_later(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> tuple[float, float, float, float]:
        async with Simulator(clock=clock, quirks=["auctions"]) as sim:
            # Tomorrow's coupled prices are late; those of the other auction are there.
            inner = sim._block
            late = True

            def block(day: date, minutes: int | None = None) -> Any:
                found = inner(day, minutes)
                if late and day == date(2026, 11, 21):
                    return type(found)(
                        found.start, found.end, found.resolution, found.points, position=3
                    )
                return found

            sim._block = block  # type: ignore[method-assign]
            actor: Any = entsoe(tmp_path)(sim, clock)
            wait = await actor.ask_once()
            moment = datetime(2026, 11, 21, 12, tzinfo=UTC)
            before = actor.known.at(moment)
            late = False
            await clock.sleep(wait)
            later = await actor.ask_once()
            await actor.safe()
            return wait, before, later, actor.known.at(moment)

    wait, before, later, after = lived(scenario, begin=EVENING)
    assert wait <= 900
    assert later > 3600
    assert before == pytest.approx(after + 0.1)


async def test_a_simulator_says_what_it_does_not_take() -> None:
    for wrong in ({"quirks": "no"}, {"zone": "Mars"}, {"minutes": 7}, {"prices": "low"}):
        with pytest.raises(ValueError, match=" "):
            Simulator(clock=Days(), **wrong)
