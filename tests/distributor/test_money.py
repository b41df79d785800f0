"""What power is worth: over the grid, in the battery as a buffer, in a consumer that bids."""

from __future__ import annotations

import math

import pytest

from actors.distributor.balance import SiteValues
from actors.distributor.requests import ConsumerRule, Terms, terms
from actors.distributor.value import buffer
from actors.distributor.value.bids import Sky, bid_for, top_of, worth_of
from actors.distributor.value.buffer import Answers
from actors.distributor.value.money import Prices, Storage

PLAIN = Prices(0.30, 0.08)
BATTERY = Storage(max_charge=5000, max_discharge=4000, tiers=[(60, 0.28), (100, 0.1)])


def asked(rule: ConsumerRule | None = None, **fields: float) -> Terms:
    said = {"IsAutomatic": True, "Request": 1000.0, **fields}
    return terms("pool", said, rule or ConsumerRule(), {})


def sky(soc: float | None = None, reservation: float = 0.0, house: Prices = PLAIN) -> Sky:
    storage = None if soc is None else BATTERY
    return Sky(0.0, 0.0, 0.0, 0.0, None, reservation, house, storage, soc)


def test_a_watt_is_sold_or_bought() -> None:
    assert PLAIN.earn(1000) == pytest.approx(80)
    assert PLAIN.earn(-1000) == pytest.approx(-300)
    assert PLAIN.earn_each([1000, -1000, 0]) == pytest.approx([80, -300, 0])
    assert PLAIN.spare(0.25) == 0
    assert PLAIN.spare(0.08) > 1e8  # sold for as much: it takes nothing
    assert PLAIN.spare(0.31) < -1e8  # worth buying: it takes all
    assert PLAIN.threshold(0.25) == pytest.approx(0.05 / 0.22)
    assert PLAIN.threshold(0.09) == pytest.approx(0.21 / 0.22)
    assert PLAIN.threshold(0.31) == 0
    assert Prices(0.1, 0.2).threshold(0.05) == 1


def test_what_the_battery_keeps_for_itself_ends_at_an_edge() -> None:
    assert BATTERY.edge(0.25) == 60  # 0.28 / 0.95 is more than that
    assert BATTERY.edge(0.28 / 0.95) == 60
    assert BATTERY.edge(0.30) == 10  # above all that is stored: down to what it never gives
    assert BATTERY.edge(0.05) == 100
    sunken = Storage(max_charge=1, max_discharge=1, tiers=[(100, 0.2)], soc_max=90)
    assert sunken.edge(0.1) == 90


def test_below_the_edge_a_kwh_is_dear_and_above_it_cheap() -> None:
    assert BATTERY.around(60, 0.3, 0.08) == pytest.approx(Prices(0.28 / 0.95, 0.1 * 0.95))
    # At the bottom nothing is given, at the top nothing taken: then the grid's price holds.
    assert BATTERY.around(10, 0.4, 0.08) == pytest.approx(Prices(0.4, 0.28 * 0.95))
    assert BATTERY.around(100, 0.3, 0.08) == pytest.approx(Prices(0.1 / 0.95, 0.08))
    assert BATTERY.around(100, 0.3, 0.25).lacking == 0.25  # never below what is left


def test_the_battery_bears_what_it_can() -> None:
    assert BATTERY.bears(1000, 2500) == 2500
    assert BATTERY.bears(-3000, 2500) == 1000  # 4000 W at most come out of it
    assert BATTERY.bears(9000, 2500) == 4000  # and 5000 W at most go into it


@pytest.mark.parametrize(
    ("soc", "usable"), [(None, False), (math.nan, False), (10.5, False), (10.6, True), (100, True)]
)
def test_an_unknown_or_empty_battery_is_no_buffer(soc: float | None, *, usable: bool) -> None:
    assert BATTERY.usable(soc) is usable
    assert Answers().buffers(BATTERY, SiteValues(0.0, 0.0, 0.0, soc), 0.0) is usable


def test_the_less_it_is_worth_the_fuller_the_battery_has_to_be() -> None:
    assert buffer.target(BATTERY, 60, 1.0) == 65
    assert buffer.target(BATTERY, 60, 0.5) == 82.5
    assert buffer.target(BATTERY, 60, 0.0) == 100
    assert buffer.target(BATTERY, 96, 1.0) == 98  # half of what room there is


def test_the_charge_is_steered_slowly_and_within_what_it_can() -> None:
    assert buffer.kept(BATTERY, 65, 65) == 0
    assert buffer.kept(BATTERY, 65, 64) == 400
    assert buffer.kept(BATTERY, 65, 66) == -400
    assert buffer.kept(BATTERY, 65, 20) == 5000
    assert buffer.kept(BATTERY, 65, 90) == -4000


