"""What the answers mean, worked out by hand: signs, units, unknowns, rubbish."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from actors.devices.lg_ess.about import masked, system
from actors.devices.lg_ess.common import common
from actors.devices.lg_ess.decode import home
from actors.devices.lg_ess.simulator import home15, pages
from actors.devices.lg_ess.simulator.plant import MODELS, Plant
from bridge.errors import DeviceGarbled

# A Home 10 in the evening: 541 W used, 540 W out of the battery, and nothing from the roof.
HOME10: dict[str, Any] = {
    "statistics": {
        "pcs_pv_total_power": "120",
        "batconv_power": "540",
        "bat_use": "1",
        "bat_status": "2",
        "bat_user_soc": "61.4",
        "load_power": "700",
        "grid_power": "40",
        "current_day_self_consumption": "81.6",
        "current_pv_generation_sum": "26191",
        "current_grid_feed_in_energy": "4810",
    },
    "direction": {
        "is_battery_charging_": "0",
        "is_battery_discharging_": "1",
        "is_grid_selling_": "0",
        "is_grid_buying_": "0",
    },
    "operation": {"status": "start", "mode": "1", "pcs_standbymode": "false"},
    "pcs_fault": {"pcs_status": "pcs_ok", "pcs_op_status": "pcs_run"},
}


def changed(place: str, **values: Any) -> dict[str, Any]:
    found = copy.deepcopy(HOME10)
    found[place] |= values
    return found


def test_a_home_10_that_buys_though_its_flag_does_not_say_so() -> None:
    found = home(HOME10)
    assert found.values == {
        "PvPower": 120.0,
        "GridPower": 40.0,
        "BatteryPower": 540.0,
        "BatterySoc": 61.4,
        "BatteryState": "discharging",
        "LoadPower": 700.0,
        "InverterState": "running",
        "PvEnergyToday": 26.191,
        "GridExportEnergyToday": 4.81,
        "SelfConsumptionToday": 81.6,
    }
    assert (found.running, found.fault, found.soc) == (True, None, 61.4)


def test_selling_and_charging_are_negative() -> None:
    flags = {"is_grid_selling_": "1", "is_battery_discharging_": "0", "is_battery_charging_": "1"}
    values = home(changed("direction", **flags)).values
    assert (values["GridPower"], values["BatteryPower"]) == (-40.0, -540.0)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("pv", "load", "battery"),
    [(2400, 500, -1300), (0, 700, 700), (0, 700, 0), (5000, 300, 0), (200, 3000, 1500)],
)
def test_the_balance_holds_in_every_dialect(
    model: str, pv: float, load: float, battery: float
) -> None:
    plant = Plant(MODELS[model], pv=pv, load=load, wished=battery)
    later = model != "home5"
    found = home15.home(plant) if model == "home15" else pages.home(plant, later=later)
    values: dict[str, Any] = home(found).values
    sources = values["PvPower"] + values["GridPower"] + values["BatteryPower"]
    assert sources == pytest.approx(values["LoadPower"], rel=0.01)
    assert values["GridPower"] == pytest.approx(load - pv - battery, rel=0.01)
    assert values["BatteryPower"] == battery


@pytest.mark.parametrize(
    ("place", "values", "name", "wanted"),
    [
        ("direction", {"is_grid_selling_": None}, "GridPower", None),
        ("direction", {"is_battery_discharging_": "?"}, "BatteryPower", None),
        ("direction", {"is_battery_charging_": "1"}, "BatteryPower", None),
        ("statistics", {"grid_power": "-40"}, "GridPower", None),
        ("statistics", {"grid_power": ""}, "GridPower", None),
        ("statistics", {"load_power": None}, "LoadPower", None),
        ("statistics", {"bat_user_soc": "nan"}, "BatterySoc", None),
        ("statistics", {"pcs_pv_total_power": True}, "PvPower", None),
        ("statistics", {"bat_status": "off"}, "BatteryState", "off"),
        ("statistics", {"bat_status": "7"}, "BatteryState", None),
        ("statistics", {"current_pv_generation_sum": "-1"}, "PvEnergyToday", None),
        ("operation", {"status": "stop"}, "InverterState", "off"),
        ("operation", {"status": ""}, "InverterState", None),
        ("operation", {"pcs_standbymode": "true"}, "InverterState", "standby"),
        ("pcs_fault", {"pcs_status": "pcs_fault_12"}, "InverterState", "fault"),
    ],
)
def test_one_thing_wrong_makes_one_thing_unknown(
    place: str, values: dict[str, Any], name: str, wanted: Any
) -> None:
    found, good = home(changed(place, **values)).values, home(HOME10).values
    assert found[name] == wanted
    same = set(good) - {name}
    assert {each: found[each] for each in same} == {each: good[each] for each in same}


def test_no_direction_is_needed_for_nothing() -> None:
    found = changed("statistics", grid_power="0", batconv_power="0")
    del found["direction"]
    values = home(found).values
    assert (values["GridPower"], values["BatteryPower"]) == (0.0, 0.0)


def test_a_house_without_a_battery_has_no_battery() -> None:
    values = home(changed("statistics", bat_use="0")).values
    assert not any(name.startswith("Battery") for name in values)


@pytest.mark.parametrize("found", [None, [], {}, {"statistics": []}, {"statistics": {"x": "1"}}])
def test_what_is_no_home_is_refused(found: Any) -> None:
    with pytest.raises(DeviceGarbled):
        home(found)


def test_a_home_15_counts_in_hundreds_of_watts() -> None:
    plant = Plant(MODELS["home15"], pv=0, load=700, wished=700, soc=95)
    values = home(home15.home(plant)).values
    assert values == {
        "PvPower": 0.0,
        "GridPower": 0.0,
        "BatteryPower": 700.0,
        "BatterySoc": 95.0,
        "BatteryState": "discharging",
        "LoadPower": 700.0,
        "InverterState": "running",
    }


def test_units_that_are_not_installed_are_never_read() -> None:
    found = home15.common(Plant(MODELS["home15"], pv=3000.0))
    assert found["ess"][1]["pv"][0]["installed"] is True  # inside a unit that is not there
    values = common(found)
    assert [name for name in values if name.endswith("Power")] == [
        f"PvString{number}Power" for number in (1, 2, 3)
    ]
    assert values["PvString1Voltage"] == pytest.approx(364.3)
    assert values["PvString1Current"] == pytest.approx(2.74, abs=0.01)
    assert (values["GridVoltageL1"], values["GridVoltageL3"]) == (237.3, 236.1)
    assert values["GridFrequency"] == 50.0
    assert not any("Energy" in name for name in values)


def test_installed_must_be_said_not_hinted() -> None:
    found = home15.common(Plant(MODELS["home15"]))
    for word in (1, "true", None):
        found["ess"][0]["installed"] = word
        assert not any("String" in name for name in common(found))


def test_the_counters_of_a_day_are_kwh() -> None:
    plant = Plant(MODELS["home5"], pv=2000, load=500, wished=-1000)
    plant.advance(3600)
    values = common(pages.common(plant, later=False))
    assert values["PvEnergyToday"] == 2.0
    assert values["LoadEnergyToday"] == 0.5
    assert values["BatteryChargeEnergyToday"] == 1.0
    assert values["BatteryDischargeEnergyToday"] == 0.0
    assert values["GridExportEnergyToday"] == 0.5
    assert values["GridImportEnergyToday"] == 0.0
    assert values["SelfConsumptionToday"] == 75.0
    assert [name for name in values if "String" in name and "Power" in name] == [
        "PvString1Power",
        "PvString2Power",
    ]


@pytest.mark.parametrize("found", [None, [], {}, {"PV": None}, {"ess": None}, {"ess": [1, {}]}])
def test_an_empty_common_is_empty(found: Any) -> None:
    assert common(found) == {}


@pytest.mark.parametrize(
    ("firmware", "obeys"),
    [
        ("10.05.7430", True),
        ("10.05.7433", True),
        ("10.06.7500", True),
        ("10.05.7429", False),
        ("10.05.6053", False),
        ("1.1.9451", False),
        ("AA.BB.9999", False),
        (None, False),
    ],
)
def test_only_a_new_firmware_obeys_the_reserve(firmware: Any, obeys: bool) -> None:
    assert system({"version": {"pms_version": firmware}}).reserve_is_followed is obeys


def test_who_it_is() -> None:
    found = system(pages.system(Plant(MODELS["home10"])))
    assert found.model == "ESS Home 10 (D010KE1N211)"
    assert (found.firmware, found.capacity, found.serial) == ("10.05.7433", 16_000.0, "...0042")
    later = system(home15.system(Plant(MODELS["home15"])))
    assert (later.model, later.capacity) == ("ESS Home 15 (D015KE1N212)", None)
    assert system(None).model is None


def test_a_serial_number_is_shortened() -> None:
    assert masked("DE2001FICT0001") == "...0001"
    assert masked("SHORT") == "..."
    assert masked(None) is None
    assert "DE2001" not in json.dumps(str(system(pages.system(Plant(MODELS["home5"])))))
