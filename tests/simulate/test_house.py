"""The order within a second: what is seen when, and how battery and grid answer."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulate.small import BATTERY, Script, consumer, drawn, house, run

if TYPE_CHECKING:
    from bridge.simulate.policy import Known


def script(plan: dict[int, dict[str, float]]) -> tuple[Any, list[Script]]:
    made: list[Script] = []

    def make(known: Known) -> Script:
        made.append(Script(known, plan))
        return made[-1]

    return make, made


def test_the_meter_is_late_and_seldom() -> None:
    raw = house(consumer(), meter={"lag_s": 3, "period_s": 2, "noise_w": 0})
    make, made = script({5: {"heater": 1000}})
    record, _ = run(raw, make, pv=[4000, 4600])
    seen = {second: reading for second, reading, _ in made[0].seen if reading is not None}
    assert min(seen) == 4
    assert set(seen) == set(range(4, 120, 2))
    assert seen[8].grid == pytest.approx(500 - 4050)
    assert seen[10].grid == pytest.approx(500 + 1000 - 4070)  # on since second 6
    assert seen[10].pv == pytest.approx(record.weather.pv[7])
    assert seen[10].soc is None


def test_noise_has_dice_of_its_own() -> None:
    raw = house(consumer(), meter={"lag_s": 1, "period_s": 1, "noise_w": 20})
    make, made = script({})
    run(raw, make)
    dice = Random(500_007)
    found = [reading.grid for _, reading, _ in made[0].seen if reading is not None]
    assert found[:3] == pytest.approx([-3500 + (2 * dice.random() - 1) * 20 for _ in range(3)])


def test_consumers_report_what_they_drew_a_second_ago() -> None:
    raw = house(
        consumer(report_period_s=5, need_wh=5), meter={"lag_s": 1, "period_s": 200, "noise_w": 0}
    )
    make, made = script({3: {"heater": 1000}})
    record, _ = run(raw, make)
    reports = {at: (said[0].consumption, said[0].request) for at, _, said in made[0].seen if said}
    assert min(reports) == 5
    assert reports[5] == (1000, 3000)
    assert reports[20] == (1000, 3000)  # 4 … 21 are the 18 s that it needs
    assert reports[25] == (0, 0)
    assert drawn(record)[21:23] == [1000, 0]


def test_a_request_ends_with_the_second_that_brings_enough() -> None:
    raw = house(consumer(need_wh=5))
    make, made = script({3: {"heater": 1000}})
    run(raw, make)
    reports = {at: said[0] for at, _, said in made[0].seen if said}
    assert reports[21].request == 3000
    assert (reports[22].consumption, reports[22].request) == (1000, 0)


def test_the_battery_answers_a_second_late() -> None:
    raw = house(consumer(), battery=BATTERY)
    make, _ = script({3: {"heater": 3000}})
    record, _ = run(raw, make, pv=2000)
    assert record.battery[:2] == [0, -1500]
    assert record.grid[:2] == [-1500, 0]
    assert record.battery[4:6] == [-1500, 1500]  # the most that it gives
    assert record.grid[4:6] == [3000, 0]
    # 1500 W for 1 s in, 0.8 of it kept
    assert record.soc[1] == pytest.approx(50 + 1500 * 0.8 / 3600 / 10)
    # 1500 W for 1 s out, twice as much taken
    assert record.soc[5] - record.soc[4] == pytest.approx(-1500 / 0.5 / 3600 / 10)


def test_the_battery_has_an_end_either_way() -> None:
    small = BATTERY | {"capacity_wh": 10}
    record, metrics = run(house(battery=small), script({})[0])
    assert record.soc[-1] == pytest.approx(90)
    assert record.battery[-1] == pytest.approx(0, abs=1e-6)
    empty, _ = run(house(battery=small), script({})[0], pv=0)
    assert empty.soc[-1] == pytest.approx(10)
    assert empty.grid[-1] == pytest.approx(500)
    # 4 Wh of the 1 Wh at 0.3 and 3 Wh at 0.1 up to 60 and 90 %
    stored = (1 * 0.3 + 3 * 0.1) / 1000
    sold = -sum(record.grid) / 3.6e6 * 0.1
    assert metrics["net_value"] == pytest.approx(stored + sold)


def test_nobody_is_asked_while_nothing_is_to_be_seen() -> None:
    raw = house(consumer(report_period_s=30), meter={"lag_s": 1, "period_s": 60, "noise_w": 0})
    make, made = script({45: {"heater": 1000}})
    run(raw, make)
    assert [second for second, _, _ in made[0].seen] == [30, 45, 60, 90]
