"""grid_charge decides: a day in steps, and what must hold whatever happens."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.services.grid_charge.core import Decision, Inputs, State, decide, due, make_plan
from actors.services.grid_charge.planning import Plan
from actors.services.grid_charge.profile import Profile

if TYPE_CHECKING:
    from bridge.curve.heard import Rows

MIDNIGHT = datetime(2026, 1, 10, tzinfo=UTC)


def prices(*each: float) -> Rows:
    return tuple(
        (MIDNIGHT + timedelta(hours=n), MIDNIGHT + timedelta(hours=n + 1), price)
        for n, price in enumerate(each)
    )


class House:
    """Decides every 10 s; its battery does as it is told."""

    def __init__(self, curve: Rows, soc: float = 20.0, load: float = 1000.0, **plan: Any) -> None:
        self.plan = Plan(**({"power": 3000, "capacity": 10_000, "efficiency": 0.9} | plan))
        self.state, self.profile, self.curve = State(), Profile(load), curve
        self.soc, self.load, self.now = soc, load, 0.0
        self.over: dict = {}
        self.decision: Decision | None = None
        self.log: list[tuple[float, str, str]] = []
        self.plans = 0

    @property
    def utc(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=self.now)

    def tick(self, seconds: float = 10.0) -> Decision:
        known = {"soc": self.soc, "demand": self.load, "prices": self.curve, "no_sun": True}
        inputs = Inputs(**(known | self.over))
        if due(self.state, inputs, self.utc, self.now):
            self.plans += 1
            make_plan(self.plan, self.state, inputs, self.profile, self.utc, self.now)
        found = self.decision = decide(self.plan, self.state, inputs, self.utc, self.now)
        if not self.log or self.log[-1][1:] != (found.action, found.code):
            self.log.append((self.now, found.action, found.code))
        moved = {"charge": found.power * 0.95, "keep": 0.0, "leave": -self.load / 0.95}
        self.soc += moved[found.action] * seconds / 3600 / self.plan.capacity * 100
        self.soc = min(max(self.soc, 10.0), 100.0)
        self.now += seconds
        return found

    def until(self, hour: float) -> None:
        while self.now < hour * 3600:
            self.tick()


def test_a_night_and_a_day() -> None:
    house = House(prices(*[0.30] * 2, *[0.10] * 4, *[0.40] * 6), load=1000.0)
    house.until(2)
    assert {action for _, action, _ in house.log} == {"leave"}
    house.until(6)
    assert [action for _, action, _ in house.log] == ["leave", "charge", "keep"]
    assert 65 <= house.soc <= 90, "6 hours of 1 kW"
    house.until(12)
    assert [action for _, action, _ in house.log][3:] in (["leave"], ["leave"] * 2)
    assert house.soc <= 20.5
    assert house.plans < 80


def test_quarter_prices_do_not_make_it_flap() -> None:
    curve = tuple(
        (MIDNIGHT + timedelta(minutes=15 * n), MIDNIGHT + timedelta(minutes=15 * n + 15), price)
        for n, price in enumerate([0.10, 0.30] * 8 + [0.60] * 16)
    )
    house = House(curve)
    house.until(4)
    times = [at for at, action, _ in house.log if action == "charge"]
    assert all(b - a >= 300 for a, b in itertools.pairwise(times))
    for at, action, _ in house.log:
        if action in {"charge", "keep"}:
            price = next(p for s, e, p in curve if s <= MIDNIGHT + timedelta(seconds=at) < e)
            assert price <= 0.30


def test_each_unknown_ends_it_at_once_with_its_sentence() -> None:
    for over in (
        {"soc": None, "why": "ess is offline"},
        {"demand": None, "why": "the balance of the site is 9 s old"},
        {"prices": None, "why": "the tariff amber has told no prices yet"},
        {"allowed": None, "why": "the switch x is offline"},
        {"no_sun": False, "why": "the forecast roof has told nothing yet"},
    ):
        house = House(prices(*[0.10] * 4, *[0.40] * 6))
        assert house.tick().action == "charge"
        house.over = over
        found = house.tick()
        assert (found.action, found.code, found.sentence) == ("leave", "unknown", over["why"])
        house.over = {}
        assert house.tick().code == "wait"
        house.until(house.now / 3600 + 0.1)
        assert house.decision is not None
        assert house.decision.action == "charge"
    house = House(prices(0.10, 0.40))
    house.now = 3 * 3600
    assert house.tick().sentence == "the tariff does not tell a price for now"


def test_the_owners_word() -> None:
    house = House(prices(*[0.10] * 4, *[0.40] * 6))
    house.tick()
    house.over = {"allowed": False}
    assert house.tick().code == "off"


def test_the_fuse_of_the_house() -> None:
    house = House(prices(*[0.10] * 4, *[0.40] * 6), max_import=3500.0)
    assert house.tick().power == 2500.0
    house.over = {"demand": 3450.0}
    found = house.tick()
    assert (found.action, found.code) == ("leave", "import")


def test_a_setpoint_at_the_meter_holds_the_fuse_by_itself() -> None:
    house = House(prices(*[0.10] * 4, *[0.40] * 6), max_import=2500.0, at_meter=True)
    house.over = {"demand": 2400.0}
    assert house.tick().power == 2500.0, "the house takes its part of it"
    house.over = {"demand": 300.0}
    assert house.tick().power == 2500.0, (
        "so that the setpoint is written once, not with each kettle"
    )


def test_what_feeding_in_pays_makes_a_new_plan() -> None:
    house = House(prices(*[0.10] * 4, *[0.40] * 6))
    house.tick()
    assert house.plans == 1
    house.tick()
    assert house.plans == 1
    house.over = {"exports": prices(*[-0.10] * 10)}
    house.tick()
    assert house.plans == 2


def test_the_sun_may_come_in_while_it_keeps() -> None:
    house = House(prices(*[0.10] * 8, *[0.40] * 8), soc=90.0, capacity=4000.0)
    house.state.planned_soc = 90.0
    house.soc = 60.0
    while house.decision is None or house.decision.action != "keep":
        house.tick()
    house.over = {"demand": -2000.0}
    begun = house.now
    while house.decision.action == "keep":
        house.tick()
    assert house.decision.code == "sun"
    assert 290 <= house.now - begun <= 330


moves = st.lists(
    st.tuples(
        st.sampled_from([60.0, 240.0, 900.0]),
        st.dictionaries(
            st.sampled_from(["soc", "demand", "prices", "allowed"]), st.none(), max_size=1
        ),
        st.sampled_from([-2000.0, 100.0, 1500.0, 6000.0]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    curve=st.lists(st.sampled_from([-0.1, 0.05, 0.2, 0.5]), min_size=2, max_size=12),
    soc=st.floats(10, 100),
    moves=moves,
)
def test_whatever_happens(curve: list[float], soc: float, moves: list) -> None:
    house = House(prices(*curve), soc=soc, max_import=5000.0, max_price=0.3, soc_max=80.0)
    charged, before = -1e9, "leave"
    for seconds, over, demand in moves:
        house.over = {"demand": demand} | over
        at = house.now
        level = house.soc
        found = house.tick(seconds)
        assert len(found.sentence) > 10
        price = next(
            (p for s, e, p in house.curve if s <= MIDNIGHT + timedelta(seconds=at) < e), None
        )
        if found.action != "leave":
            assert None not in over.values()
            assert price is not None
            assert price <= 0.3
        if found.action == "charge":
            assert level < 80
            assert 100 <= found.power <= 3000
            assert found.power + max(demand, 0) <= 5000
        if before != "leave" and found.action == "leave":
            charged = at
        if before == "leave" and found.action != "leave":
            assert at - charged >= 300
        before = found.action