@pytest.mark.parametrize(
    ("grid", "battery", "soc", "leaves"),
    [
        (400.0, 0.0, 50.0, True),  # bought, though it could give
        (400.0, 3800.0, 50.0, False),  # it gives all it can
        (200.0, 0.0, 50.0, False),  # too little to tell
        (-400.0, 0.0, 50.0, True),  # sold, though it could take
        (-400.0, -4800.0, 50.0, False),  # it takes all it can
        (-400.0, 0.0, 99.5, False),  # it is full
        (None, 0.0, 50.0, False),
        (400.0, None, 50.0, False),
    ],
)
def test_a_battery_that_does_not_answer_is_no_buffer_for_ten_minutes(
    grid: float | None, battery: float | None, soc: float, *, leaves: bool
) -> None:
    answers, known = Answers(), SiteValues(grid, 0.0, battery, soc)
    counts = [answers.buffers(BATTERY, known, float(second)) for second in range(61)]
    assert counts.index(False) == 60 if leaves else all(counts)
    works = SiteValues(50.0, 0.0, 900.0, soc)
    assert answers.buffers(BATTERY, works, 659.0) is not leaves
    assert answers.buffers(BATTERY, works, 660.0)


def let_down(answers: Answers, begin: float, *, known: SiteValues) -> float:
    """S from `begin` on for which it does not count on a battery at work, after one hold."""
    for second in range(61):
        answers.buffers(BATTERY, known, begin + second)
    second = 61
    while not answers.buffers(BATTERY, SiteValues(0.0, 0.0, 900.0, 50.0), begin + second):
        second += 1
    return second - 60


def test_who_is_let_down_again_waits_longer_and_after_a_good_while_not() -> None:
    answers, hold = Answers(), SiteValues(900.0, 0.0, 0.0, 50.0)
    assert let_down(answers, 0.0, known=hold) == 600
    assert let_down(answers, 1000.0, known=hold) == 1200
    assert let_down(answers, 3000.0, known=hold) == 2400
    assert let_down(answers, 50_000.0, known=hold) == 600


@pytest.mark.parametrize(
    ("grid", "battery", "works"),
    [
        (0.0, 0.0, False),  # at rest nobody can tell
        (0.0, 90.0, False),
        (0.0, -150.0, True),
        (200.0, 150.0, False),  # the grid does more
        (None, 150.0, False),
        (0.0, None, False),
    ],
)
def test_it_is_counted_on_again_once_it_is_seen_at_work(
    grid: float | None, battery: float | None, *, works: bool
) -> None:
    answers, hold = Answers(), SiteValues(900.0, 0.0, 0.0, 50.0)
    for second in range(61):
        answers.buffers(BATTERY, hold, float(second))
    assert answers.buffers(BATTERY, SiteValues(grid, 0.0, battery, 50.0), 5000.0) is works


def test_a_battery_that_answers_now_and_then_is_believed() -> None:
    answers = Answers()
    late, good = SiteValues(900.0, 0.0, 0.0, 50.0), SiteValues(0.0, 0.0, 900.0, 50.0)
    for second in range(600):
        assert answers.buffers(BATTERY, good if second % 50 == 49 else late, float(second))


def test_a_value_that_nobody_has_told_lies_between_both_prices_and_never_below_0() -> None:
    assert worth_of(asked(), PLAIN) == pytest.approx(0.19)
    assert worth_of(asked(), Prices(0.1, -0.3)) == 0
    assert worth_of(asked(), Prices(0.1, 0.2)) == 0.1  # nobody buys to sell
    assert worth_of(asked(ConsumerRule(value_per_kwh=0.02)), PLAIN) == 0.02


def test_what_a_consumer_draws_at_most() -> None:
    assert top_of(asked()) == 1000
    assert top_of(asked(StepSize=230.0, Minimum=460.0)) == 1000


def test_the_bid_keeps_the_reservation_from_those_who_respect_it() -> None:
    assert bid_for(asked(), sky(None, 700.0), 0.2, 1.0).kept == 700
    ignoring = asked(IgnoreBatReservation=1.0)
    assert bid_for(ignoring, sky(None, 700.0), 0.2, 1.0).kept == 0
    assert bid_for(asked(ConsumerRule(ignore_reservation=True)), sky(None, 9.0), 0.2, 1.0).kept == 0


def test_with_a_battery_the_charge_is_steered_but_never_against_the_owner() -> None:
    dear = ConsumerRule(value_per_kwh=0.25)
    full, low = sky(80.0), sky(50.0)
    assert bid_for(asked(dear), full, 0.25, 1.0).kept == -4000
    assert bid_for(asked(dear), low, 0.25, 1.0).kept == 5000
    assert bid_for(asked(dear), full, 0.25, 1.0, 14.0).kept == -400  # a start waits for more
    # 300 W are the owner's word, whatever the money says.
    assert bid_for(asked(dear), sky(80.0, 300.0), 0.25, 1.0).kept == 300
    assert bid_for(asked(dear), sky(50.0, 300.0), 0.25, 1.0).kept == 5000
    # Who ignores the reservation is never held back by the battery, but may draw from it.
    ignoring = asked(dear, IgnoreBatReservation=1.0)
    assert bid_for(ignoring, low, 0.25, 1.0).kept == 0
    assert bid_for(ignoring, full, 0.25, 1.0).kept == -4000


def test_patience_lowers_the_bid_and_not_what_it_may_buy() -> None:
    eager, patient = (bid_for(asked(), sky(), 0.2, share) for share in (1.0, 0.5))
    assert (eager.value, patient.value) == pytest.approx((0.19, 0.135))
    cheap = asked(ConsumerRule(value_per_kwh=0.05))
    assert bid_for(cheap, sky(), 0.2, 0.5).value == 0.05  # sold for more: no better hour comes
