"""What the device's pages mean: scales, signs, what is missing, and the schedule in both ways."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import actors.devices.homevolt as package
from actors.devices.homevolt.decode import Health, decode, health
from actors.devices.homevolt.schedule import (
    MODES,
    Entry,
    Schedule,
    as_json,
    command,
    differences,
    parse,
    same,
)
from actors.devices.homevolt.sim import Simulator
from actors.devices.homevolt.simulator import pages
from bridge.errors import DeviceGarbled, DeviceRefused

SAMPLE = Path(package.__file__).parent / "samples" / "two_units.json"
NOON = 1_795_132_800  # 2026-11-20T00:00:00Z


def ems(**house: float) -> dict[str, Any]:
    sim = Simulator()
    for name, value in house.items():
        setattr(sim.house, name, value)
    return pages.ems(sim.house, NOON, sim.ecus, set())


def sensor(found: dict[str, Any], function: str) -> dict[str, Any]:
    return next(each for each in found["sensors"] if each["function"] == function)


def test_scales_and_signs_of_one_unit() -> None:
    found = ems()
    data = found["ems"][0]["ems_data"]
    data |= {"power": -1800, "soc_avg": 68, "frequency": 49_998, "sys_temp": 205}
    found["ems"][0]["bms_data"][1] |= {"tmax": 305, "soh": 9870, "cycle_count": 281}
    found["ems"][0]["bms_data"][0] |= {"soh": 9920}
    values = decode(found).values
    assert values["BatteryPower"] == -1800
    assert values["BatterySoc"] == pytest.approx(0.68)
    assert values["InverterFrequency"] == pytest.approx(49.998)
    assert values["InverterTemperature"] == pytest.approx(20.5)
    assert values["InverterVoltageL2"] == pytest.approx(231.5)
    assert values["BatteryTemperature"] == pytest.approx(30.5)
    assert values["BatterySoh"] == pytest.approx(98.7)
    assert values["BatteryCycles"] == 281
    assert values["BatteryCapacity"] == 12_480
    assert values["BatteryEnergy"] == pytest.approx(8.486)
    assert (values["BatteryDischargeEnergy"], values["BatteryChargeEnergy"]) == (1211.98, 1599.11)
    assert values["GridFrequency"] == 49.99
    assert values["PvEnergy"] == 13292.32
    assert values["LoadEnergy"] == 14019.34
    assert (values["GridImportEnergy"], values["GridExportEnergy"]) == (8337.99, 7485.0)


def test_the_energy_directions_can_be_swapped() -> None:
    values = decode(ems(), swap_energy=True).values
    assert (values["BatteryDischargeEnergy"], values["BatteryChargeEnergy"]) == (1599.11, 1211.98)


@pytest.mark.parametrize(("solar", "load"), [(2600.0, 1200.0), (0.0, 3400.0), (5000.0, 300.0)])
def test_the_house_adds_up_within_a_percent(solar: float, load: float) -> None:
    values: Any = decode(ems(solar=solar, load=load)).values
    assert values["LoadPower"] == pytest.approx(load)
    total = values["PvPower"] + values["GridPower"] + values["BatteryPower"]
    assert total == pytest.approx(values["LoadPower"], rel=0.01)
    phases = sum(values[f"GridPowerL{n}"] for n in (1, 2, 3))
    assert phases == pytest.approx(values["GridPower"])
    assert values["LoadPowerL1"] == pytest.approx(load / 2)


def test_two_units_are_a_sum_and_two_devices() -> None:
    reading = decode(json.loads(SAMPLE.read_text()))
    assert [unit.serial for unit in reading.units] == ["68b6b3aabb94", "68b6b3aabb95"]
    assert [unit.values["BatteryPower"] for unit in reading.units] == [-900, -900]
    values = reading.values
    assert values["BatteryPower"] == -1800
    # 50 % of 12480 Wh and 68 % of 6240 Wh.
    assert values["BatterySoc"] == pytest.approx(56.0)
    assert values["BatteryCapacity"] == 18_720
    assert reading.rated_power == 12_000
    # One phase of the grid is null there: its own total still stands.
    assert values["GridPowerL2"] is None
    assert values["GridPower"] == -400
    assert values["BatteryState"] == "charging"


def test_the_sum_is_unknown_with_one_unit() -> None:
    found = json.loads(SAMPLE.read_text())
    found["ems"][1]["ems_data"] = None
    values = decode(found).values
    assert values["BatteryPower"] is None
    assert values["BatterySoc"] is None


def test_null_phases_and_no_total_are_unknown() -> None:
    found = ems()
    grid = sensor(found, "grid")
    grid["phase"][0]["power"] = None
    grid["total_power"] = None
    values = decode(found).values
    assert values["GridPower"] is None
    assert values["GridPowerL1"] is None
    assert values["GridPowerL2"] == pytest.approx(-350.0)


def test_a_phase_that_is_no_object_keeps_its_place() -> None:
    found = ems()
    grid = sensor(found, "grid")
    whole = grid["total_power"]
    grid["phase"][0] = None
    values = decode(found).values
    assert values["GridPower"] == whole
    assert values["GridPowerL1"] is None
    assert values["GridPowerL2"] == pytest.approx(-350.0)
    assert values["GridVoltageL3"] == pytest.approx(233.1)


def test_a_sensor_that_does_not_say_whether_it_is_available_is() -> None:
    found = ems()
    del sensor(found, "grid")["available"]
    sensor(found, "solar")["available"] = "false"
    sensor(found, "load")["available"] = 1
    reading = decode(found)
    assert reading.values["GridPower"] == -1400
    assert reading.values["LoadPower"] == 1200
    assert "PvPower" not in reading.values


def test_a_sensor_that_is_not_available_is_left_out_or_unknown() -> None:
    found = ems()
    before = decode(found)
    sensor(found, "solar")["available"] = False
    assert "PvPower" not in decode(found).values
    assert decode(found, expected=before.available).values["PvPower"] is None


def test_two_solar_sensors_add_up() -> None:
    found = ems()
    second = copy.deepcopy(sensor(found, "solar"))
    second |= {"euid": "second", "total_power": 400}
    second["phase"] = []
    found["sensors"].append(second)
    values = decode(found).values
    assert values["PvPower"] == 3000.0
    assert values["PvPowerL1"] is None
    assert "PvVoltageL1" not in values


def test_older_data_says_it_by_type() -> None:
    found = ems()
    for each in found["sensors"]:
        each["type"] = each.pop("function")
        del each["sensor_type"]
    values = decode(found).values
    assert values["GridPower"] == -1400
    assert values["LoadPower"] == 1200


def test_texts_are_numbers_and_nulls_unknown() -> None:
    found = ems()
    found["ems"][0]["ems_data"]["power"] = "-1800"
    found["ems"][0]["ems_data"]["soc_avg"] = None
    found["ems"][0]["ems_aggregate"] = None
    values = decode(found).values
    assert values["BatteryPower"] == -1800
    assert values["BatterySoc"] is None
    assert values["BatteryChargeEnergy"] is None


@pytest.mark.parametrize(
    ("power", "state"), [(-1800, "charging"), (40, "discharging"), (5, "idle"), (None, None)]
)
def test_a_firmware_that_does_not_tell_its_state_shows_it_by_its_power(
    power: float | None, state: str | None
) -> None:
    found = ems()
    found["ems"][0]["ems_data"]["power"] = power
    for word in ("a new word", None, 7):
        found["ems"][0]["op_state_str"] = word
        assert decode(found).values["BatteryState"] == state
    del found["ems"][0]["op_state_str"]
    assert decode(found).values["BatteryState"] == state


@pytest.mark.parametrize("place", ["ems_data", "bms_data"])
def test_an_alarm_without_a_word_is_a_fault_too(place: str) -> None:
    found = ems()
    block = found["ems"][0][place]
    (block[1] if isinstance(block, list) else block).update({"alarm": 8, "alarm_str": []})
    reading = decode(found)
    assert reading.values["BatteryState"] == "fault"
    assert reading.units[0].troubles == ("alarm 8",)


def test_alarms_are_a_fault_with_their_words() -> None:
    found = ems()
    found["ems"][0]["bms_data"][0]["alarm_str"] = ["BMS_ALARM_CELL"]
    found["ems"][0] |= {"error": 7, "error_str": "Inverter lost"}
    reading = decode(found)
    assert reading.values["BatteryState"] == "fault"
    assert reading.units[0].troubles == ("Inverter lost", "BMS_ALARM_CELL")


@pytest.mark.parametrize("found", [None, [], {}, {"ems": []}, {"ems": "x"}, "text"])
def test_what_is_no_reading_is_refused(found: Any) -> None:
    with pytest.raises(DeviceGarbled):
        decode(found)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (pages.status(NOON), Health(-43, "3056-1a3446ed")),
        ({"wifi_status": {"rssi": "-71", "connected": True}}, Health(-71, None)),
        ({"wifi_status": {"rssi": 0, "connected": False}, "firmware": None}, Health(None, None)),
        ({"wifi_status": {"rssi": None}, "firmware": {"esp": 7}}, Health(None, "7")),
        ({}, Health(None, None)),
        ([], Health(None, None)),
        (None, Health(None, None)),
    ],
)
def test_what_it_tells_of_itself(found: Any, wanted: Health) -> None:
    assert health(found) == wanted


# -------------------------------------------------------------------------------- the schedule


def test_a_schedule_is_read_with_all_its_names() -> None:
    found = parse(
        {
            "local_mode": False,
            "schedule_id": "6a4ee454-0000-4000-8000-2da6d4e50001",
            "schedule": [
                {"id": 1, "from": NOON, "to": NOON + 900, "type": 1, "max_charge": 3000},
                {"id": 2, "type": 6, "min_soc": 20, "params": {"grid_import_limit": 5000}},
                {"id": 3, "type": 0, "params": {"offline": True, "import_energy_limit_to": 5}},
            ],
        }
    )
    assert not found.manual
    assert found.entries[0].params == {"max_charge": 3000}
    assert found.entries[1].params == {"min": 20, "import_limit": 5000}
    assert found.entries[2] == Entry(
        0, {"offline": True}, id=3, strange=("import_energy_limit_to",)
    )
    current = found.current(NOON + 10)
    assert current is not None
    assert current.id == 1
    later = found.current(NOON + 900)
    assert later is not None
    assert later.id == 2
    assert [each.id for each in found.to_come(NOON + 1000)] == [2, 3]


@pytest.mark.parametrize("found", [{}, [], {"schedule": []}, None])
def test_what_is_no_schedule_is_refused(found: Any) -> None:
    with pytest.raises(DeviceGarbled):
        parse(found)


def test_commands_are_written_as_the_console_takes_them() -> None:
    zone = ZoneInfo("Europe/Stockholm")
    entry = Entry(1, {"setpoint": 3000, "max": 90}, start=NOON, end=NOON + 3600)
    assert command("sched_set", entry, zone) == (
        "sched_set 1 --max 90 -s 3000 --from 2026-11-20T01:00:00 --to 2026-11-20T02:00:00"
    )
    assert command("sched_add", Entry(0, {"offline": True}), zone) == "sched_add 0 -o"
    assert command("sched_set", Entry(6, {"import_limit": 5000}), zone) == "sched_set 6 -l 5000"


@pytest.mark.parametrize(
    "entry",
    [
        Entry(10),
        Entry(1, {"setpoint": 11_001}),
        Entry(1, {"setpoint": -1}),
        Entry(1, {"min": 101}),
        Entry(1, start=NOON, end=NOON),
        Entry(1, strange=("something",)),
    ],
)
def test_what_cannot_be_said_is_refused(entry: Entry) -> None:
    with pytest.raises(DeviceRefused):
        command("sched_set", entry, None)


def test_differences_are_told() -> None:
    wanted = Entry(1, {"setpoint": 3000}, end=NOON)
    assert differences(wanted, Entry(1, {"setpoint": 3000, "max": 90}, end=NOON + 1)) == []
    assert differences(wanted, Entry(0)) == ["it is in mode idle"]
    assert differences(wanted, Entry(1, {"setpoint": 2000}, end=NOON)) == ["setpoint is 2000"]
    assert differences(wanted, Entry(1, {}, end=NOON)) == ["it does not show setpoint"]
    assert differences(wanted, Entry(1, {"setpoint": 3000})) == ["it does not show the end"]
    assert differences(wanted, Entry(1, {"setpoint": 3000}, end=NOON - 7200)) == [
        "its end is 2 h early"
    ]


def test_the_journal_keeps_what_cannot_be_said() -> None:
    entries = tuple(Entry(mode, {"setpoint": 5}, 1, 2, 3, ("odd",)) for mode in MODES)
    again = parse({"local_mode": True, "schedule": [as_json(each) for each in entries]})
    assert again == Schedule(local=True, name=None, entries=entries)


def test_the_same_entries_in_any_order() -> None:
    one, two = Entry(1, {"setpoint": 5}, id=1), Entry(0, id=2)
    assert same((one, two), (Entry(0, id=8), Entry(1, {"setpoint": 5}, id=9)))
    assert not same((one,), (one, two))
    assert not same((one, one), (one, two))
