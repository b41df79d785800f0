"""Consumers and a meter that speak plain MQTT, and what the bridge answers them."""

from __future__ import annotations

import contextlib
import shutil
import signal
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.e2e.house import EXTERNAL_HOUSE, Eyes, house, mosquitto_pub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.anyio

_LONG = 60.0


@contextlib.asynccontextmanager
async def metered(eyes: Eyes, watts: list[float]) -> AsyncIterator[None]:
    """A grid meter that repeats the newest of `watts`."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(eyes.keep_meter, watts)
        yield
        tasks.cancel_scope.cancel()


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is not installed")
async def test_the_es_ess_readme_example_by_mosquitto_pub_alone(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    body = EXTERNAL_HOUSE + "  distributor: {kind: distributor, strategy: surplus}\n"
    async with house(mosquitto.port, tmp_path, body) as (_, eyes):
        mosquitto_pub(mosquitto.port, "Devices/meter/GridPower", "-6200")
        common = {"Consumption": "0", "IsAutomatic": "true"}
        ev = {"Priority": "35", "PriorityShift": "1", "StepSize": "250", "Minimum": "1365"}
        heater = {"Priority": "40", "PriorityShift": "5", "StepSize": "1000"}
        for consumer, fields in (
            ("EV", {**ev, **common, "Request": "11000"}),
            ("Heater", {**heater, **common, "Request": "3000"}),
        ):
            for name, value in fields.items():
                mosquitto_pub(mosquitto.port, f"Requests/{consumer}/{name}", value)
        mosquitto_pub(mosquitto.port, "Devices/meter/GridPower", "-6200")
        await eyes.until("Requests/EV/Allowance", "4115", 5)
        await eyes.until("Requests/Heater/Allowance", "2000", 5)
        await eyes.until("Requests/EV/Reason", "4115 W of 11000 W; waiting for 165 W more", 3)
        assert eyes.json("Requests/EV/Grant")["ttl"] == 30
        await eyes.until("Site/Assigned", "6115", 3)
        await eyes.until("Site/Remaining", "85", 3)
        assert eyes.text("Site/Surplus") == "6200"


async def test_a_request_as_json_and_its_reset(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with house(mosquitto.port, tmp_path) as (_, eyes), metered(eyes, [-2000.0]):
        await eyes.until("Site/GridPower", "-2000")
        await eyes.publish("Requests/kettle", '{"isautomatic": true, "Request": 1200}')
        await eyes.until("Requests/kettle/Allowance", "1200", 3)
        await eyes.publish("Requests/kettle", '{"Request": null}')
        await eyes.until("Requests/kettle/Allowance", "0", 3)
        await eyes.until("Requests/kettle/Reason", "asks for nothing: Request is 0", 2)


async def test_a_silent_meter_stops_everything_within_ten_seconds(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (_, eyes):
        await eyes.publish("Devices/meter/GridPower", "-2000")
        await eyes.request("pool", IsAutomatic="on", Request=1500, Consumption=0)
        await eyes.until("Requests/pool/Allowance", "1500", 5)
        begun = anyio.current_time()
        await eyes.until("Requests/pool/Allowance", "0", 12)
        assert anyio.current_time() - begun <= 10
        silent = "grid meter silent for "
        await eyes.until("Requests/pool/Reason", lambda text: text.startswith(silent), 2)
        await eyes.until("Devices/meter/Status", "stale", 3)
        await eyes.publish("Devices/meter/GridPower", "-2000")
        await eyes.until("Requests/pool/Allowance", "1500", 5)


async def test_a_retained_meter_value_decides_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with house(mosquitto.port, tmp_path, start=False) as (bridge, eyes):
        await eyes.publish("Devices/meter/GridPower", "-5000", retain=True)
        await eyes.publish("Requests/pool", '{"IsAutomatic":true,"Request":100}', retain=True)
        bridge.start()
        await eyes.until("Requests/pool/Reason", True)
        await anyio.sleep(1)
        assert eyes.text("Requests/pool/Allowance") == "0"


async def test_a_retained_request_waits_for_a_live_word(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path, start=False) as (bridge, eyes):
        for name, value in (("IsAutomatic", "true"), ("Request", "800"), ("Consumption", "0")):
            await eyes.publish(f"Requests/pool/{name}", value, retain=True)
        bridge.start()
        async with metered(eyes, [-2000.0]):
            await eyes.until("Requests/pool/Reason", "waiting for a live message from pool")
            assert eyes.text("Requests/pool/Allowance") == "0"
            await eyes.publish("Requests/pool/Consumption", "0")
            await eyes.until("Requests/pool/Allowance", "800", 3)


async def test_what_is_refused_is_said_and_the_last_good_value_stays(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (_, eyes), metered(eyes, [-2000.0]):
        await eyes.request("pool", IsAutomatic="yes", Request=" 900 ", Consumption=0)
        await eyes.until("Requests/pool/Allowance", "900", 5)
        for bad in (b"1200 W", b"-5", b"nan", b"\xff\xfe", b"1e99", b"x" * 5000):
            await eyes.publish("Requests/pool/Request", bad)
            await eyes.until("Requests/pool/Error", lambda text: "Request" in text, 3)
            assert eyes.text("Requests/pool/Allowance") == "900"
        await eyes.publish("Requests/pool/Colour", "blue")
        await eyes.until("Requests/pool/Error", lambda text: "Colour" in text, 3)
        await eyes.publish("Requests/pool/Request", "700")
        await eyes.until("Requests/pool/Allowance", "700", 7)
        await eyes.until("Requests/pool/Error", lambda text: "Request " not in text, 3)


async def test_overrides_and_pause(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with house(mosquitto.port, tmp_path) as (bridge, eyes), metered(eyes, [-2000.0]):
        await eyes.request("pool", IsAutomatic="false", Request=900, Consumption=0)
        await eyes.until("Requests/pool/Reason", "not automatic: IsAutomatic is false", 5)
        await eyes.publish("Requests/pool/IsAutomatic/Set", "true")
        await eyes.until("Requests/pool/Allowance", "900", 3)
        # The grant is published right after the plain allowance.
        await eyes.until("Requests/pool/Grant", lambda text: '"automatic":true' in text, 3)
        await eyes.publish("Site/Pause/Set", "true")
        await eyes.until("Requests/pool/Reason", "paused by the owner", 3)
        await eyes.until("Site/Pause", "true", 3)
        # the owner's word outlives the bridge
        assert await bridge.end() == 0
        eyes.forget()
        bridge.start()
        await eyes.until("Site/Pause", "true", 10)
        await eyes.request("pool", IsAutomatic="false", Request=900, Consumption=0)
        await eyes.until("Requests/pool/Reason", "paused by the owner", 5)
        await eyes.publish("Site/Pause/Set", "false")
        await eyes.until("Requests/pool/Allowance", "900", 5)
        await eyes.publish("Requests/pool/IsAutomatic/Set", "")
        await eyes.until("Requests/pool/Allowance", "0", 5)


async def test_allowances_are_repeated_and_zero_after_a_clean_stop(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (bridge, eyes), metered(eyes, [-2000.0]):
        await eyes.request("pool", IsAutomatic="true", Request=900, Consumption=0)
        await eyes.until("Requests/pool/Allowance", "900", 5)
        seen = len(eyes.history("Requests/pool/Allowance"))
        await anyio.sleep(11)
        assert len(eyes.history("Requests/pool/Allowance")) > seen
        assert eyes.text("Requests/pool/Allowance") == "900"
        begun = anyio.current_time()
        assert await bridge.end(signal.SIGTERM) == 0
        assert anyio.current_time() - begun < 5
        assert eyes.text("Requests/pool/Allowance") == "0"
        assert eyes.text("Requests/pool/Reason") == "the distributor is stopping"
        for topic in ("Bridge/Status", "Actors/distributor/Status", "Actors/meter/Status"):
            assert eyes.text(topic) == "offline"


async def test_clearing_all_fields_removes_the_outputs(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (_, eyes), metered(eyes, [-2000.0]):
        await eyes.request("pool", IsAutomatic="true", Request=900)
        await eyes.until("Requests/pool/Allowance", "900", 5)
        await eyes.request("pool", IsAutomatic="", Request="")
        await eyes.until("Requests/pool/Allowance", b"", 5)
        for name in ("Grant", "Reason"):
            await eyes.until(f"Requests/pool/{name}", b"", 2)


async def test_a_json_request_is_withdrawn_by_clearing_it(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (_, eyes), metered(eyes, [-2000.0]):
        await eyes.publish("Requests/pool", '{"IsAutomatic":true,"Request":900}', retain=True)
        await eyes.until("Requests/pool/Allowance", "900", 5)
        await eyes.publish("Requests/pool", b"", retain=True)
        await eyes.until("Requests/pool/Allowance", b"", 5)
        await eyes.until("Requests/pool/Reason", b"", 3)


async def test_an_error_goes_when_all_is_right_again(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with house(mosquitto.port, tmp_path) as (bridge, eyes):
        await eyes.publish("Requests/pool/Colour", "blue")
        await eyes.until("Requests/pool/Error", lambda text: "Colour" in text, 5)
        await eyes.publish("Requests/pool/Colour", b"")
        await eyes.until("Requests/pool/Error", b"", 3)
        await eyes.publish("Requests/pool/Minimum", "x")
        await eyes.until("Requests/pool/Error", lambda text: "Minimum" in text, 3)
        assert await bridge.end() == 0
        eyes.forget()
        bridge.start()
        await eyes.until("Actors/distributor/Status", "online", 10)
        await anyio.sleep(0.5)
        await eyes.publish("Requests/pool", '{"IsAutomatic":true,"Minimum":0}')
        await eyes.until("Requests/pool/Error", b"", 5)


async def test_the_state_of_a_control_disturbs_no_external_device(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (bridge, eyes), metered(eyes, [-2000.0]):
        await eyes.request("pool", IsAutomatic="true", Request=900, Consumption=0)
        await eyes.until("Requests/pool/Allowance", "900", 5)
        for control, value in (("Switch", "true"), ("MinSoc", "10"), ("BatteryMode", "auto")):
            await eyes.publish(f"Devices/meter/{control}", value)
        await anyio.sleep(3)
        assert b"0" not in eyes.history("Requests/pool/Allowance")
        assert "Traceback" not in "\n".join(bridge.lines)
        assert await bridge.end() == 0
        await eyes.until("Devices/meter/Status", "offline", 3)


async def test_es_ess_flows_are_served_and_a_real_es_ess_is_given_way(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    body = "compat: {es_ess: true}\n" + EXTERNAL_HOUSE
    tree = "es-ESS/SolarOverheadDistributor"
    async with house(mosquitto.port, tmp_path, body) as (bridge, eyes), metered(eyes, [-2000.0]):
        send = eyes._link.connection.send
        # Long limits: what is proved is what is said, not how fast a busy machine says it.
        await eyes.until("Actors/es_ess/Status", "online", _LONG)
        await eyes.until_outside("es-ESS/$SYS/Status", b"Online", _LONG)
        await eyes.until("Site/GridPower", "-2000", _LONG)
        for name, value in (
            ("IsAutomatic", b"true"),
            ("Request", b"900"),
            ("Consumption", b"0"),
            ("VRMInstanceID", b"1005"),
            ("IsScriptedConsumer", b"true"),
        ):
            send(f"{tree}/Requests/pool/{name}", value, qos=1)
        topic = f"{tree}/Requests/pool/Allowance"
        await eyes.until_outside(topic, b"900", _LONG)
        await eyes.until("Requests/pool/Allowance", "900", _LONG)
        await eyes.until_outside(f"{tree}/Calculations/Grid/TotalFeedIn", b"2000", _LONG)
        for moment in (b"1795132800.5", b"1795132860.5"):
            send(f"{tree}/LastUpdateTime", moment, qos=1)
        await eyes.until_outside(topic, b"0", _LONG)
        await eyes.until("Requests/pool/Reason", lambda text: "es-ESS itself" in text, _LONG)
        assert await bridge.end() == 0
        await eyes.until_outside("es-ESS/$SYS/Status", b"Offline", _LONG)
