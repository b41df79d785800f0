"""The actor on a real broker, and somebody who publishes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from actors.tariffs.mqtt_tariff.settings import MqttTariffSettings
from bridge.config.kinds import find_kind
from tests.actors.kinds import last, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

KIND = find_kind("mqtt_tariff")


def payload(value: float, key: str = "value") -> bytes:
    """Two days from yesterday on, at one price."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = [
        {
            "start": (hour + timedelta(hours=n)).isoformat(),
            "end": (hour + timedelta(hours=n + 1)).isoformat(),
            key: value,
        }
        for n in range(-24, 24)
    ]
    return json.dumps(rows).encode()


def error(them: Any) -> str:
    return str(json.loads(last(them, "Actors/dut/Health") or '{"error": ""}')["error"])


async def test_a_curve_comes_is_refused_and_comes_again(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    settings = MqttTariffSettings(
        topic="flow/prices", export_topic="flow/sold", timezone="Europe/Berlin", tax=20
    )
    async with running(KIND, settings, tmp_path, mosquitto.port) as them:

        async def until(name: str, wanted: str) -> None:
            await them.until(lambda: last(them, f"Tariffs/dut/{name}") == wanted)

        def send(topic: str, what: bytes, *, retain: bool = False) -> None:
            them.connection.send(topic, what, qos=1, retain=retain)

        await them.until(lambda: "nothing has come" in error(them))
        send("flow/prices", payload(0.25), retain=True)
        await until("ImportPrice", "0.3")
        await them.until(lambda: error(them) == "None")
        assert last(them, "Tariffs/dut/ExportPrice") in (None, "")
        send("flow/sold", payload(0.08))
        await until("ExportPrice", "0.08")
        send("flow/prices", b"<html>")
        await them.until(lambda: "flow/prices" in error(them))
        assert last(them, "Tariffs/dut/ImportPrice") == "0.3"
        send("flow/prices", payload(-0.05))
        await until("ImportPrice", "-0.06")
        await them.until(lambda: error(them) == "None")
        assert last(them, "Tariffs/dut/ExportPrice") == "0.08"


def test_settings_that_cannot_be_are_told() -> None:
    def told(**given: Any) -> list[str]:
        made = MqttTariffSettings(**{"topic": "a", "timezone": "UTC", **given})
        return [field for field, _ in made.check()]

    assert told() == []
    assert told(unit="apples") == ["unit"]
    assert told(export_topic="a") == ["export_topic"]
