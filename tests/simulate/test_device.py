"""What a consumer does with its allowance, each rule worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulate.small import charger, consumer, drawn, follow, house, run


def draws(spec: dict[str, Any], plan: dict[int, float], seconds: int = 120) -> list[float]:
    sent = {second: {spec["id"]: watts} for second, watts in plan.items()}
    return drawn(run(house(spec, seconds=seconds), follow(sent))[0])


@pytest.mark.parametrize(
    ("allowance", "power"),
    [(999.9, 0), (1000, 1000), (1499.9, 1000), (1500, 1500), (2999, 2500), (9000, 3000)],
)
def test_steps(allowance: float, power: float) -> None:
    assert draws(consumer(), {3: allowance})[10] == power


def test_a_step_is_not_missed_by_a_rounding_error() -> None:
    spec = consumer(min_w=100.1, max_w=3000, step_w=0.1)
    assert draws(spec, {3: 100.4})[10] == pytest.approx(100.4)


def test_without_steps_it_draws_its_minimum() -> None:
    assert draws(consumer(step_w=0), {3: 3000})[10] == 1000


def test_draw_factor() -> None:
    assert draws(consumer(draw_factor=0.9), {3: 2000})[10] == 1800


def test_an_allowance_takes_its_time() -> None:
    found = draws(consumer(response_lag_s=8), {3: 1000, 5: 2000, 6: 0})
    assert found[10:15] == [0, 1000, 1000, 2000, 0]


def test_allowances_have_tenths_of_a_watt() -> None:
    record, metrics = run(
        house(consumer()), follow({3: {"heater": 1500.04}, 4: {"heater": 1500.03}})
    )
    assert record.allowances == [(3, 0, 1500.0)]
    assert metrics["setpoint_writes"] == 1


def test_ramp() -> None:
    found = draws(consumer(ramp_w_per_s=400), {3: 2500, 10: 1000, 15: 0})
    assert found[3:9] == [0, 1000, 1400, 1800, 2200, 2500]
    assert found[11:17] == [2100, 1700, 1300, 1000, 1000, 0]


def test_it_wants_power_within_its_window() -> None:
    found = draws(consumer(window_start_s=10, window_end_s=20), {3: 1000})
    assert (found[9], found[10], found[19], found[20]) == (0, 1000, 1000, 0)


def test_it_wants_power_until_it_has_enough() -> None:
    spec = consumer(need_wh=10, min_on_s=600)  # 36 s at 1 kW
    record, metrics = run(house(spec), follow({3: {"heater": 1000}}))
    found = drawn(record)
    assert (found[4], found[39], found[40]) == (1000, 1000, 0)
    assert metrics["delivered_kwh"]["heater"] == pytest.approx(0.01)
    assert (metrics["switches"], metrics["lock_violation_min"]) == (2, 0)


def test_a_device_without_locks_obeys_and_the_missing_seconds_count() -> None:
    spec = consumer(min_on_s=30, min_off_s=20)
    plan = {3: {"heater": 1000}, 13: {"heater": 0}, 18: {"heater": 1000}}
    record, metrics = run(house(spec), follow(plan))
    assert record.missing == [(14, 0, 20), (19, 0, 15)]
    assert metrics["lock_violation_min"] == pytest.approx(35 / 60)
    assert metrics["starts"] == 2
    assert metrics["switches"] == 3


def test_a_device_with_locks_runs_on_at_its_minimum_and_starts_later() -> None:
    spec = consumer(min_on_s=30, min_off_s=20, enforces_locks=True)
    plan = {3: {"heater": 2000}, 13: {"heater": 0}, 40: {"heater": 1000}}
    record, metrics = run(house(spec), follow(plan))
    found = drawn(record)
    assert (found[13], found[14], found[33], found[34]) == (2000, 1000, 1000, 0)
    assert (found[53], found[54]) == (0, 1000)
    assert metrics["lock_violation_min"] == 0
    assert metrics["above_allowance_min"] == pytest.approx(20 / 60)


def test_at_the_beginning_everything_has_been_off_for_long() -> None:
    spec = consumer(min_off_s=600, enforces_locks=True, response_lag_s=0)
    assert draws(spec, {0: 1000})[0] == 1000


# ------------------------------------------------------------------------------------------ phases


def test_one_phase_has_a_third() -> None:
    found = draws(charger(), {3: 2950})
    assert found[10] == 2900
    assert draws(charger(phase_up_delay_s=1000), {3: 1000, 5: 8000})[20] == 3000


def test_a_start_with_enough_is_on_three_phases_without_a_pause() -> None:
    record, metrics = run(house(charger()), follow({3: {"ev": 3599}}))
    assert drawn(record)[4] == 3300
    assert metrics["phase_switches"] == 1


def test_up_after_a_delay_and_a_pause() -> None:
    record, metrics = run(house(charger()), follow({3: {"ev": 1500}, 9: {"ev": 4000}}))
    found = drawn(record)
    assert found[9:11] == [1500, 3000]
    assert found[29:36] == [3000, 0, 0, 0, 0, 0, 3900]
    assert (metrics["phase_switches"], metrics["switches"]) == (1, 1)


def test_down_after_a_delay_but_not_before_the_interval() -> None:
    found = draws(charger(), {3: 4000, 9: 1500})
    assert found[9:11] == [3900, 3000]  # meanwhile its least on three phases
    assert found[53:60] == [3000, 0, 0, 0, 0, 0, 1500]
    later = draws(charger(), {3: 4000, 80: 1500})
    assert later[89:92] == [3000, 3000, 0]


def test_the_delay_begins_anew_when_the_sun_comes_and_goes() -> None:
    found = draws(charger(), {3: 1500, 9: 4000, 20: 1500, 25: 4000})
    assert found[45] == 3000
    assert found[46] == 0


def test_a_start_cannot_change_phases_within_the_interval() -> None:
    found = draws(charger(), {3: 4000, 9: 0, 20: 1500, 30: 0, 60: 1500})
    assert found[21] == 3000  # still three phases; and below them at the start
    assert found[61] == 1500


def test_after_a_pause_the_ramp_begins_at_nothing() -> None:
    spec = charger(ramp_w_per_s=1000)
    found = draws(spec, {3: 2900, 9: 4000})
    assert found[29:40] == [3000, 0, 0, 0, 0, 0, 1000, 2000, 3000, 3900, 3900]
