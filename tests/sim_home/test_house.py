"""The physics: nothing is lost, nothing comes from nowhere, and the battery keeps its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.sim.sim_home.house import Battery, BatterySpec, Flow, House, phases

WATTS = st.floats(0, 20_000, allow_nan=False)
STEPS = st.lists(
    st.tuples(st.floats(0.01, 600), WATTS, WATTS, WATTS, WATTS), min_size=1, max_size=40
)
SPECS = st.builds(
    BatterySpec,
    capacity=st.floats(100, 50_000),
    max_charge=st.floats(0, 10_000),
    max_discharge=st.floats(0, 10_000),
    eta_charge=st.floats(0.5, 1.0),
    eta_discharge=st.floats(0.5, 1.0),
    soc_min=st.floats(0, 40),
    soc_max=st.floats(60, 100),
    reaction=st.sampled_from([0.0, 1.0, 5.0]),
)


@given(SPECS, st.floats(0, 100), STEPS)
def test_every_step_balances_and_the_battery_keeps_its_limits(
    spec: BatterySpec, soc: float, steps: list[tuple[float, float, float, float, float]]
) -> None:
    battery = Battery(spec, soc)
    house = House(battery)
    for dt, pv, load, ev, heater in steps:
        before, soc_before = battery.stored, battery.soc
        flow = house.step(dt, pv=pv, load=load, draws={"ev": ev, "heater": heater})
        assert flow.pv + flow.grid + flow.battery == pytest.approx(load + ev + heater, abs=1e-6)
        assert -spec.max_charge <= flow.battery <= spec.max_discharge
        eta = 1 / spec.eta_discharge if flow.battery >= 0 else spec.eta_charge
        gained = -flow.battery * dt / 3600 * eta
        assert battery.stored - before == pytest.approx(gained, abs=1e-6)
        assert battery.soc >= min(soc_before, spec.soc_min) - 1e-6
        assert battery.soc <= max(soc_before, spec.soc_max) + 1e-6
        assert sum(phases(flow)) == pytest.approx(flow.grid, abs=1e-6)


@given(STEPS)
def test_the_counters_balance_too(
    steps: list[tuple[float, float, float, float, float]],
) -> None:
    spec = BatterySpec()
    battery = Battery(spec, 50.0)
    house = House(battery)
    before = battery.stored
    last = house.counters
    for dt, pv, load, ev, pump in steps:
        house.step(dt, pv=pv, load=load, draws={"ev": ev, "pump": pump})
    total = house.counters
    assert last is total
    into = total.pv + total.grid_import + total.discharge
    out = total.load + total.consumers + total.grid_export + total.charge
    assert into == pytest.approx(out, abs=1e-9)
    stored = total.charge * spec.eta_charge - total.discharge / spec.eta_discharge
    assert (battery.stored - before) / 1000 == pytest.approx(stored, abs=1e-9)


def test_a_surplus_charges_and_a_deficit_discharges() -> None:
    house = House(Battery(BatterySpec(reaction=0), 50.0))
    flow = house.step(1, pv=4000, load=500, draws={})
    assert (flow.battery, flow.grid) == (-3500, 0)
    flow = house.step(1, pv=9000, load=500, draws={"ev": 1000})
    assert (flow.battery, flow.grid) == (-5000, -2500)
    flow = house.step(1, pv=0, load=500, draws={"ev": 6000})
    assert (flow.battery, flow.grid) == (5000, 1500)


def test_an_empty_battery_gives_nothing_and_a_full_one_takes_nothing() -> None:
    empty = House(Battery(BatterySpec(soc_min=10), 10.0))
    assert empty.step(60, pv=0, load=800, draws={}).grid == pytest.approx(800)
    full = House(Battery(BatterySpec(), 100.0))
    flow = full.step(60, pv=3000, load=0, draws={})
    assert (flow.battery, flow.grid, flow.soc) == (0, -3000, 100.0)
    below = House(Battery(BatterySpec(soc_min=20), 5.0))
    assert below.step(60, pv=0, load=800, draws={}).battery == 0
    assert below.step(60, pv=800, load=0, draws={}).battery < 0


def test_a_battery_needs_a_moment_to_follow() -> None:
    house = House(Battery(BatterySpec(reaction=1.0), 50.0))
    powers = [house.step(0.25, pv=0, load=1000, draws={}).battery for _ in range(20)]
    assert powers == sorted(powers)
    assert 150 < powers[0] < 300
    assert powers[3] == pytest.approx(632, abs=1)
    assert powers[-1] > 990


def test_a_round_trip_costs_what_the_efficiencies_say() -> None:
    battery = Battery(BatterySpec(reaction=0, soc_min=0), 0.0)
    house = House(battery)
    for _ in range(3600):
        house.step(1, pv=2000, load=0, draws={})
    assert battery.stored == pytest.approx(2000 * 0.95)
    for _ in range(7200):
        house.step(1, pv=0, load=1000, draws={})
    assert house.counters.discharge == pytest.approx(2.0 * 0.95 * 0.95)
    assert battery.soc == pytest.approx(0, abs=1e-9)


def test_a_house_without_a_battery() -> None:
    flow = House().step(1, pv=1000, load=1500, draws={})
    assert (flow.battery, flow.grid, flow.soc) == (0, 500, None)


def test_one_phase_may_import_while_another_exports() -> None:
    lines = phases(Flow(pv=3000, load=2400, grid=-600))
    assert lines == pytest.approx((200, -280, -520))
    lines = phases(Flow(grid=2750, draws={"heater": 2000, "pump": 750}))
    assert lines == pytest.approx((1000, 1750, 0))
