"""Topics of an inverter as quantities."""

from __future__ import annotations

import pytest

from actors.devices.mqtt_pv.decode import Counters, reading
from actors.devices.mqtt_pv.settings import Settings, ZeroFeedIn
from bridge.payload_value import Source


def test_phases_are_added_and_one_unknown_makes_the_sum_unknown() -> None:
    found = {"power_l1": 100.0, "power_l2": 250.5, "voltage_l1": 230.0, "current_l2": 1.1}
    assert reading(found, Counters({})) == {
        "PvPower": 350.5,
        "PvPowerL1": 100.0,
        "PvPowerL2": 250.5,
        "PvVoltageL1": 230.0,
        "PvCurrentL2": 1.1,
    }
    values = reading(found | {"power_l2": None}, Counters({}))
    assert (values["PvPower"], values["PvPowerL1"]) == (None, 100.0)


def test_a_total_of_its_own_wins() -> None:
    found = {"power": 340.0, "power_l1": 100.0, "energy": 12.5, "energy_l1": 4.0}
    values = reading(found, Counters({}))
    assert (values["PvPower"], values["PvEnergy"]) == (340.0, 12.5)
    assert reading(found | {"power": None}, Counters({}))["PvPower"] is None


def test_energies_of_phases_are_added() -> None:
    found = {"power": 1.0, "energy_l1": 4.0, "energy_l3": 5.5}
    assert reading(found, Counters({}))["PvEnergy"] == 9.5
    assert "PvEnergy" not in reading({"power": 1.0}, Counters({}))


def test_a_counter_that_wakes_up_at_zero_is_passed_over() -> None:
    counters = Counters({})
    seen = [
        reading({"power": 1.0, "energy": value}, counters)["PvEnergy"]
        for value in (0.0, 0.0, 310.2, 0.0, None, 0.004, 310.3)
    ]
    assert seen == [0.0, 0.0, 310.2, None, None, None, 310.3]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"power": "a"}, []),
        ({"power_l2": Source(topic="a", path="b")}, []),
        ({}, ["power"]),
        ({"energy": "a"}, ["power"]),
        ({"power": "a", "limit": "b"}, ["rated_power"]),
        ({"power": "a", "rated_power": 600.0}, ["rated_power"]),
        ({"power": "a", "zero_feed_in": ZeroFeedIn()}, ["zero_feed_in"]),
        ({"power": "a", "limit": "b", "rated_power": 600.0, "zero_feed_in": ZeroFeedIn()}, []),
    ],
)
def test_settings_that_do_not_fit_together(given: dict[str, object], wrong: list[str]) -> None:
    assert [field for field, _ in Settings(**given).check()] == wrong  # type: ignore[arg-type]
