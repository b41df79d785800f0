"""The shell that every charger shares, on a real broker: hears, asks, obeys, gives back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.actor import Context
from bridge.charging.model import GIVE_BACK
from bridge.charging.settings import ChargerSettings
from bridge.config import Config
from bridge.contract import load_contract
from bridge.simulators.car import Car
from tests.charging.rig import Charger
from tests.charging.stand import QUICK, TICK, Leap, Stand, kind_for, stand
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

MESSAGE = "Actors/box/Messages/Operational"
WARNING = "Actors/box/Messages/Warning"


async def test_it_asks_charges_what_is_allowed_and_says_so(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        await box.until(lambda: box.asked()["Request"] == 3680)
        asked = box.asked()
        assert (asked["Minimum"], asked["StepSize"], asked["IsAutomatic"]) == (1380, 230, True)
        assert (asked["MinOn"], asked["StopDelay"], asked["Consumption"]) == (600, 240, 0)
        await box.allow(0)
        await box.until(lambda: "waiting for an allow" in (box.last(MESSAGE) or ""))
        assert box.charger.forced == "off"
        await box.allow(2300)
        await box.until(lambda: box.last("Devices/box/Power") == "2300")
        assert box.charger.amps == 10
        await box.until(lambda: box.asked()["Consumption"] == 2300)
        await box.until(lambda: box.last("Devices/box/VehicleState") == "charging")
        assert box.last("Devices/box/ChargingPhases") == "1"
        assert "charging on surplus with up to 10 A" in (box.last(MESSAGE) or "")
        await box.allow(0)
        await box.until(lambda: box.charger.forced == "off")


async def test_it_stops_when_its_lease_ends_and_when_the_distributor_goes(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")
        box.clock.ahead = 29
        await anyio.sleep(0.3)
        assert box.charger.forced == "on"
        box.clock.ahead = 31
        await box.until(lambda: box.charger.forced == "off")
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")
        asked = len(box.them.payloads("heliograph/Requests/box"))
        await box.say("Actors/distributor/Status", "offline", retain=True)
        await box.until(lambda: box.charger.forced == "off")
        # What comes from a distributor that is gone is nothing; back, it is asked again, in full.
        await box.allow(2300)
        await box.say("Actors/distributor/Status", "online", retain=True)
        await box.until(lambda: len(box.them.payloads("heliograph/Requests/box")) > asked)
        assert len(json.loads(box.them.payloads("heliograph/Requests/box")[-1])) >= 12
        reads = box.reads
        await box.until(lambda: box.reads > reads + 5)
        assert box.charger.offers == 0


async def test_a_retained_allowance_is_no_lease(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with link(endpoint(mosquitto.port), "before") as before:
        before.connection.send("heliograph/Requests/box/Allowance", b"2300", qos=1, retain=True)
        await before.connection.flush(1.0)
    async with stand(mosquitto.port, tmp_path) as box:
        await box.until(lambda: box.reads > 10)
        assert box.charger.forced == "off"


async def test_a_stop_gives_it_back_and_asks_for_nothing(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")
        box.runner.stop()
        await box.runner.finished.wait()
        assert box.wishes[-1] == GIVE_BACK
        assert box.charger.forced == "neutral"
        await box.until(lambda: box.asked()["Request"] == 0)
        assert not box.asked()["IsAutomatic"]
        await box.until(lambda: box.last("Devices/box/Status") == "offline")
    assert json.loads((tmp_path / "box" / "charging.json").read_text())["held"] is False


async def test_what_a_killed_process_left_is_put_back_first(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "charging.json").write_text('{"held": true, "by_hand": null}')
    async with stand(mosquitto.port, tmp_path, ready=False) as box:
        box.charger.forced = "on"
        box.away = True
        await box.until(lambda: "could not be given back yet" in (box.last(WARNING) or ""))
        assert box.last("Requests/box") is None
        box.away = False
        box.clock.ahead = 3
        await box.until(lambda: len(box.wishes) > 1)
        assert box.wishes[0] == GIVE_BACK
        assert box.wishes[1].on is False
        assert not box.actor.charge.by_hand
        await box.until(lambda: not box.last(WARNING))


async def test_a_charger_that_does_not_follow_is_told_of_and_tried_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        await box.until(lambda: box.charger.forced == "off")
        box.away = True
        await box.until(lambda: box.last("Devices/box/Status") == "offline")
        await box.allow(2300)
        await box.until(lambda: "did not follow" in (box.last(WARNING) or ""))
        box.away = False
        box.clock.ahead += 3
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on", 10)
        await box.until(lambda: not box.last(WARNING))


async def test_a_start_whose_answer_is_lost_is_ours_and_ends_with_its_lease(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        await box.until(lambda: box.charger.forced == "off")
        box.mute = True
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")
        # Neither heard nor sure: it is told again at once, whatever it is.
        await box.allow(0)
        await box.until(lambda: box.charger.forced == "off")
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")
        # Long after the last confirmed wish: nobody has pressed anything.
        box.clock.ahead = 10
        reads = box.reads
        await box.until(lambda: box.reads > reads + 5)
        assert box.actor.charge.by_hand is None
        box.mute = False
        box.clock.ahead = 45
        await box.until(lambda: box.charger.forced == "off")
        await box.until(lambda: "no allowance was heard" in (box.last(MESSAGE) or ""))


async def test_a_stop_that_fails_is_tried_again_within_seconds(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")
        box.charger.deaf = box.mute = True
        await box.allow(0)
        await box.more_wishes(1)
        for _ in range(6):
            box.clock.ahead += 5.5
            await box.more_wishes(1)
            assert box.wishes[-1].on is False
        box.charger.deaf = box.mute = False
        box.clock.ahead += 5.5
        await box.until(lambda: box.charger.forced == "off")


async def test_a_charger_that_does_not_keep_its_current_is_stopped(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        box.charger.wilful = 16.0
        await box.allow(1380)
        await box.until(lambda: box.charger.forced == "on")
        for seconds in (12, 24):
            box.clock.ahead += seconds
            await box.allow(1380)
            await box.more_wishes(1)
        await box.until(lambda: box.charger.forced == "off")
        await box.until(lambda: "does not keep what it was told" in (box.last(MESSAGE) or ""))
        await box.until(lambda: box.asked()["Request"] == 0)


@pytest.mark.parametrize("leftover", [True, False])
async def test_after_a_kill_the_minimum_times_begin_anew(
    mosquitto: Mosquitto, tmp_path: Path, leftover: bool
) -> None:
    (tmp_path / "box").mkdir()
    held = "true" if leftover else "false"
    (tmp_path / "box" / "charging.json").write_text(f'{{"held": {held}, "by_hand": null}}')
    async with stand(mosquitto.port, tmp_path, min_off=100.0) as box:
        await box.until(lambda: box.charger.forced == "off")
        await box.allow(2300)
        if leftover:
            await box.until(lambda: "since the last stop" in (box.last(MESSAGE) or ""))
            assert box.charger.forced == "off"
            box.clock.ahead = 101
            await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")


async def test_charge_enable_is_a_lease(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        result = await box.command("ChargeEnable", '{"value": true, "ttl": 300, "id": "a"}')
        assert result == {"id": "a", "ok": True, "value": True, "error": None}
        assert (box.charger.forced, box.charger.amps) == ("on", 16)
        await box.until(lambda: box.asked()["IsAutomatic"] is False)
        assert (await box.command("ChargeCurrent", "8"))["ok"]
        assert box.charger.amps == 8
        assert (await box.command("ChargeEnable", ""))["ok"]
        assert box.charger.forced == "off"
        await box.until(lambda: box.asked()["IsAutomatic"] is True)
        await box.command("ChargeEnable", "true")
        await box.until(lambda: box.charger.forced == "on")
        box.clock.ahead = 61
        await box.command("ChargeCurrent", "")
        await box.until(lambda: box.charger.forced == "off")


@pytest.mark.parametrize(
    ("control", "payload", "sentence"),
    [
        ("ChargeCurrent", "5", "ChargeCurrent 5 is not between 6 and 16 A"),
        ("ChargeCurrent", "32", "ChargeCurrent 32 is not between 6 and 16 A"),
        ("ChargePhases", "2", "ChargePhases 2 is not possible here, only 1 or 3"),
    ],
)
async def test_what_cannot_be_is_refused(
    mosquitto: Mosquitto, tmp_path: Path, control: str, payload: str, sentence: str
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        result = await box.command(control, payload)
        assert (result["ok"], result["error"]) == (False, sentence)


async def test_phases_are_not_lent_before_their_pause_is_over(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        assert (await box.command("ChargePhases", "3"))["ok"]
        await box.until(lambda: box.charger.phases == 3)
        result = await box.command("ChargePhases", "1")
        assert "the phases may be changed again in" in result["error"]
        await box.command("ChargePhases", "")
        await box.until(lambda: box.asked()["Request"] == 3680)


async def test_a_fault_refuses_charge_enable_with_its_sentence(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        box.charger.fault = "the ground wire is missing"
        await box.until(lambda: box.last("Devices/box/VehicleState") == "fault")
        result = await box.command("ChargeEnable", "true")
        assert result["error"] == (
            "ChargeEnable was not followed: nothing is charged: the ground wire is missing"
        )
        assert box.charger.forced == "off"


async def test_the_mode_of_the_charger_is_lent_and_manual_means_hands_off(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        assert (await box.command("ChargeMode", "default"))["ok"]
        await box.until(lambda: box.charger.forced == "neutral")
        await box.until(lambda: box.asked()["IsAutomatic"] is False)
        assert (await box.command("ChargeMode", ""))["ok"]
        await box.until(lambda: box.asked()["IsAutomatic"] is True)


async def test_start_pressed_at_the_charger_ends_the_lease_and_stays_after_a_stop(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto.port, tmp_path) as box:
        await box.command("ChargeEnable", '{"value": false, "ttl": 3600}')
        assert box.last("Devices/box/ChargeEnable") == "false"
        box.charger.forced = "on"
        box.clock.ahead = 6
        await box.until(lambda: "started by hand" in (box.last(MESSAGE) or ""))
        await box.until(lambda: box.last("Devices/box/ChargeEnable") == "")
        assert box.charger.forced == "on"
        result = await box.command("ChargeCurrent", "10")
        assert "started by hand" in result["error"]
    assert box.charger.forced == "on"
    saved = json.loads((tmp_path / "box" / "charging.json").read_text())
    assert saved == {"held": False, "by_hand": "on"}


async def test_stop_pressed_is_remembered_over_a_restart_until_it_is_given_back(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "charging.json").write_text('{"held": false, "by_hand": "off"}')
    async with stand(mosquitto.port, tmp_path) as box:
        await box.allow(2300)
        await box.until(lambda: "stopped by hand" in (box.last(MESSAGE) or ""))
        assert box.wishes == []
        await box.say("Devices/box/ChargeEnable/Set", "")
        await box.until(lambda: box.charger.forced == "on")


async def test_without_a_car_it_may_rest(mosquitto: Mosquitto, tmp_path: Path) -> None:
    car = Car(plugged=False)
    async with stand(mosquitto.port, tmp_path, car=car, hibernate=True) as box:
        await box.until(lambda: box.rests > 0)
        reads = box.reads
        await anyio.sleep(5 * TICK)
        assert box.reads == reads
        # A control wakes it.
        await box.command("ChargeEnable", "true")
        await box.until(lambda: box.reads > reads + 2)
        assert box.charger.forced == "on"


async def test_a_pushed_reading_acts_at_once(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with stand(mosquitto.port, tmp_path, interval=3600.0) as box:
        await box.allow(2300)
        await box.until(lambda: box.charger.forced == "on")
        box.charger.step(1.0)
        await box.actor.pushed(box.charger.reading())
        await box.until(lambda: box.last("Devices/box/Power") == "2300")
        box.charger.car.unplug()
        await box.actor.pushed(box.charger.reading())
        await box.until(lambda: box.charger.forced == "off")
        await box.until(lambda: box.asked()["Request"] == 0)


async def test_a_low_price_of_a_tariff_charges(mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"low_price": True, "tariff": "hourly", "price_limit": 0.1}
    async with stand(mosquitto.port, tmp_path, **settings) as box:
        await box.say("Tariffs/hourly/ImportPrice", "0.2")
        await anyio.sleep(5 * TICK)
        assert box.charger.forced == "off"
        await box.say("Tariffs/hourly/ImportPrice", "0.05")
        await box.until(lambda: box.charger.forced == "on")
        await box.say("Tariffs/hourly/ImportPrice", "")
        await box.until(lambda: box.charger.forced == "off")


async def test_without_a_broker_it_is_left_alone(tmp_path: Path) -> None:
    found = Stand(Charger(car=Car(wakes=0), phases=1), Leap())
    given = ChargerSettings(host="box", **QUICK)
    context = Context(
        "box", given, Config(state=tmp_path), load_contract(), endpoint(1), found.clock
    )
    actor = kind_for(found)(context)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.live)
        await found_until(lambda: found.reads > 5)
        assert found.wishes == []
        outcome = await actor.desk.submit("ChargeEnable", b"true")
        assert (outcome.value, outcome.error) == (True, None)
        assert found.charger.forced == "on"
        tasks.cancel_scope.cancel()
    await actor.make_safe()
    assert found.charger.forced == "neutral"


async def found_until(check: Callable[[], object]) -> None:
    with anyio.fail_after(5):
        while not check():  # noqa: ASYNC110 - as in tests.runtime.links
            await anyio.sleep(TICK)
