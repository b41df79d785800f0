"""What happens when something is not there, goes away, comes back or talks rubbish."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.venus_dbus.gx import NULL, ROOT, name_of, pause, until

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.venus_dbus.gx import Gx

GARAGE = {"what": "temperature", "id": "garage"}
NAME = name_of("temperature", "temperature", "garage")
HOLD = """\
import asyncio, sys
from dbus_fast import NameFlag
from dbus_fast.aio import MessageBus
async def main():
    bus = await MessageBus(bus_address=sys.argv[1]).connect()
    print(await bus.request_name(sys.argv[2], NameFlag.DO_NOT_QUEUE), flush=True)
    await bus.wait_for_disconnect()
asyncio.run(main())
"""


def unknown(gx: Gx) -> bool:
    items = gx.reader.items(NAME)
    return items.get("/Temperature") == NULL and items.get("/Connected") == ["i", 0]


def test_silence_is_unknown_first_and_then_it_leaves(running: Gx) -> None:
    running.plan({**GARAGE, "silence": 1}, drop=2.5)
    running.told.state("garage", Temperature=20, Humidity=50)
    running.there(NAME)
    owner = running.reader.names()[NAME]
    until(lambda: unknown(running), "unknown values")
    told = [each for each in running.reader.changes(owner) if "/Connected" in each]
    assert told[-1]["/Temperature"] == NULL, "values and /Connected go in one signal"
    assert told[-1]["/Connected"] == ["i", 0]
    assert running.told.shown("temperature/garage")["instance"] == 100
    running.gone(NAME)
    shown = until(
        lambda: (
            running.told.shown("temperature/garage").get("state") == "gone"
            and running.told.shown("temperature/garage")
        ),
        "the word that it is gone",
    )
    assert shown["why"].startswith("Devices/garage/State has been silent for")
    running.told.state("garage", Temperature=21)
    items = running.there(NAME)
    assert items["/Temperature"] == ["d", 21]
    assert items["/Connected"] == ["i", 1]
    assert items["/DeviceInstance"] == ["i", 100], "VRM knows it again"


def test_who_says_offline_is_believed_at_once(running: Gx) -> None:
    running.plan(GARAGE)
    for topic, word, back in (
        ("Devices/garage/Status", "offline", "online"),
        ("Devices/garage/Status", "stale", "online"),
        ("Bridge/Status", "offline", "online"),
    ):
        running.told.state("garage", Temperature=20)
        running.there(NAME)
        running.holds(NAME, "/Temperature", 20)
        running.told.say(topic, word, retain=True)
        until(lambda: unknown(running), f"unknown after {topic} {word}")
        running.told.say(topic, back, retain=True)
        running.holds(NAME, "/Connected", 1)


def test_without_the_actor_nothing_stays_on_the_gx(running: Gx) -> None:
    """Its list of services stays at the broker, and the devices go on telling."""
    running.plan(GARAGE, drop=4)
    running.told.say("Actors/gx/Status", "online", retain=True)
    running.told.state("garage", Temperature=20)
    running.there(NAME)
    running.told.say("Actors/gx/Status", "offline", retain=True)
    until(lambda: unknown(running), "unknown values, for it did not come back")
    assert running.told.shown("temperature/garage")["why"] == "the actor that shows it is offline"
    running.gone(NAME)
    running.told.state("garage", Temperature=22)
    running.told.say("Actors/gx/Status", "online", retain=True)
    assert running.there(NAME)["/Temperature"] == ["d", 22]


def test_what_the_broker_kept_is_of_unknown_age(gx: Gx) -> None:
    gx.settings()
    gx.told.state("garage", retain=True, Temperature=99)
    gx.injector.start()
    gx.plan(GARAGE)
    pause(1.5)
    assert NAME not in gx.reader.names()
    gx.told.state("garage", Temperature=20)
    assert gx.there(NAME)["/Temperature"] == ["d", 20]


def test_text_where_a_number_is_due(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=20, Humidity=50)
    running.there(NAME)
    running.told.state("garage", Temperature="warm", Humidity=True)
    running.holds(NAME, "/Temperature", [])
    assert running.reader.items(NAME)["/Humidity"] == NULL
    until(
        lambda: (
            running.told.shown("temperature/garage").get("why")
            == "Temperature in Devices/garage/State is not a number"
        ),
        "a sentence",
    )
    for rubbish in ("", "no json", "[1]", '{"Temperature": NaN}', "\x00\xff"):
        running.told.say("Devices/garage/State", rubbish)
    pause(0.3)
    running.told.state("garage", Temperature=22)
    running.holds(NAME, "/Temperature", 22)
    until(lambda: running.told.shown("temperature/garage").get("why") is None, "no complaint")


def test_a_list_that_cannot_be_used_changes_nothing(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=20)
    running.there(NAME)
    running.told.say("Venus/gx/Services", {"services": [{"what": "toaster", "id": "x"}]})
    wrong = "'toaster' is not a sort of service that can be shown"
    until(lambda: running.told.last("Venus/gx/Shown")["plan"] == wrong, "a sentence")
    assert NAME in running.reader.names()
    running.plan()
    running.gone(NAME)
    until(lambda: running.told.last("Venus/gx/Shown")["plan"] is None, "no complaint")


def test_a_bus_that_vanishes_and_comes_back(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=20)
    running.there(NAME)
    running.no_settings()
    running.bus.stop()
    running.lose_reader()
    until(lambda: running.told.last("Venus/gx/Shown")["bus"] is not None, "a sentence")
    running.told.state("garage", Temperature=23)
    running.bus.start()
    running.settings()
    items = running.there(NAME)
    assert items["/Temperature"] == ["d", 23]
    assert items["/DeviceInstance"] == ["i", 100]
    until(lambda: running.told.last("Venus/gx/Shown")["bus"] is None, "all is well")


def test_settings_that_come_late(gx: Gx) -> None:
    gx.injector.start()
    gx.plan(GARAGE, wait=False)
    missing = "the settings of the GX are not there yet"
    until(lambda: (gx.told.last("Venus/gx/Shown") or {}).get("bus") == missing, "a sentence")
    gx.told.state("garage", Temperature=20)
    pause(0.5)
    assert NAME not in gx.reader.names(), "nothing is shown under a number that is not ours"
    gx.settings("temperature:100")
    assert gx.there(NAME)["/DeviceInstance"] == ["i", 101]


def test_a_name_that_another_program_has(gx: Gx) -> None:
    gx.settings()
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, gx.bus.address, NAME], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert other.stdout is not None
        assert b"PRIMARY_OWNER" in other.stdout.readline()
        gx.injector.start()
        gx.plan(GARAGE)
        gx.told.state("garage", Temperature=20)
        until(
            lambda: (
                gx.told.shown("temperature/garage").get("why")
                == f"the name {NAME} is taken by another program"
            ),
            "a sentence",
        )
    finally:
        other.kill()
        other.communicate()
    assert gx.there(NAME)["/Temperature"] == ["d", 20]


def test_a_broker_that_vanishes_and_comes_back(running: Gx, mosquitto: Mosquitto) -> None:
    running.plan({**GARAGE, "silence": 2})
    running.told.state("garage", Temperature=20)
    running.there(NAME)
    mosquitto.kill()
    until(lambda: unknown(running), "unknown values")
    mosquitto.start()
    running.told.got.clear()
    until(lambda: running.told.last("Venus/gx/Status") == "online", "the injector at the broker")
    running.plan({**GARAGE, "silence": 2})
    running.told.state("garage", Temperature=24)
    running.holds(NAME, "/Temperature", 24)


def test_a_clean_stop_leaves_nothing_behind(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=20)
    running.there(NAME)
    owner = running.reader.names()[NAME]
    assert running.injector.stop(signal.SIGTERM) == 0
    assert NAME not in running.reader.names()
    last = running.reader.changes(owner)[-1]
    assert last["/Temperature"] == NULL
    assert last["/Connected"] == ["i", 0]
    until(lambda: running.told.last("Venus/gx/Status") == "offline", "the last word")


def test_a_bridge_that_is_killed_takes_its_injector_with_it(gx: Gx) -> None:
    gx.settings()
    gx.injector.start("--with-parent")
    gx.plan(GARAGE)
    gx.told.state("garage", Temperature=20)
    gx.there(NAME)
    owner = gx.reader.names()[NAME]
    assert gx.injector.orphan() == 0
    assert gx.reader.changes(owner)[-1]["/Temperature"] == NULL
    assert NAME not in gx.reader.names()


def test_a_death_is_told_by_the_will(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=20)
    running.there(NAME)
    running.injector.stop(signal.SIGKILL)
    running.gone(NAME)
    until(lambda: running.told.last("Venus/gx/Status") == "offline", "the last will")


def test_over_tcp_as_from_another_machine(gx: Gx) -> None:
    from tests.venus_dbus.gx import Injector

    gx.settings()
    gx.injector = Injector(gx.folder, gx.broker, gx.bus.tcp, gx.base)
    gx.injector.start()
    gx.plan(GARAGE)
    gx.told.state("garage", Temperature=20)
    assert gx.there(NAME)["/Temperature"] == ["d", 20]
