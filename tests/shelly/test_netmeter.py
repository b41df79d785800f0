"""Net counting: phases summed first, nothing invented, nothing falling, everything kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.devices.shelly.counters import NetCounters
from actors.devices.shelly.reading import Channel
from bridge.netting import Netting


def run(*points: tuple[float, float | None]) -> Any:
    meter = Netting()
    for at, power in points:
        meter.add(at, power)
    return meter.imported, meter.exported


def test_steady_power() -> None:
    points = [(float(second), 1000.0) for second in range(3601)]
    assert run(*points) == (pytest.approx(1.0), 0.0)


def test_a_ramp_is_taken_as_a_straight_line() -> None:
    assert run((0, 0.0), (60, 6000.0)) == (pytest.approx(0.05), 0.0)


def test_a_crossing_feeds_both_counters() -> None:
    imported, exported = run((0, 3000.0), (40, -1000.0))
    assert imported == pytest.approx(3000 / 2 * 30 / 3.6e6)
    assert exported == pytest.approx(1000 / 2 * 10 / 3.6e6)
    assert run((0, -1000.0), (40, 3000.0)) == (pytest.approx(imported), pytest.approx(exported))


def test_nothing_is_counted_over_a_gap_of_more_than_a_minute() -> None:
    meter = Netting()
    assert meter.add(0, 5000.0) == 0
    assert meter.add(60.5, 5000.0) == 60.5
    assert (meter.imported, meter.exported) == (0.0, 0.0)
    assert meter.add(61.5, 5000.0) == 0
    assert meter.imported == pytest.approx(5000 / 3.6e6)


def test_an_unknown_power_is_passed_over() -> None:
    assert run((0, 3600.0), (5, None), (10, 3600.0)) == (pytest.approx(0.01), 0.0)
    assert run((0, 3600.0), *((t, None) for t in range(1, 65)), (65, 3600.0)) == (0.0, 0.0)


def test_a_clock_that_stands_still_counts_nothing() -> None:
    assert run((5, 1000.0), (5, 9000.0), (4, 1000.0)) == (0.0, 0.0)


@given(
    st.lists(
        st.tuples(st.floats(0, 90), st.none() | st.floats(-50_000, 50_000)), min_size=2, max_size=60
    )
)
def test_counters_never_fall_and_keep_the_balance(steps: list[tuple[float, float | None]]) -> None:
    meter, at, before = Netting(), 0.0, (0.0, 0.0)
    last: tuple[float, float] | None = None
    balance = 0.0
    for wait, power in steps:
        at += wait
        meter.add(at, power)
        if power is not None:
            if last is not None and 0 < at - last[0] <= 60:
                balance += (last[1] + power) / 2 * (at - last[0]) / 3.6e6
            last = (at, power)
        assert meter.imported >= before[0]
        assert meter.exported >= before[1]
        before = (meter.imported, meter.exported)
    assert meter.imported - meter.exported == pytest.approx(balance, abs=1e-6)


class Disk:
    """A state folder in memory; `full` refuses to save."""

    def __init__(self) -> None:
        self.content: dict[str, Any] | None = None
        self.full = False
        self.saves = 0

    def load(self) -> dict[str, Any] | None:
        return self.content

    def save(self, content: dict[str, Any]) -> bool:
        self.saves += 1
        if not self.full:
            self.content = content
        return not self.full

    def counters(self) -> NetCounters:
        return NetCounters(self.load, self.save)


def total(
    power: float | None, imported: float | None = 100.0, exported: float | None = 50.0
) -> Channel:
    return Channel(power=power, imported=imported, exported=exported)


def test_it_starts_at_the_devices_own_totals() -> None:
    assert Disk().counters().take(0, "A", total(500.0)) == (100.0, 50.0)
    assert Disk().counters().take(0, "A", total(500.0, None, None)) == (0.0, 0.0)


def test_it_saves_once_a_minute_and_shows_what_was_saved() -> None:
    disk = Disk()
    counters = disk.counters()
    shown = [counters.take(float(at), "A", total(3600.0)) for at in range(121)]
    assert disk.saves == 3
    assert shown[59] == (100.0, 50.0)
    assert shown[60][0] == shown[119][0] == pytest.approx(100.06)
    assert shown[120][0] == pytest.approx(100.12)
    assert disk.content is not None
    assert disk.content["imported"] == shown[120][0]


def test_after_kill_9_it_goes_on_and_never_falls() -> None:
    disk = Disk()
    counters = disk.counters()
    shown = (0.0, 0.0)
    for at in range(100):
        power = 3600.0 if at % 2 else -3600.0
        shown = counters.take(float(at), "A", total(power))
    # No save at the end: the process is gone. The device counted 0.5 kWh more import meanwhile.
    again = disk.counters().take(5.0, "A", total(3600.0, 100.5, 50.0))
    assert again[0] == pytest.approx(shown[0] + 0.5)
    assert again[1] == shown[1]


def test_an_orderly_stop_keeps_the_last_second() -> None:
    disk = Disk()
    counters = disk.counters()
    for at in range(31):
        counters.take(float(at), "A", total(3600.0))
    counters.save()
    assert disk.counters().take(0.0, "A", total(3600.0))[0] == pytest.approx(100.03)


def test_a_gap_is_filled_from_the_devices_counters() -> None:
    disk = Disk()
    counters = disk.counters()
    counters.take(0.0, "A", total(1000.0))
    counters.take(3600.0, "A", total(1000.0, 102.0, 55.0))
    counters.save()
    assert disk.content is not None
    assert disk.content["imported"] == 100.0
    assert disk.content["exported"] == pytest.approx(53.0)


def test_counters_that_were_reset_or_belong_to_another_meter_fill_nothing() -> None:
    disk = Disk()
    disk.counters().take(0.0, "A", total(0.0))
    assert disk.counters().take(0.0, "A", total(0.0, 1.0, 0.0)) == (100.0, 50.0)
    assert disk.counters().take(0.0, "B", total(0.0, 999.0, 900.0)) == (100.0, 50.0)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"imported": "x", "exported": 1},
        {"imported": -1, "exported": 1},
        {"imported": None, "exported": None, "device": 5},
    ],
)
def test_rubbish_on_disk_starts_anew(content: dict[str, Any]) -> None:
    disk = Disk()
    disk.content = content
    assert disk.counters().take(0.0, "A", total(0.0)) == (100.0, 50.0)


@pytest.mark.parametrize("device", [None, [], [1], "x", [None, 2], [1, 2, 3]])
def test_rubbish_beside_good_counters_keeps_them(device: object) -> None:
    disk = Disk()
    disk.content = {"serial": "A", "imported": 7.0, "exported": 3.0, "device": device}
    assert disk.counters().take(0.0, "A", total(0.0)) == (7.0, 3.0)


def test_a_full_disk_does_not_stop_the_counting() -> None:
    disk = Disk()
    disk.full = True
    counters = disk.counters()
    shown = (0.0, 0.0)
    for at in range(61):
        shown = counters.take(float(at), "A", total(3600.0))
    assert shown[0] == pytest.approx(100.06)


def test_saving_before_the_first_reading_writes_nothing() -> None:
    disk = Disk()
    disk.counters().save()
    assert disk.saves == 0
