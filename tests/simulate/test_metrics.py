"""The metrics of runs that can be reckoned by hand."""

from __future__ import annotations

import pytest

from bridge.expression import compile_expression
from bridge.simulate.curve import expression, reservation, stored_value
from bridge.simulate.scenario import Tier
from tests.simulate.small import BATTERY, charger, consumer, follow, house, run


def test_money() -> None:
    # 3 kW from second 4 on, 116 s; 2 kW of sun, 500 W of load: 1.5 kW imported, else 1.5 exported
    _, metrics = run(house(consumer()), follow({3: {"heater": 3000}}), pv=2000)
    imported, exported = 1500 * 116 / 3.6e6, 1500 * 4 / 3.6e6
    assert metrics["import_kwh"] == pytest.approx(imported)
    assert metrics["export_kwh"] == pytest.approx(exported)
    assert metrics["import_caused_kwh"] == pytest.approx(imported)
    assert metrics["self_consumption"] == pytest.approx(1 - 4 / 120 * 0.75)
    delivered = 3000 * 116 / 3.6e6
    value = delivered * 0.25 - imported * 0.3 + exported * 0.1 - 0.01
    assert metrics["net_value"] == pytest.approx(value)
    assert metrics["net_value_do_nothing"] == pytest.approx(1500 * 120 / 3.6e6 * 0.1)


def test_the_price_of_the_minute_counts() -> None:
    raw = house(consumer(), prices={"from_day_file": True})
    _, metrics = run(raw, follow({}), pv=0)
    assert metrics["net_value"] == pytest.approx(-500 * 60 / 3.6e6 * (0.20 + 0.21))


def test_a_phase_switch_costs() -> None:
    _, one = run(house(charger(phase_up_delay_s=999)), follow({3: {"ev": 4000}}))
    assert one["phase_switches"] == 1
    value = one["net_value"] + one["import_kwh"] * 0.3 - one["export_kwh"] * 0.1
    assert value == pytest.approx(one["delivered_kwh"]["ev"] * 0.25 - 0.01 - 0.02)


def test_too_much_given() -> None:
    # 1500 W are over; 2000 of the 3500 W are too much, while it wants any
    spec = consumer(max_w=3500, window_end_s=50)
    _, metrics = run(house(spec), follow({10: {"heater": 9000}}), pv=2000)
    assert metrics["overallocation_max_w"] == pytest.approx(2000)
    assert metrics["overallocation_kwh"] == pytest.approx(2000 * 40 / 3.6e6)
    assert metrics["double_grant_max_w"] == pytest.approx(2000)


def test_a_rise_of_a_moment_ago_is_no_double_grant() -> None:
    raw = house(consumer("a"), consumer("b"), seconds=240)
    plan = {10: {"a": 1000}, 130: {"b": 2000}, 200: {"b": 3000}}
    _, metrics = run(raw, follow(plan), pv=[2000, 2000, 2000, 500], load=0)
    # Second 130: 3000 W in all, 2000 W were there a moment ago; second 200 adds 1000 more.
    assert metrics["double_grant_max_w"] == pytest.approx(1000)
    assert metrics["overallocation_max_w"] == pytest.approx(3500)


def test_power_taken_from_the_battery() -> None:
    # 1500 W over, 1000 W kept below 50 %, less as it fills: the heater takes 1000 W of it
    raw = house(consumer(), battery=BATTERY | {"soc_start": 20}, seconds=60)
    record, metrics = run(raw, follow({10: {"heater": 1000}}), pv=2000)
    assert record.battery[20] == -500
    # Second 11: the battery still charges 1500. From 12 on 500 of 1000 W are missing.
    assert metrics["reservation_unmet_kwh"] == pytest.approx(500 * 48 / 3.6e6)


def test_reservation_curve_and_its_expression_agree() -> None:
    for points in (
        [(0, 5000), (50, 5000), (60, 0), (100, 0)],
        [(20, 300), (30, 100)],
        [(10, 800)],
        [(0, 0), (40, 2500), (40.5, 2500), (90, 125)],
    ):
        text = expression(points)
        run_it = compile_expression(text)
        for tenth in range(1001):
            soc = tenth / 10
            assert run_it.evaluate({"SOC": soc}) == pytest.approx(
                reservation(points, soc), abs=1e-6
            )


def test_stored_value_by_tiers() -> None:
    tiers = [Tier(up_to_soc=60, per_kwh=0.3), Tier(up_to_soc=100, per_kwh=0.1)]
    assert stored_value(tiers, 10_000, 30) == pytest.approx(0.9)
    assert stored_value(tiers, 10_000, 80) == pytest.approx(1.8 + 0.2)
