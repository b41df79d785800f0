"""The buttons of a charger: pure first, then pressed on the bus and followed by a real charger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.venus.venus_dbus.injector.charger import ANSWER, TTL, Buttons, Session
from actors.venus.venus_dbus.injector.house import House
from actors.venus.venus_dbus.injector.plan import read_plan
from tests.venus_dbus.gx import grant, name_of, until

if TYPE_CHECKING:
    from tests.venus_dbus.gx import Gx

CAR = {"what": "evcharger", "id": "car"}
NAME = name_of("evcharger", "evcharger", "car")


def buttons(**more: Any) -> Buttons:
    plan = json.dumps({"services": [{**CAR, **more}]}).encode()
    return Buttons(read_plan(plan)[0], "gx")


def house(**values: Any) -> House:
    found = House()
    found.take("Devices/car/State", json.dumps(values).encode(), 0.0, retained=False)
    return found


def said(pressed: Buttons) -> list[tuple[str, Any]]:
    """What is to be published, without the marks."""
    found = []
    for topic, payload in pressed.outbox:
        each = json.loads(payload) if payload else None
        if each:
            each.pop("id", None)
        found.append((topic, each))
    pressed.outbox.clear()
    return found


def lease(value: Any) -> dict[str, Any]:
    return {"value": value, "ttl": TTL, "by": "gx"}


ENABLE, CURRENT, MODE = (
    f"Devices/car/{name}/Set" for name in ("ChargeEnable", "ChargeCurrent", "ChargeMode")
)


def test_start_and_stop_are_leases() -> None:
    pressed, known = buttons(), house(VehicleState="connected")
    assert pressed.press("/StartStop", 1, known, 0.0) == 0
    assert said(pressed) == [(ENABLE, lease(True))]
    assert pressed.figures(known, 0.0)["/StartStop"] == 1
    assert pressed.figures(known, 0.0)["/Mode"] == 0
    assert pressed.press("/StartStop", 0, known, 1.0) == 0
    assert said(pressed) == [(ENABLE, lease(False))]


@pytest.mark.parametrize("value", [5.9, 16.1, -1, 0, None, "10", float("nan")])
def test_a_current_that_cannot_be_is_refused(value: Any) -> None:
    pressed = buttons()
    assert pressed.press("/SetCurrent", value, house(), 0.0) == 2
    assert said(pressed) == []
    assert pressed.held == {}


def test_a_current_within_the_owners_limits() -> None:
    pressed = buttons(min_current=6, max_current=32)
    assert pressed.press("/SetCurrent", 32, house(), 0.0) == 0
    assert said(pressed) == [(CURRENT, lease(32.0))]
    assert pressed.figures(house(ChargingCurrent=6), 0.0)["/SetCurrent"] == 32


def test_automatic_gives_everything_back() -> None:
    pressed, known = buttons(), house(VehicleState="charging")
    pressed.press("/StartStop", 0, known, 0.0)
    pressed.press("/SetCurrent", 10, known, 0.0)
    said(pressed)
    assert pressed.press("/Mode", 1, known, 1.0) == 0
    assert said(pressed) == [(ENABLE, None), (CURRENT, {"value": None, "by": "gx"})]
    assert pressed.held == {}


def test_automatic_brings_a_charger_with_modes_into_the_sunny_one() -> None:
    pressed, known = buttons(), house(VehicleState="connected")
    known.take("Devices/car/ChargeMode", b"default", 0.0, retained=True)
    assert pressed.figures(known, 0.0)["/Mode"] == 0
    pressed.press("/Mode", 1, known, 0.0)
    assert said(pressed) == [(ENABLE, None), (MODE, lease("eco"))]
    assert pressed.figures(known, 0.0)["/Mode"] == 1


def test_manual_keeps_what_is() -> None:
    for state, on in (("charging", True), ("connected", False), (None, False)):
        pressed, known = buttons(), house(VehicleState=state)
        assert pressed.press("/Mode", 0, known, 0.0) == 0
        assert said(pressed) == [(ENABLE, lease(on))]


def test_scheduled_only_where_the_charger_has_it() -> None:
    pressed, known = buttons(), house()
    assert pressed.press("/Mode", 2, known, 0.0) == 2
    known.take("Devices/car/ChargeMode", b"eco", 0.0, retained=True)
    assert pressed.press("/Mode", 2, known, 0.0) == 0
    assert said(pressed) == [(MODE, lease("next_trip"))]
    assert pressed.press("/Mode", 3, known, 0.0) == 2


def test_a_lease_is_renewed_at_a_third_and_let_go_when_nobody_answers() -> None:
    pressed, known = buttons(), house()
    pressed.press("/StartStop", 1, known, 0.0)
    mark = json.loads(pressed.outbox[0][1])["id"]
    pressed.answer("ChargeEnable", {"id": mark, "ok": True})
    said(pressed)
    pressed.tick(TTL / 3 - 0.1)
    assert said(pressed) == []
    pressed.tick(TTL / 3)
    assert said(pressed) == [(ENABLE, lease(True))]
    pressed.tick(TTL / 3 + ANSWER)
    assert said(pressed) == [(ENABLE, {"value": None, "by": "gx"})]
    assert pressed.why == "car did not answer to ChargeEnable"
    assert pressed.figures(known, 0.0)["/StartStop"] is None


def test_a_refusal_and_a_take_over_end_a_lease() -> None:
    pressed = buttons()
    pressed.press("/SetCurrent", 10, house(), 0.0)
    mark = json.loads(pressed.outbox[0][1])["id"]
    said(pressed)
    pressed.answer("ChargeCurrent", {"id": "another", "ok": False, "error": "not ours"})
    assert "ChargeCurrent" in pressed.held
    refused = {"id": mark, "ok": False, "error": "held by battery_guard for 40 s"}
    pressed.answer("ChargeCurrent", refused)
    assert pressed.held == {}
    assert said(pressed) == [], "what is another's is not given back"
    assert pressed.why == "ChargeCurrent of car: held by battery_guard for 40 s"


def test_the_mode_is_the_one_of_the_request() -> None:
    pressed, known = buttons(consumer="ev"), house(VehicleState="waiting")
    told = json.dumps(grant(automatic=True)).encode()
    known.take("Requests/ev/Grant", told, 0.0, retained=False)
    assert pressed.figures(known, 10.0)["/Mode"] == 1
    assert pressed.figures(known, 10.0)["/Status"] == 4
    assert pressed.figures(known, 100.0)["/Mode"] is None, "that word is too old"
    assert pressed.figures(known, 100.0)["/Status"] == 6


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"VehicleState": "disconnected"}, 0),
        ({"VehicleState": "connected"}, 1),
        ({"VehicleState": "charging"}, 2),
        ({"VehicleState": "complete"}, 3),
        ({"VehicleState": "waiting", "ChargerState": "access_wait"}, 5),
        ({"VehicleState": "charging", "ChargerState": "phase_switch", "ChargingPhases": 1}, 22),
        ({"VehicleState": "charging", "ChargerState": "phase_switch", "ChargingPhases": 3}, 23),
        ({"VehicleState": "fault", "ChargerError": "ground"}, 8),
        ({"VehicleState": "fault", "ChargerError": "residual_current_dc"}, 11),
        ({"VehicleState": "fault", "ChargerState": "overtemperature"}, 14),
        ({"VehicleState": "fault", "ChargerError": "diode"}, None),
        ({"VehicleState": None}, None),
        ({}, None),
    ],
)
def test_states(values: dict[str, Any], status: int | None) -> None:
    assert buttons().figures(house(**values), 0.0)["/Status"] == status


def test_the_time_of_a_session() -> None:
    session = Session()
    session.see("charging", 0.0)
    session.see("charging", 5.0)
    assert session.seconds is None, "it is not known when this car came"
    for state, at in (("disconnected", 10), ("connected", 20), ("charging", 30), ("charging", 40)):
        session.see(state, at)
    assert session.seconds == 10
    session.see(None, 50)
    session.see("charging", 90)
    assert session.seconds == 20, "nobody knows what happened from 50 to 90"
    session.see("disconnected", 95)
    assert session.seconds == 0


# ---------------------------------------------------------------------------------- on the bus


def test_pressed_on_the_bus(running: Gx) -> None:
    running.plan(CAR)
    running.told.state("car", VehicleState="connected", ChargingCurrent=6)
    running.there(NAME)
    assert running.reader.write(NAME, "/StartStop", "i", 1) == 0
    running.holds(NAME, "/StartStop", 1)
    orders = until(lambda: running.told.orders("car", "ChargeEnable"), "an order")
    order = json.loads(orders[-1])
    assert (order["value"], order["by"], order["ttl"]) == (True, "gx", TTL)
    assert running.reader.write(NAME, "/SetCurrent", "d", 60.0) == 2
    assert running.reader.write(NAME, "/SetCurrent", "s", "fast") == 2
    assert running.reader.write(NAME, "/SetCurrent", "s", "10") == 0, "text that is a number"
    assert running.reader.write(NAME, "/Mode", "d", 0.5) == 2
    assert running.reader.write(NAME, "/MaxCurrent", "d", 32.0) == 1
    running.holds(NAME, "/SetCurrent", 10)
    refused = {"id": order["id"], "ok": False, "value": None, "error": "no car is there"}
    running.told.say("Devices/car/ChargeEnable/Result", refused)
    running.holds(NAME, "/StartStop", 0)
    sentence = "ChargeEnable of car: no car is there"
    until(lambda: running.told.shown("evcharger/car").get("why") == sentence, "a sentence")


def test_nothing_pressed_outlives_the_charger_or_the_injector(running: Gx) -> None:
    running.plan(CAR)
    running.told.state("car", VehicleState="connected")
    running.there(NAME)
    assert running.reader.write(NAME, "/StartStop", "i", 1) == 0
    running.told.say("Devices/car/Status", "offline", retain=True)
    back = {"value": None, "by": "gx"}
    until(lambda: running.told.last(ENABLE) == back, "given back")
    until(lambda: running.reader.value(NAME, "/Connected") == ["i", 0], "it is offline")
    assert running.reader.write(NAME, "/StartStop", "i", 1) == 2
    running.told.say("Devices/car/Status", "online", retain=True)
    running.holds(NAME, "/Connected", 1)
    assert running.reader.write(NAME, "/SetCurrent", "d", 10.0) == 0
    assert running.injector.stop() == 0
    until(lambda: running.told.last(CURRENT) == back, "given back")
