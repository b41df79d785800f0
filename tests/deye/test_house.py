"""The simulated inverter follows its schedule, its limits and its work mode."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from actors.devices.deye.house import Slots
from actors.devices.deye.sim import Simulator
from bridge.simulators.plant import Plant

MONDAY = datetime(2026, 6, 1, 6, 30)  # noqa: DTZ001 - an inverter's local time
STARTS = ("00:00", "05:00", "09:00", "13:00", "17:00", "21:00")


def slots(days: int = 0xFF, starts: tuple[str, ...] = STARTS) -> Slots:
    return Slots(days, starts, (1,) * 6, (1,) * 6, (0,) * 6)


@pytest.mark.parametrize(
    ("found", "clock", "index"),
    [
        (slots(), "00:00", 0),
        (slots(), "04:59", 0),
        (slots(), "05:00", 1),
        (slots(), "23:59", 5),
        (slots(starts=("01:00", *STARTS[1:])), "00:30", 5),
        (slots(starts=("01:00",) * 6), "12:00", 5),
        (slots(days=0xFE), "12:00", None),
        (slots(days=0x03), "12:00", 3 - 1),
        (slots(days=0x05), "12:00", None),
    ],
)
def test_the_slot_of_the_moment(found: Slots, clock: str, index: int | None) -> None:
    hour, minute = map(int, clock.split(":"))
    assert found.index(MONDAY.replace(hour=hour, minute=minute)) == index


def simulated(**rows: Any) -> Simulator:
    plant = Plant(pv=1000.0, load=3000.0, soc=50.0, capacity=100_000.0)
    sim = Simulator(plant=plant, map="sg04lp3")
    sim.now = MONDAY
    sim.rows.put({"tou2_power": 6000, "tou2_soc": 30, **rows})
    sim.forward(0)
    return sim


@pytest.mark.parametrize(
    ("rows", "battery", "grid"),
    [
        # Without time of use it covers the house, within its limits.
        ({}, 2000, 0),
        ({"battery_max_discharge_current": 20}, 1030, 970),
        ({"battery_shutdown_soc": 50}, 0, 2000),
        # Selling first with time of use it delivers the slot's power, down to the slot's charge.
        ({"tou_enable": "on"}, 6000, -4000),
        ({"tou_enable": "on", "max_sell_power": 1000}, 3000, -1000),
        ({"tou_enable": "on", "tou2_soc": 50}, 0, 2000),
        # Without export it covers the house, less what shall flow in.
        ({"tou_enable": "on", "work_mode": "zero_export_to_ct"}, 1980, 20),
        ({"tou_enable": "on", "work_mode": "zero_export_to_ct", "tou2_power": 500}, 500, 1500),
        # It charges from the grid where the slot, the switch and both currents allow it.
        (
            {
                "tou_enable": "on",
                "tou2_soc": 80,
                "tou2_charge_source": "grid",
                "grid_charge_enable": "on",
            },
            -2060,
            4060,
        ),
        ({"tou_enable": "on", "tou2_soc": 80, "tou2_charge_source": "grid"}, 0, 2000),
        (
            {
                "tou_enable": "on",
                "tou2_soc": 80,
                "tou2_charge_source": "grid",
                "grid_charge_enable": "on",
                "battery_max_charge_current": 10,
            },
            -515,
            2515,
        ),
    ],
)
def test_what_the_battery_does(rows: dict[str, Any], battery: int, grid: int) -> None:
    sim = simulated(**rows)
    assert sim.rows["battery_power"] == battery
    assert sim.rows["grid_total_power"] == grid


@pytest.mark.parametrize(
    ("rows", "sun", "grid"),
    [
        ({"battery_max_charge_current": 0}, 9000, -6000),
        ({"battery_max_charge_current": 0, "max_sell_power": 2000}, 5000, -2000),
        ({"battery_max_charge_current": 0, "work_mode": "zero_export_to_ct"}, 9000, -6000),
        (
            {
                "battery_max_charge_current": 0,
                "work_mode": "zero_export_to_ct",
                "solar_sell": "off",
            },
            2980,
            20,
        ),
    ],
)
def test_the_sun_is_held_back_where_it_may_not_be_fed_in(
    rows: dict[str, Any], sun: int, grid: int
) -> None:
    sim = simulated(**rows)
    sim.plant.pv = 9000.0
    sim.forward(0)
    assert sim.rows["pv1_power"] + sim.rows["pv2_power"] == sun  # type: ignore[operator]
    assert sim.rows["grid_total_power"] == grid


def test_time_changes_the_slot_and_the_charge() -> None:
    sim = simulated(tou_enable="on", tou3_power=1000)
    sim.forward(2.5 * 3600)
    assert sim.rows["battery_power"] == 1000
    assert sim.rows["inverter_clock"] == "2026-06-01T09:00:00"
    assert sim.plant.soc < 50
    assert sim.rows["battery_discharge_today"] > 0  # type: ignore[operator]
