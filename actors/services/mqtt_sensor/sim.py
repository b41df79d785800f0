"""A simulated sensor of the air that publishes on topics of its own, with faults."""

from __future__ import annotations

import json
from typing import Any, Final

from bridge.mqtt import Will
from bridge.simulators.on_broker import OFFLINE, PORT, MqttDevice, check_style

STYLES: Final = ("plain", "tasmota", "zigbee2mqtt")
FAULTS: Final = {
    "silent": "says nothing",
    "text": "sends words instead of numbers",
    "comma": "writes its numbers with a comma",
    "unavailable": "does not know what it measures",
    "absurd": "sends what no air can be",
    "half": "sends half of each number or JSON",
    "kept": "sends all of it retained by the broker and then no more",
    **OFFLINE,
}
_NAMES: Final = ("temperature", "humidity", "pressure")
_INSTEAD: Final = {"text": "warm", "unavailable": None, "absurd": -9999.0}


class Simulator(MqttDevice):
    """`async with Simulator(style="tasmota") as sim:` is one sensor on a broker of its own.

    broker: the url of another one, with username and password. style: one of STYLES; name: in its
    topics; temperature (°C), humidity (%), pressure (hPa): what it measures, and fault may be
    changed at any time; period: s between two readings.
    """

    def __init__(  # noqa: PLR0913 - an option more is better than a bag of options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        style: str = "plain",
        name: str = "garden",
        temperature: float = 21.5,
        humidity: float = 48.0,
        pressure: float = 1013.2,
        period: float = 10.0,
        broker: str | None = None,
        username: str = "heliograph",
        password: str | None = None,
    ) -> None:
        check_style(style, STYLES)
        will = {
            "plain": Will(f"sensors/{name}/status"),
            "tasmota": Will(f"tele/{name}/LWT", b"Offline", b"Online"),
            "zigbee2mqtt": Will(
                f"zigbee2mqtt/{name}/availability", b'{"state":"offline"}', b'{"state":"online"}'
            ),
        }[style]
        super().__init__(
            host, port, name=name, will=will, broker=broker, username=username, password=password
        )
        self.style, self.period = style, period
        self.temperature, self.humidity, self.pressure = temperature, humidity, pressure
        self._told: tuple[Any, ...] | None = None
        self._told_at = 0.0

    def settings(self) -> dict[str, Any]:
        """All that points a configuration at it, beside the broker."""
        if self.style == "plain":
            return {each: f"sensors/{self.name}/{each}" for each in _NAMES}
        if self.style == "tasmota":
            topic = f"tele/{self.name}/SENSOR"
            return {each: {"topic": topic, "path": f"BME280.{each.title()}"} for each in _NAMES}
        return {each: {"topic": f"zigbee2mqtt/{self.name}", "path": each} for each in _NAMES}

    # ---------------------------------------------------------------- on the broker

    def again(self) -> None:
        """It tells its readings as it comes."""
        self._told = None

    def tell(self, now: float) -> None:
        """Send what is new, and all each `period` s."""
        told = (self.fault, self.temperature, self.humidity, self.pressure)
        again = now >= self._told_at + self.period and self.fault != "kept"
        if self.fault == "silent" or (told == self._told and not again):
            return
        self._told, self._told_at = told, now
        self.tell_readings(self._readings())

    def _measured(self, name: str) -> Any:
        value = getattr(self, name)
        if self.fault == "comma":
            return str(value).replace(".", ",")
        return _INSTEAD.get(self.fault or "", value)

    def _readings(self) -> list[tuple[str, str]]:
        found = {each: self._measured(each) for each in _NAMES}
        if self.style == "plain":
            texts = {each: "unavailable" if v is None else str(v) for each, v in found.items()}
            return [(f"sensors/{self.name}/{each}", text) for each, text in texts.items()]
        if self.style == "tasmota":
            inside = {each.title(): value for each, value in found.items()}
            return [(f"tele/{self.name}/SENSOR", json.dumps({"BME280": inside}))]
        return [(f"zigbee2mqtt/{self.name}", json.dumps(found))]


__all__ = ["FAULTS", "PORT", "STYLES", "Simulator"]
