"""What es-ESS tells of itself and its consumers, made of our figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.compat.es_ess.mirror import (
    ALL_SERVICES,
    Ring,
    Tally,
    local,
    service,
    text,
    wattpilot,
)


def test_energy_and_running_time_by_day() -> None:
    tally = Tally()
    tally.energy(10.0, "2026-11-20")
    tally.energy(10.5, "2026-11-20")
    tally.ran(10, "2026-11-20")
    tally.ran(31, "2026-11-20")  # the bridge was away: nobody knows
    tally.energy(12.0, "2026-11-21")
    tally.ran(5, "2026-11-21")
    assert tally.figures() == {
        "energyToday": 1500.0,
        "energyYesterday": 500.0,
        "energyTotal": 12000.0,
        "runtimeToday": 5.0,
        "runtimeYesterday": 10.0,
        "runtimeTotal": 15.0,
    }


def test_today_is_not_the_total() -> None:
    tally = Tally()
    tally.energy(7.0, "2026-11-21")
    assert tally.figures()["energyToday"] == 0
    assert tally.figures()["energyTotal"] == 7000


def test_a_counter_that_falls_takes_nothing_back() -> None:
    tally = Tally()
    for kwh in (5.0, 6.0, 0.0, 0.5):
        tally.energy(kwh, "2026-11-21")
    assert tally.figures()["energyTotal"] == 6500


def test_counters_survive_a_restart() -> None:
    tally = Tally()
    tally.energy(5.0, "2026-11-21")
    tally.ran(3, "2026-11-21")
    again = Tally.restored(tally.saved())
    assert again == tally
    again.energy(5.2, "2026-11-21")
    assert again.figures()["energyToday"] == pytest.approx(200)


@pytest.mark.parametrize(
    "found", [None, [], {"energyTotal": "x", "day": 4, "counter": True, "z": 1}]
)
def test_a_state_that_makes_no_sense_is_a_new_beginning(found: Any) -> None:
    assert Tally.restored(found) == Tally()


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-10, 100), st.booleans()), max_size=30))
def test_totals_never_fall(steps: list[tuple[float, float, bool]]) -> None:
    tally, day = Tally(), 1
    for kwh, seconds, midnight in steps:
        before = tally.figures()
        day += midnight
        tally.energy(kwh, f"2026-11-{day:02d}")
        tally.ran(seconds, f"2026-11-{day:02d}")
        after = tally.figures()
        assert after["energyTotal"] >= before["energyTotal"]
        assert after["runtimeTotal"] >= before["runtimeTotal"]
        assert after["energyToday"] <= after["energyTotal"]


def test_messages_go_round_in_21_places() -> None:
    ring = Ring()
    places = [ring.place("NoBatToEV", "Warning") for _ in range(22)]
    assert places[0] == "NoBatToEV/ServiceMessages/ServiceMessageType.Warning/Message01"
    assert places[20].endswith("/Message21")
    assert places[21] == places[0]
    assert ring.place("NoBatToEV", "Error").endswith("Error/Message01")


def test_every_service_that_could_be_on_is_listed() -> None:
    assert set(ALL_SERVICES) == {
        *("SolarOverheadDistributor", "TimeToGoCalculator", "FroniusSmartmeterJSON"),
        *("MqttExporter", "FroniusWattpilot", "MqttTemperature", "NoBatToEV"),
        *("Shelly3EMGrid", "ShellyPMInverter", "MqttPVInverter"),
        *("ChargeCurrentReducer", "Grid2Bat"),
    }
    assert service("shelly", "grid") == "Shelly3EMGrid"
    assert service("shelly", "pv") == "ShellyPMInverter"
    assert service("shelly", "device") is None
    assert service("sun2000") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, b"true"),
        (False, b"false"),
        (1365.0, b"1365"),
        (0.5, b"0.5"),
        ("Wärme", "Wärme".encode()),
    ],
)
def test_texts(value: Any, expected: bytes) -> None:
    assert text(value) == expected


def test_times_are_written_without_a_zone() -> None:
    assert len(local(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))) == len("2026-11-21 12:00:00")


def test_a_charging_car() -> None:
    state = {
        "Power": 4140.0,
        **{f"PowerL{n}": 1380.0 for n in (1, 2, 3)},
        **{f"CurrentL{n}": 6.0 for n in (1, 2, 3)},
        "VoltageL1": 230.0,
        "SessionEnergy": 2.5,
        "ChargingCurrent": 6.0,
        "ChargingPhases": 3,
        "VehicleState": "charging",
    }
    found = wattpilot(state, "eco")
    assert found["/Ac/Power"] == b"4140"
    assert found["/Ac/L2/Power"] == b"1380"
    assert found["/Ac/L1/Voltage"] == b"230"
    assert found["/Ac/Energy/Forward"] == b"2.5"
    # es-ESS adds up the phases of both.
    assert (found["/Current"], found["/SetCurrent"], found["/PhaseMode"]) == (b"18", b"18", b"2")
    assert (found["/StartStop"], found["/StartStopLiteral"]) == (b"1", b"Start")
    one = wattpilot({**state, "ChargingPhases": 1, "CurrentL2": 0.0, "CurrentL3": 0.0}, "eco")
    assert (one["/Current"], one["/SetCurrent"], one["/PhaseMode"]) == (b"6", b"6", b"1")
    assert (found["/Status"], found["/StatusLiteral"]) == (b"2", b"Charging")
    assert (found["/Mode"], found["/ModeLiteral"], found["/CarState"]) == (b"1", b"Auto", b"True")
    assert "/Ac/L2/Voltage" not in found


@pytest.mark.parametrize(
    ("vehicle", "mode", "status"),
    [
        ("disconnected", "eco", (b"0", b"Disconnected")),
        ("connected", "eco", (b"4", b"WaitingForSun")),
        ("connected", "default", (b"1", b"Connected")),
        ("complete", "eco", (b"3", b"Charged")),
        ("waiting", None, (b"4", b"WaitingForSun")),
    ],
)
def test_a_car_that_does_not_charge(
    vehicle: str, mode: str | None, status: tuple[bytes, bytes]
) -> None:
    found = wattpilot({"VehicleState": vehicle}, mode)
    assert (found["/Status"], found["/StatusLiteral"]) == status
    assert (found["/StartStop"], found["/StartStopLiteral"]) == (b"0", b"Stop")
    assert found["/CarState"] == (b"False" if vehicle == "disconnected" else b"True")


def test_what_is_unknown_is_left_out() -> None:
    assert wattpilot({"Power": None, "VehicleState": None}, None) == {}
    assert "/Status" not in wattpilot({"VehicleState": "fault"}, None)
