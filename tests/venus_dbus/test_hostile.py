"""What no honest device sends, and moments that nobody waits for."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING, Any

from dbus_fast import Message, RequestNameReply

from actors.venus.venus_dbus.injector import export, layout, wire
from actors.venus.venus_dbus.injector.values import LONGEST, Spec, fit
from bridge import __version__
from tests.venus_dbus.gx import grant, name_of, pause, until

if TYPE_CHECKING:
    import pytest

    from tests.support.mosquitto import Mosquitto
    from tests.venus_dbus.gx import Gx

GARAGE = {"what": "temperature", "id": "garage"}
NAME = name_of("temperature", "temperature", "garage")
CAR = name_of("evcharger", "evcharger", "car")
ENABLE = "Devices/car/ChargeEnable/Set"


def test_a_number_of_hundreds_of_digits(running: Gx) -> None:
    running.plan(GARAGE)
    running.told.state("garage", Temperature=20, Humidity=50)
    running.there(NAME)
    owner = running.reader.names()[NAME]
    running.told.state("garage", Temperature=10**400, Humidity=51)
    running.holds(NAME, "/Humidity", 51)
    assert running.reader.items(NAME)["/Temperature"] == ["ai", []]
    pause(1)
    assert running.reader.names()[NAME] == owner, "the same process on the same connection"


def test_texts_that_the_bus_cannot_carry(running: Gx) -> None:
    pool = name_of("acload", "consumer", "pool")
    running.plan(GARAGE, {"what": "consumer", "id": "pool"})
    running.told.say("Devices/garage/Info", {"model": "H\0T\ud800", "serial": "a\n1"})
    running.told.say("Requests/pool/CustomName", "Po\0ol")
    running.told.state("garage", Temperature=20)
    running.told.say("Requests/pool/Grant", grant(consumption=5))
    items = running.there(NAME)
    assert items["/ProductName"] == ["s", "HT"]
    assert items["/Serial"] == ["s", "a1"]
    assert running.there(pool)["/CustomName"] == ["s", "Pool"]


def test_no_text_is_without_end() -> None:
    assert fit(Spec("s"), "ab" * LONGEST) == "ab" * (LONGEST // 2)


def test_a_refusal_with_a_text_that_is_none(running: Gx) -> None:
    running.plan({"what": "evcharger", "id": "car"})
    running.told.state("car", VehicleState="connected")
    running.there(CAR)
    assert running.reader.write(CAR, "/StartStop", "i", 1) == 0
    order = json.loads(until(lambda: running.told.orders("car", "ChargeEnable"), "an order")[-1])
    answer = {"id": order["id"], "ok": False, "error": "no\ud800" + "x" * 1000}
    for each in ("[" * 5000, "[]", answer):
        running.told.say("Devices/car/ChargeEnable/Result", each)
    running.holds(CAR, "/StartStop", 0)
    sentence = "ChargeEnable of car: no" + "x" * (LONGEST - 2)
    until(lambda: running.told.shown("evcharger/car").get("why") == sentence, "a sentence")


def test_a_button_is_not_carried_out_when_the_broker_comes_back(
    running: Gx, mosquitto: Mosquitto
) -> None:
    running.plan({"what": "evcharger", "id": "car"})
    running.told.state("car", VehicleState="connected")
    running.there(CAR)
    # It hangs: the connection stands, and nothing that is sent arrives.
    mosquitto.pause()
    assert running.reader.write(CAR, "/StartStop", "i", 1) == 0
    running.injector.send(signal.SIGSTOP)
    mosquitto.kill()
    mosquitto.start()
    running.told.again()
    running.injector.send(signal.SIGCONT)
    until(lambda: running.told.last("Venus/gx/Status") == "online", "the injector at the broker")
    running.told.say("Devices/car/Status", "offline", retain=True)
    until(lambda: running.told.last(ENABLE) is not None, "what it says of the button")
    said = [json.loads(each) for each in running.told.orders("car", "ChargeEnable")]
    assert [each["value"] for each in said] == [None], "given back, and never pressed"


def test_a_plan_that_changes_while_the_settings_are_slow(running: Gx) -> None:
    """What is reserved too late belongs to nobody: it must not appear beside its successor."""
    running.plan()
    running.pause_settings(signal.SIGSTOP)
    running.plan(GARAGE, wait=False)
    running.told.state("garage", Temperature=20)
    until(lambda: running.told.shown("temperature/garage"), "the first plan")
    running.plan({**GARAGE, "name": "Garage", "instance": 110}, wait=False)
    running.told.state("garage", Temperature=21)
    until(lambda: running.told.shown("temperature/garage"), "the second plan")
    pause(1)
    running.pause_settings(signal.SIGCONT)
    running.there(NAME)
    running.holds(NAME, "/CustomName", "Garage")
    running.told.state("garage", Temperature=22)
    running.holds(NAME, "/Temperature", 22)
    running.plan()
    running.gone(NAME)


def test_a_change_while_the_name_is_claimed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = []
    asked, granted, told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Bus:
        def add_message_handler(self, _handler: object) -> None:
            pass

        async def request_name(self, *_: object) -> RequestNameReply:
            asked.set()
            await granted.wait()
            return RequestNameReply.PRIMARY_OWNER

        async def release_name(self, _name: str) -> None:
            pass

        def send(self, message: Message) -> None:
            sent.append(message)
            told.set()

        def disconnect(self) -> None:
            pass

        async def wait_for_disconnect(self) -> None:
            await asyncio.Event().wait()

    async def connect(_address: str) -> Bus:
        return Bus()

    async def story() -> None:
        monkeypatch.setattr(wire, "connect", connect)
        specs = {"/Temperature": Spec("d", measured=True)}
        shown = export.Exported("name", "system", specs, lambda *_: 0)
        shown.update({"/Temperature": 20})
        task = asyncio.get_running_loop().create_task(shown.run())
        await asked.wait()
        shown.update({"/Temperature": 21})
        granted.set()
        await told.wait()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())
    found: dict[str, Any] = sent[0].body[0]
    assert found["/Temperature"]["Value"].value == 21


def test_it_says_the_version_of_the_bridge() -> None:
    assert __version__ == layout.VERSION
