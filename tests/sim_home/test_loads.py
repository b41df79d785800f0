"""What hangs on the wires of the house and lives elsewhere."""

from __future__ import annotations

from actors.sim.sim_home.loads import GONE, Load
from actors.sim.sim_home.settings import SimHomeSettings
from tests.sim_home.test_engine import Flat, engine


def test_it_draws_what_it_says_until_it_was_silent_for_too_long() -> None:
    load = Load()
    assert load.draw(0.0) == 0
    load.hear({"Power": 2300.0}, 10.0)
    assert load.draw(10.0 + GONE) == 2300
    assert load.draw(10.1 + GONE) == 0


def test_what_is_no_power_changes_nothing() -> None:
    load = Load()
    load.hear({"Power": 2300.0}, 10.0)
    for state in ({}, {"Power": None}, {"Power": "much"}, {"Power": float("nan")}):
        load.hear(state, 11.0)
    assert load.draw(12.0) == 2300
    load.hear({"Power": -5.0}, 13.0)
    assert load.draw(13.0) == 0


def test_the_house_feeds_it() -> None:
    house = engine(Flat(load=500.0))
    house.consumers = {}
    house.loads = {"box": Load()}
    house.loads["box"].hear({"Power": 3680.0}, 1000.0)
    house.tick(1000.0)
    flow = house.tick(1010.0)
    assert flow.draws == {"box": 3680}
    assert flow.pv + flow.battery + flow.grid == 4180
    assert house.house.counters.consumers > 0


def test_names_are_checked() -> None:
    assert not list(SimHomeSettings(loads=["box"]).check())
    for loads in (["box", "box"], ["ev"]):
        assert [name for name, _ in SimHomeSettings(loads=loads).check()] == ["loads"]
