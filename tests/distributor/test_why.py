"""The sentences of deciding by value: each reads well, and its figures are right."""

from __future__ import annotations

import pytest

from actors.distributor import reasons
from actors.distributor.allocate import MICRO
from actors.distributor.requests import NO_RULE, Consumer, terms
from actors.distributor.value import why
from actors.distributor.value.belief import Belief
from actors.distributor.value.bids import Sky
from actors.distributor.value.money import Prices, Storage
from actors.distributor.value.worth import Bid

PLAIN = Prices(0.30, 0.08)
BATTERY = Storage(max_charge=5000, max_discharge=4000, tiers=[(60, 0.28), (100, 0.1)])


def load(**fields: float) -> Consumer:
    said = {"IsAutomatic": True, "Request": 800.0, **fields}
    return Consumer("pump", terms("pump", said, NO_RULE, {}))


def sky(soc: float | None = None, now: float = 100.0, house: Prices = PLAIN) -> Sky:
    storage = None if soc is None else BATTERY
    return Sky(now, now, 0.0, 0.0, None, 0.0, house, storage, soc)


def bid(value: float = 0.25, kept: float = 0.0, house: Prices = PLAIN, first: float = 800.0) -> Bid:
    return Bid(value, first, first, house, house.spare(value), kept)


def seen(*watts: float) -> Belief:
    belief = Belief()
    for index, one in enumerate(watts):
        belief.see(one, 10.0 * index)
    return belief


def on(
    rest: float,
    *,
    one: Consumer | None = None,
    offer: Bid | None = None,
    amount: float = 800,
    soc: float | None = None,
    cost: float = 0.02,
    ahead: float = 0.0,
) -> tuple[str, str]:
    reason = why.on(
        one or load(), offer or bid(), round(amount * MICRO), (rest, ahead), sky(soc), cost
    )
    return reason.code, reason.text


def off(one: Consumer, offer: Bid, house: Sky, belief: Belief) -> tuple[str, str]:
    reason = why.off(one, offer, house, belief)
    return reason.code, reason.text


def test_the_sun_carries_it() -> None:
    assert on(0) == ("full", "all of 800 W granted")
    assert on(-50) == ("full", "all of 800 W granted")  # noise
    car = load(Request=2000, StepSize=200)
    text = "800 W of 2000 W: what pays with the sun there is"
    assert on(0, one=car) == ("partial", text)


@pytest.mark.parametrize(
    ("cost", "rest", "long"),
    [
        (0.00075, -300, "3 min"),  # 300 W bought at 0.05 more than it is worth: 0.015 per hour
        (0.02, -300, "an hour"),
        (0.00025, -300, "1 min"),
    ],
)
def test_a_cloud_is_bridged_as_long_as_a_switch_costs_more(
    cost: float, rest: float, long: str
) -> None:
    text = (
        "kept on: 300 W of 800 W are not from the sun, but stopping and starting again would cost"
        f" more than {long} of that"
    )
    assert on(rest, cost=cost) == ("bridged", text)


def test_a_switch_that_costs_next_to_nothing_is_no_excuse() -> None:
    text = "kept on: 800 W of 800 W are not from the sun, but over the last minutes it has paid"
    assert on(-2000, cost=0.0001) == ("bridged", text)


@pytest.mark.parametrize(
    ("price", "told"), [(0.05, "0.05"), (0.10, "0.10"), (-0.051, "-0.05"), (-0.002, "0.00")]
)
def test_what_is_worth_buying_says_at_what_price(price: float, told: str) -> None:
    offer = bid(0.25, house=Prices(price, price - 0.1))
    text = f"300 W of 800 W are not from the sun: at {told} per kWh it is worth buying"
    assert on(-300, offer=offer) == ("bought", text)


def test_a_last_step_may_be_bought_in_part() -> None:
    car = load(Request=2000, StepSize=200)
    text = "800 W of 2000 W: 90 W of it are not from the sun, a step less would earn less"
    assert on(-90, one=car) == ("partial", text)
    # A whole step is not what a last step lacks, nor has the first a step below it.
    assert on(-200, one=car)[0] == "bridged"
    assert on(-90, one=car, amount=200)[0] == "bridged"


