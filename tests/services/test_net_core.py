"""Net counters: by hand, against a fine sum, and over every crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.services.net_meter.core import (
    Plan,
    State,
    begin,
    begin_at,
    content,
    counters_of,
    decide,
    failed,
    kept,
    sum_of,
)
from bridge.netting import Netting, areas

PLAN = Plan(pause=60, gap=60, start=(100.0, 50.0))


def test_straight_lines_by_hand() -> None:
    assert areas(1000, 3000, 10) == (20_000, 0)
    assert areas(-1000, -3000, 10) == (0, 20_000)
    assert list(areas(1000, -3000, 8)) == pytest.approx([1000, 9000])
    assert list(areas(-3000, 1000, 8)) == pytest.approx([1000, 9000])
    assert areas(0, 0, 5) == (0, 0)


def test_of_two_readings_at_one_moment_the_newer_one_counts_and_an_earlier_one_never() -> None:
    net = Netting()
    for at, power in ((0, 9000), (0, 3600), (10, 3600), (4, 1e6), (20, 3600)):
        assert net.add(at, power) == 0
    assert net.imported == pytest.approx(0.02)


def test_one_hour_of_one_kilowatt() -> None:
    net = Netting()
    for second in range(0, 3601, 5):
        assert net.add(second, 1000) == 0
    assert net.imported == pytest.approx(1.0)
    assert net.exported == 0


def test_a_gap_is_told_and_not_counted() -> None:
    net = Netting()
    net.add(0, 5000)
    assert net.add(61, 5000) == 61
    assert (net.imported, net.exported) == (0, 0)
    assert net.add(62, 3600) == 0
    assert net.imported == pytest.approx((5000 + 3600) / 2 / 3.6e6)


def test_unknown_powers_become_a_gap_and_a_clock_never_goes_back() -> None:
    net = Netting()
    net.add(0, 1000)
    for second in range(1, 70):
        assert net.add(second, None) == 0
    assert net.add(70, 1000) == 70
    assert net.add(70, 9000) == 0
    assert net.add(60, 9000) == 0
    assert net.imported == 0


@given(st.lists(st.tuples(st.floats(0.5, 30), st.floats(-20_000, 20_000)), min_size=2, max_size=40))
def test_import_minus_export_is_the_plain_integral(steps: list[tuple[float, float]]) -> None:
    net, now, integral, before = Netting(), 0.0, 0.0, None
    for gone, power in steps:
        now += gone
        net.add(now, power)
        if before is not None:
            integral += (before + power) / 2 * gone
        before = power
    assert net.imported - net.exported == pytest.approx(integral / 3.6e6, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "power"),
    [
        ({"GridPower": -3.5, "GridPowerL1": 100.0}, -3.5),
        ({"GridPowerL1": 100.0, "GridPowerL2": -300.0, "GridPowerL3": 50.0}, -150.0),
        ({"GridPowerL1": 100.0}, 100.0),
        ({"GridPowerL1": 100.0, "GridPowerL2": None, "GridPowerL3": 50.0}, None),
        ({"GridPower": None, "GridPowerL1": 100.0}, None),
        ({"PvPower": 3.0}, None),
        ({}, None),
    ],
)
def test_the_sum_of_a_reading(values: dict[str, Any], power: float | None) -> None:
    assert sum_of(values, "GridPower") == power


def test_it_begins_where_the_owner_says_and_goes_on_with_the_newest_copy() -> None:
    assert begin(PLAN, None, None).saved == (100, 50)
    old = {"number": 7, "imported": 101.0, "exported": 50.5}
    new = {"number": 8, "imported": 102.0, "exported": 50.5}
    for copies in ((old, new), (new, old), (new, None), (new, {"number": "9"})):
        assert begin(PLAN, *copies).saved == (102, 50.5)
    for broken in (
        {"number": 9, "imported": -1.0, "exported": 0.0},
        {"number": 9, "imported": True, "exported": 0.0},
        {"number": 9, "imported": 1e300, "exported": 0.0},
        {"number": 9},
    ):
        assert begin(PLAN, old, broken).saved == (101, 50.5)


MINE = Plan(pause=60, gap=60, start=None)


def test_without_a_start_it_goes_on_from_the_meters_own_counters() -> None:
    state = begin(MINE)
    decide(MINE, state, 3_600.0, 0)
    begin_at(state, None, 5.0)
    begin_at(state, -1.0, 5.0)
    begin_at(state, 1e10, 5.0)
    decide(MINE, state, 3_600.0, 1)
    assert state.saved == (0, 0)
    begin_at(state, 1000.0, 400.0)
    begin_at(state, 5000.0, 5000.0)  # only once
    disk: Disk = {}
    assert live(state, disk, 3_600.0, 2), "saved at once, so that a crash does not forget it"
    assert state.saved == pytest.approx((1000.002, 400)), "what was counted meanwhile stays"
    assert begin(MINE, *disk.values()).saved == state.saved


def test_counters_that_were_shown_or_set_are_not_moved_by_the_meter() -> None:
    for state in (begin(PLAN), begin(MINE, {"number": 3, "imported": 1.0, "exported": 2.0})):
        before = state.saved
        begin_at(state, 1000.0, 400.0)
        assert state.saved == before
    state = begin(MINE)
    kept(state, content(state), 0)
    begin_at(state, 1000.0, 400.0)
    assert content(state)["imported"] == 0, "it was saved: here it began"
    # A meter whose counters fall back to 0 does not touch ours.
    state = begin(MINE)
    begin_at(state, 1000.0, 400.0)
    begin_at(state, 0.0, 0.0)
    assert content(state) == {"number": 1, "imported": 1000, "exported": 400}


def test_the_names_of_a_meters_counters() -> None:
    values = {"GridImportEnergy": 1, "GridExportEnergy": 2.5, "Energy": 3.0, "ReturnedEnergy": "4"}
    assert counters_of(values, "GridPower") == (1, 2.5)
    assert counters_of(values, "Power") == (3, None)
    assert counters_of({"GridImportEnergy": float("nan")}, "GridPower") == (None, None)


Disk = dict[int, dict[str, Any]]


def live(state: State, disk: Disk, power: float, now: float, *, full: bool = False) -> bool:
    """One reading as the shell handles it; true when it wrote."""
    if not decide(PLAN, state, power, now).save:
        return False
    found = content(state)
    if full:
        failed(state, now)
        return False
    disk[found["number"] % 2] = found
    kept(state, found, now)
    return True


def test_flash_is_written_seldom() -> None:
    disk: Disk = {}
    state = begin(PLAN)
    writes = sum(live(state, disk, 20_000, second) for second in range(86_400))
    assert 1400 <= writes <= 1440
    assert state.saved[0] == pytest.approx(100 + 480, rel=1e-3)
    assert sum(live(state, disk, 0.0, 86_400 + second) for second in range(10_000)) <= 2
    # 30 W: 0.01 kWh takes 20 minutes, so every ten times the pause.
    quiet: Disk = {}
    state = begin(PLAN)
    assert sum(live(state, quiet, 30, second) for second in range(86_400)) <= 145


readings = st.lists(
    st.tuples(st.floats(-15_000, 15_000), st.floats(0.5, 100), st.booleans()), max_size=120
)


@given(readings)
def test_what_was_shown_never_falls_whenever_it_is_killed(
    steps: list[tuple[float, float, bool]],
) -> None:
    disk: Disk = {}
    state, now = begin(PLAN), 0.0
    shown = state.saved
    for power, gone, killed in steps:
        now += gone
        if killed:
            state = begin(PLAN, *disk.values())
        live(state, disk, power, now)
        assert all(new >= old for new, old in zip(state.saved, shown, strict=True))
        shown = state.saved


@given(readings)
def test_a_damaged_copy_costs_one_save(steps: list[tuple[float, float, bool]]) -> None:
    disk: Disk = {}
    state, now = begin(PLAN), 0.0
    history = [state.saved]
    for power, gone, _ in steps:
        now += gone
        if live(state, disk, power, now):
            history.append(state.saved)
    if disk:
        disk.pop(max(disk, key=lambda place: disk[place]["number"]))
    assert begin(PLAN, *disk.values()).saved == history[max(0, len(history) - 2)]


def test_a_disk_that_refuses_does_not_stop_the_counting() -> None:
    disk: Disk = {}
    state = begin(PLAN)
    for second in range(0, 600, 5):
        live(state, disk, 12_000, second, full=True)
    assert disk == {}
    assert state.saved[0] == pytest.approx(102, abs=0.3)
    live(state, disk, 12_000, 660)
    assert disk[1]["imported"] == state.saved[0]
