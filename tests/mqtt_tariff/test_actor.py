"""The actor on a real broker, and somebody who publishes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from actors.tariffs.mqtt_tariff.actor import MqttTariff
from actors.tariffs.mqtt_tariff.settings import MqttTariffSettings
from bridge.config.kinds import find_kind
from bridge.curve.document import Reading
from tests.actors.kinds import last, running
from tests.runtime.virtual import Wire, context

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


async def test_export_prices_in_another_currency_never_stand_beside_those_of_import(
    tmp_path: Path,
) -> None:
    form = Reading(rows="rows", start="start", end="end", value="value", currency_from="currency")
    settings = MqttTariffSettings(
        topic="bought", export_topic="sold", timezone="Europe/Berlin", read=form
    )

    def rows(currency: str, value: float) -> bytes:
        found = json.loads(payload(value))
        return json.dumps({"rows": found, "currency": currency}).encode()

    actor, wire = MqttTariff(context(tmp_path, settings=settings)), Wire()
    wire.attach(actor)
    await actor.take("export_topic", rows("SEK", 0.9))
    await actor.take("topic", rows("EUR", 0.3))
    assert actor._totals is not None
    assert not actor._totals.exports
    await actor.take("export_topic", rows("SEK", 0.9))
    assert "in SEK and not in EUR" in str(actor.error)
    await actor.take("topic", rows("EUR", 0.3))
    assert not actor._totals.exports
    await actor.take("export_topic", rows("EUR", 0.08))
    assert actor._totals.exports is not None
    assert {slot.value for slot in actor._totals.exports} == {0.08}
    await actor.safe()


def test_settings_that_cannot_be_are_told() -> None:
    def told(**given: Any) -> list[str]:
        made = MqttTariffSettings(**{"topic": "a", "timezone": "UTC", **given})
        return [field for field, _ in made.check()]

    assert told() == []
    assert told(unit="apples") == ["unit"]
    assert told(export_topic="a") == ["export_topic"]