def test_a_rising_sun_says_what_is_not_there_yet() -> None:
    text = "800 W, 300 W of them ahead of the rising sun"
    assert on(0, ahead=300) == ("bridged", text)
    assert on(300, ahead=300) == ("full", "all of 800 W granted")
    # A falling one still carries what will be lacking in a moment.
    assert on(-300, ahead=-300) == ("full", "all of 800 W granted")


def test_the_battery_gives_what_the_sun_does_not() -> None:
    text = "the battery gives 300 W of 800 W until it has less to spare"
    assert on(-300, soc=80) == ("buffered", text)
    # By the mean there is enough, at this moment there is not.
    assert on(2000, soc=80, ahead=2300) == ("buffered", text)
    # That it should be charged faster is no W out of it.
    assert on(100, soc=80, offer=bid(kept=3000.0)) == ("full", "all of 800 W granted")
    # What is planned out of it comes out of it.
    assert on(-300, soc=80, offer=bid(kept=-4000.0)) == ("buffered", text)


@pytest.mark.parametrize("soc", [None, 80.0])
def test_who_should_be_off_says_what_keeps_it_on(soc: float | None) -> None:
    one = load(MinOn=60.0, StopDelay=30.0)
    one.give(800 * MICRO, 70.0)
    one.unwanted_since = 90.0
    assert on(-500, one=one, soc=soc) == ("min_on", "kept on for another 30 s (MinOn)")
    one.started_at = 0.0
    text = "stops in 20 s unless the sun returns (StopDelay)"
    assert on(-500, one=one, soc=soc) == ("stop_delay", text)
    assert on(0, one=one, soc=soc)[0] == "full"


def test_who_is_off_waits_for_its_locks() -> None:
    one = load(MinOff=60.0, StartDelay=20.0)
    one.wanted_since = 95.0
    assert off(one, bid(), sky(), seen()) == (
        "start_delay",
        "starts in 15 s if the sun holds (StartDelay)",
    )
    one.stopped_at = 70.0
    assert off(one, bid(), sky(), seen()) == ("min_off", "off for another 30 s (MinOff)")


def test_who_is_off_waits_for_the_sun() -> None:
    text = "clouds: 800 W were there for 50 % of the last 2 min, too little to start"
    assert off(load(), bid(), sky(), seen(*[900.0] * 6, *[700.0] * 6)) == ("waiting", text)
    text = "1300 W have not been there in the last 1 min"
    assert off(load(), bid(kept=500.0), sky(), seen(1200.0)) == ("waiting", text)
    text = "what is left over does not yet pay for a run of 800 W"
    assert off(load(), bid(), sky(), seen(900.0)) == ("waiting", text)


@pytest.mark.parametrize(
    ("value", "left", "told"),
    [
        (0.05, 0.08, "a kWh is worth 0.05 to it, and 0.08 sold or stored"),
        (0.0, -0.0, "a kWh is worth 0.00 to it, and 0.00 sold or stored"),
        (-0.001, -0.001, "a kWh is worth 0.00 to it, and 0.00 sold or stored"),
    ],
)
def test_who_is_off_hears_that_selling_brings_more(value: float, left: float, told: str) -> None:
    house = Prices(0.3, left)
    assert off(load(), bid(value, house=house), sky(), seen(900.0)) == ("waiting", told)


@pytest.mark.parametrize(
    ("soc", "at"), [(52.4, " at 52 %"), (52.0, " at 52 %"), (-0.3, " at 0 %"), (None, "")]
)
def test_the_battery_comes_first(soc: float | None, at: str) -> None:
    told = reasons.battery_first(3200.0, soc)
    assert (told.code, told.text) == (
        "reservation",
        f"the battery comes first{at}: it keeps 3200 W",
    )


def test_it_comes_first_only_where_the_mean_of_the_sun_would_do() -> None:
    offer = bid(kept=3200.0)
    text = "the battery comes first at 52 %: it keeps 3200 W"
    assert off(load(), offer, sky(52), seen(900.0)) == ("reservation", text)
    assert off(load(), offer, sky(52), seen(700.0))[0] == "waiting"
    assert off(load(), offer, sky(None), seen(900.0))[0] == "waiting"
