"""Instances and names: reserved, kept, followed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.venus_dbus.gx import SETTINGS, grant, name_of, until

if TYPE_CHECKING:
    from tests.venus_dbus.gx import Gx

GARAGE = {"what": "temperature", "id": "garage"}
NAME = name_of("temperature", "temperature", "garage")
KEPT = "/Settings/Devices/heliograph_temperature_garage"
HEAT: dict[str, Any] = {"what": "consumer", "id": "heat"}


def test_what_is_taken_gives_the_next(gx: Gx) -> None:
    gx.settings("temperature:100", "temperature:101", "grid:102")
    gx.injector.start()
    gx.plan(GARAGE, {"what": "temperature", "id": "attic"})
    gx.told.state("garage", Temperature=1)
    gx.told.state("attic", Temperature=1)
    assert gx.there(NAME)["/DeviceInstance"] == ["i", 102]
    attic = name_of("temperature", "temperature", "attic")
    assert gx.there(attic)["/DeviceInstance"] == ["i", 103]


def test_instance_and_name_outlive_restarts(gx: Gx) -> None:
    gx.settings("temperature:100")
    gx.injector.start()
    gx.plan(GARAGE)
    gx.told.state("garage", Temperature=1)
    gx.there(NAME)
    assert gx.reader.write(NAME, "/CustomName", "s", " Freezer ") == 0
    gx.holds(NAME, "/CustomName", "Freezer")
    kept = f"{KEPT}/CustomName"
    until(lambda: gx.reader.value(SETTINGS, kept) == ["s", "Freezer"], "the name in the settings")
    assert gx.injector.stop() == 0
    gx.no_settings()
    gx.told.got.clear()
    gx.settings()  # the other one is not there any more; its number is not given to us
    gx.injector.start()
    gx.plan({**GARAGE, "instance": 7, "name": "Garage"})
    gx.told.state("garage", Temperature=1)
    items = gx.there(NAME)
    assert items["/DeviceInstance"] == ["i", 101]
    assert items["/CustomName"] == ["s", "Freezer"]
    assert gx.reader.write(NAME, "/CustomName", "s", "") == 0
    gx.holds(NAME, "/CustomName", "Garage")


def test_changes_on_the_gx_are_followed(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=1)
    running.there(NAME)
    assert running.reader.write(SETTINGS, f"{KEPT}/ClassAndVrmInstance", "s", "temperature:7") == 0
    running.holds(NAME, "/DeviceInstance", 7)
    owner = running.reader.names()[NAME]
    told = [each for each in running.reader.changes(owner) if "/DeviceInstance" in each]
    assert told[-1]["/DeviceInstance"] == ["i", 7]
    assert running.reader.write(SETTINGS, f"{KEPT}/CustomName", "s", "Attic") == 0
    running.holds(NAME, "/CustomName", "Attic")


def test_a_class_that_it_is_not_is_put_back(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=1)
    running.there(NAME)
    path = f"{KEPT}/ClassAndVrmInstance"
    assert running.reader.write(SETTINGS, path, "s", "battery:0") == 0
    until(lambda: running.reader.value(SETTINGS, path) == ["s", "temperature:100"], "the old one")
    assert running.reader.items(NAME)["/DeviceInstance"] == ["i", 100]


def test_a_battery_never_gets_a_low_number(running: Gx) -> None:
    running.plan({**HEAT, "class": "battery"})
    running.told.say("Requests/heat/Grant", grant())
    name = name_of("battery", "consumer", "heat")
    assert running.there(name)["/DeviceInstance"] == ["i", 1000]
    path = "/Settings/Devices/heliograph_consumer_heat/ClassAndVrmInstance"
    assert running.reader.write(SETTINGS, path, "s", "battery:0") == 0
    until(lambda: running.reader.value(SETTINGS, path) == ["s", "battery:1000"], "the old one")
    assert running.reader.items(name)["/DeviceInstance"] == ["i", 1000]


def test_a_consumer_that_becomes_a_battery(running: Gx) -> None:
    running.plan(HEAT)
    running.told.say("Requests/heat/Grant", grant())
    load = name_of("acload", "consumer", "heat")
    running.there(load)
    running.plan({**HEAT, "class": "battery"}, wait=False)
    running.gone(load)
    until(lambda: running.told.shown("consumer/heat").get("instance") == 1000, "its new instance")
    running.told.say("Requests/heat/Grant", grant())
    assert running.there(name_of("battery", "consumer", "heat"))["/DeviceInstance"] == ["i", 1000]


@pytest.mark.slow
def test_another_base_has_instances_of_its_own(gx: Gx) -> None:
    gx.settings()
    gx.injector.start()
    gx.plan(GARAGE)
    gx.told.state("garage", Temperature=1)
    gx.there(NAME)
    from tests.venus_dbus.gx import Injector, Told

    (gx.folder / "second").mkdir()
    second = Injector(gx.folder / "second", gx.broker, gx.bus.address, "my/house-2")
    told = Told(gx.broker, "my/house-2")
    try:
        second.start()
        told.say("Venus/gx/Services", {"services": [GARAGE]}, retain=True)
        until(lambda: told.shown("temperature/garage").get("instance") == 101, "the next one")
        told.state("garage", Temperature=5)
        name = "com.victronenergy.temperature.heliograph_my_2fhouse_2d2_temperature_garage"
        assert gx.there(name)["/Temperature"] == ["d", 5]
        assert gx.reader.items(NAME)["/Temperature"] == ["d", 1]
    finally:
        second.stop(signal.SIGKILL)
        told.close()
