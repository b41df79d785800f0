"""What other programs on the GX see of each class of service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.venus_dbus.gx import NULL, grant, name_of

if TYPE_CHECKING:
    from tests.venus_dbus.gx import Gx

CAR: dict[str, Any] = {"VehicleState": "charging", "Power": 7200, "ChargingCurrent": 16}
PLAN: tuple[dict[str, Any], ...] = (
    {"what": "temperature", "id": "garage", "type": 4, "name": "Garage"},
    {"what": "temperature", "id": "cells", "device": "ess", "quantity": "BatteryTemperature"},
    {"what": "grid", "id": "meter"},
    {"what": "grid", "id": "plain", "phase": 2},
    {"what": "grid", "id": "late"},
    {"what": "pvinverter", "id": "roof", "phase": 2, "position": 1, "max_power": 5000},
    {"what": "pvinverter", "id": "barn", "phase": 0, "position": 0},
    {"what": "evcharger", "id": "car"},
    {"what": "battery", "id": "ess", "time_to_go": "ttg"},
    {"what": "consumer", "id": "pool"},
    {"what": "consumer", "id": "heat", "class": "battery", "instance": 7},
    {"what": "reservation", "id": "reservation", "class": "battery"},
    {"what": "consumer", "id": "a-b"},
)


@pytest.fixture(scope="module")
def gx(shared: Gx) -> Gx:
    shared.plan(*PLAN)
    return shared


def test_a_temperature(gx: Gx) -> None:
    garage = name_of("temperature", "temperature", "garage")
    gx.told.say("Devices/garage/Info", {"manufacturer": "Shelly", "model": "H&T", "serial": "a1"})
    gx.told.state("garage", Temperature=21.456, Humidity=55, Pressure=1013.2)
    items = gx.there(garage)
    assert items["/Temperature"] == ["d", 21.456]
    assert items["/Humidity"] == ["d", 55]
    assert items["/Pressure"] == ["d", 1013.2]
    assert items["/TemperatureType"] == ["i", 4]
    assert items["/Status"] == ["i", 0]
    assert items["/Connected"] == ["i", 1]
    assert items["/DeviceInstance"] == ["i", 100]
    assert items["/ProductId"] == ["i", 65535]
    assert items["/ProductName"] == ["s", "Shelly H&T"]
    assert items["/Serial"] == ["s", "a1"]
    assert items["/FirmwareVersion"] == NULL
    assert items["/CustomName"] == ["s", "Garage"]
    assert items["/Mgmt/Connection"] == ["s", "MQTT heliograph/Devices/garage/State"]
    texts = {path: gx.reader.call(garage, path, "GetText")["body"][0] for path in items}
    assert texts["/Temperature"] == "21.5C"
    assert texts["/Pressure"] == "1013.2hPa"
    assert texts["/FirmwareVersion"] == "---"


def test_an_unknown_part_is_unknown_and_not_zero(gx: Gx) -> None:
    garage = name_of("temperature", "temperature", "garage")
    gx.told.state("garage", Temperature=0, Humidity=None)
    gx.holds(garage, "/Temperature", 0)
    items = gx.reader.items(garage)
    assert items["/Temperature"] == ["d", 0.0]
    assert items["/Humidity"] == NULL
    assert items["/Pressure"] == NULL


def test_another_temperature_of_a_device(gx: Gx) -> None:
    gx.told.state("ess", BatteryTemperature=31.5, Temperature=99)
    items = gx.there(name_of("temperature", "temperature", "cells"))
    assert items["/Temperature"] == ["d", 31.5]


def test_a_grid_meter_has_the_phases_that_exist(gx: Gx) -> None:
    name = name_of("grid", "grid", "meter")
    gx.told.state(
        "meter",
        GridPower=-1500,
        GridPowerL1=500,
        GridPowerL2=None,
        GridPowerL3=-2000,
        GridVoltageL1=231.25,
        GridCurrentL3=-8.7,
        GridImportEnergy=100.5,
        GridExportEnergy=7,
        GridExportEnergyL3=6,
        GridFrequency=50.02,
    )
    items = gx.there(name)
    assert items["/Ac/Power"] == ["d", -1500]
    assert items["/Ac/L1/Power"] == ["d", 500]
    assert items["/Ac/L3/Power"] == ["d", -2000]
    assert not [path for path in items if path.startswith("/Ac/L2")]
    assert items["/NrOfPhases"] == ["i", 2]
    assert items["/Ac/L1/Voltage"] == ["d", 231.25]
    assert items["/Ac/L3/Current"] == ["d", -8.7]
    assert items["/Ac/L3/Energy/Reverse"] == ["d", 6]
    assert items["/Ac/L1/Energy/Reverse"] == NULL
    assert items["/Ac/Energy/Forward"] == ["d", 100.5]
    assert items["/Ac/Energy/Reverse"] == ["d", 7]
    assert items["/Ac/Frequency"] == ["d", 50.02]
    assert items["/Role"] == ["s", "grid"]
    assert items["/ErrorCode"] == ["i", 0]
    assert items["/DeviceInstance"][1] > 30, "30 is taken by another meter"


def test_a_lost_phase_is_unknown_and_so_is_the_whole(gx: Gx) -> None:
    name = name_of("grid", "grid", "meter")
    gx.told.state("meter", GridPowerL1=500, GridPowerL3=-2000)
    gx.there(name)
    gx.told.state("meter", GridPower=None, GridPowerL1=600, GridPowerL3=None)
    gx.holds(name, "/Ac/L1/Power", 600)
    items = gx.reader.items(name)
    assert items["/Ac/L3/Power"] == NULL
    assert items["/Ac/Power"] == NULL


def test_a_meter_without_phases_is_shown_on_one(gx: Gx) -> None:
    gx.told.state("plain", GridPower=-750)
    items = gx.there(name_of("grid", "grid", "plain"))
    assert items["/Ac/L2/Power"] == ["d", -750]
    assert items["/Ac/Power"] == ["d", -750]
    assert not [path for path in items if path.startswith(("/Ac/L1", "/Ac/L3"))]


def test_a_phase_that_comes_later_makes_it_appear_anew(gx: Gx) -> None:
    name = name_of("grid", "grid", "late")
    gx.told.state("late", GridPowerL1=100)
    gx.there(name)
    before = gx.reader.names()[name]
    gx.told.state("late", GridPowerL1=100, GridPowerL2=200)
    gx.holds(name, "/Ac/L2/Power", 200)
    assert gx.reader.names()[name] != before, "who comes back has a connection of its own"


def test_a_pv_inverter(gx: Gx) -> None:
    gx.told.state("roof", PvPower=1234, Voltage=229, Current=5.4, PvEnergy=321.5)
    items = gx.there(name_of("pvinverter", "pvinverter", "roof"))
    assert items["/Ac/L2/Power"] == ["d", 1234]
    assert items["/Ac/L2/Voltage"] == ["d", 229]
    assert items["/Ac/L2/Current"] == ["d", 5.4]
    assert items["/Ac/L2/Energy/Forward"] == ["d", 321.5]
    assert items["/Ac/Power"] == ["d", 1234]
    assert items["/Ac/Energy/Forward"] == ["d", 321.5]
    assert items["/Ac/MaxPower"] == ["d", 5000]
    assert items["/Position"] == ["i", 1]
    assert items["/StatusCode"] == ["i", 7]
    assert not [path for path in items if "Reverse" in path or path.startswith("/Ac/L1")]


def test_a_pv_power_on_all_phases(gx: Gx) -> None:
    gx.told.state("barn", PvPower=3000, InverterState="standby")
    items = gx.there(name_of("pvinverter", "pvinverter", "barn"))
    assert [items[f"/Ac/L{each}/Power"] for each in (1, 2, 3)] == [["d", 1000.0]] * 3
    assert items["/StatusCode"] == ["i", 8]
    assert items["/Position"] == ["i", 0]


def test_a_charger(gx: Gx) -> None:
    gx.told.state(
        "car", **CAR, PowerL1=3600, PowerL2=3600, CurrentL1=15.6, CurrentL2=15.7, SessionEnergy=3.5
    )
    items = gx.there(name_of("evcharger", "evcharger", "car"))
    assert items["/Ac/Power"] == ["d", 7200]
    assert items["/Ac/L2/Power"] == ["d", 3600]
    assert items["/Current"] == ["d", 15.7]
    assert items["/SetCurrent"] == ["d", 16]
    assert items["/MaxCurrent"] == ["d", 16]
    assert items["/MinCurrent"] == ["d", 6]
    assert items["/Status"] == ["i", 2]
    assert items["/StartStop"] == ["i", 1]
    assert items["/Mode"] == NULL, "nobody has told whether it follows the sun"
    assert items["/Position"] == ["i", 0], "0 is the AC output"
    assert items["/Session/Energy"] == ["d", 3.5]
    assert items["/Session/Time"] == NULL, "nobody saw the car come"
    assert items["/Role"] == ["s", "evcharger"]


def test_a_battery_is_charged_when_its_power_is_positive(gx: Gx) -> None:
    gx.told.state("ttg", BatteryTimeToGo=7200)
    gx.told.state("ess", BatterySoc=55.5, BatteryPower=-800, BatteryCurrent=-16, BatteryVoltage=50)
    name = name_of("battery", "battery", "ess")
    gx.there(name)
    gx.holds(name, "/Soc", 55.5)
    items = gx.reader.items(name)
    assert items["/Dc/0/Power"] == ["d", 800]
    assert items["/Dc/0/Current"] == ["d", 16]
    assert items["/Dc/0/Voltage"] == ["d", 50]
    assert items["/TimeToGo"] == ["i", 7200]


def test_a_consumer_as_an_ac_load(gx: Gx) -> None:
    gx.told.say("Requests/pool/CustomName", "Pool pump", retain=True)
    gx.told.say("Requests/pool/Energy", "12.5", retain=True)
    gx.told.say("Requests/pool/Grant", grant(consumption=900, request=1200))
    name = name_of("acload", "consumer", "pool")
    items = gx.there(name)
    gx.holds(name, "/CustomName", "Pool pump")
    assert items["/Ac/Power"] == ["d", 900]
    assert items["/Ac/L1/Power"] == ["d", 900]
    assert items["/Ac/Energy/Forward"] == ["d", 12.5]
    assert items["/Role"] == ["s", "acload"]
    assert items["/DeviceInstance"][1] > 60, "60 is taken by another load"


def test_a_consumer_as_a_battery_looks_as_in_es_ess(gx: Gx) -> None:
    gx.told.say("Requests/heat/Grant", grant(consumption=750, request=3000, automatic=True))
    name = name_of("battery", "consumer", "heat")
    items = gx.there(name)
    assert items["/Dc/0/Power"] == ["d", 750]
    assert items["/Soc"] == ["d", 25]
    assert items["/CustomName"] == ["s", "heat ☼ @ 3000 W"]
    gx.told.say("Requests/heat/Grant", grant(consumption=0, request=0, automatic=False))
    gx.holds(name, "/CustomName", "heat ◌")
    assert gx.reader.items(name)["/Soc"] == NULL


def test_the_reservation(gx: Gx) -> None:
    site = {"at": "2026-11-21T12:00:00Z", "Reservation": 3000, "BatteryPower": -1500}
    gx.told.say("Site/State", site)
    items = gx.there(name_of("battery", "reservation", "reservation"))
    assert items["/Dc/0/Power"] == ["d", 1500]
    assert items["/Soc"] == ["d", 50]
    assert items["/CustomName"] == ["s", "Battery reservation: 3000 W"]


def test_no_battery_of_ours_can_become_the_systems_monitor(gx: Gx) -> None:
    """What Venus OS asks of a candidate, and what it prefers among several."""
    gx.told.state("ess", BatterySoc=55.5)
    gx.told.say("Requests/heat/Grant", grant())
    gx.told.say("Site/State", {"at": "2026-11-21T12:00:00Z", "Reservation": 3000})
    for what, each in (("battery", "ess"), ("consumer", "heat"), ("reservation", "reservation")):
        items = gx.there(name_of("battery", what, each))
        asked = (items["/Connected"][1], items["/ProductName"][1], items["/Mgmt/Connection"][1])
        candidate = asked[0] == 1 and asked[1] not in ([], "") and asked[2] not in ([], "")
        assert not candidate
        assert items["/Mgmt/Connection"] == NULL
        assert items["/DeviceInstance"][1] >= 1000
        assert not [path for path in items if path.startswith("/Info")]


def test_an_id_that_no_path_can_hold(gx: Gx) -> None:
    gx.told.say("Requests/a-b/Grant", grant(consumption=5))
    assert gx.there(name_of("acload", "consumer", "a_2db"))["/Ac/Power"] == ["d", 5]


def test_each_service_has_a_connection_of_its_own(gx: Gx) -> None:
    gx.told.state("garage", Temperature=1)
    gx.told.state("roof", PvPower=1)
    gx.there(name_of("temperature", "temperature", "garage"))
    gx.there(name_of("pvinverter", "pvinverter", "roof"))
    owners = gx.reader.names()
    assert len(owners) > 2
    assert len(set(owners.values())) == len(owners)
