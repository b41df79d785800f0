"""A simulated PV inverter whose gateway publishes it, with faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bridge.mqtt import Will
from bridge.simulators.on_broker import OFFLINE, PORT, MqttDevice, check_style

if TYPE_CHECKING:
    from bridge.mqtt import Incoming

STYLES: Final = ("opendtu", "tasmota")
FAULTS: Final = {
    "silent": "says nothing and hears no limit",
    "text": "sends a word as its power",
    "unavailable": "does not know its power",
    "half": "sends half of each number or JSON",
    "wakes": "tells its counter as 0, as after a night",
    "kept": "sends all of it retained by the broker and then no more",
    "stubborn": "hears its limit and does not keep it",
    **OFFLINE,
}
_VOLTAGE: Final = 231.0
_S_PER_H: Final = 3600.0
_LWT: Final = (b"Offline", b"Online")


class Simulator(MqttDevice):
    """`async with Simulator(style="opendtu") as sim:` is one inverter on a broker of its own.

    broker: the url of another one, with username and password. style: one of STYLES; name: in its
    topics, the serial number for opendtu; watts: what the sun could give; rated: W that are 100 %
    of its limit; period: s between two readings. May be changed at any time: watts, fault.
    `percent`: its limit; `heard`: the limits that came.
    """

    def __init__(  # noqa: PLR0913 - an option more is better than a bag of options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        style: str = "opendtu",
        name: str = "116180000000",
        watts: float = 800.0,
        rated: float = 1500.0,
        period: float = 5.0,
        broker: str | None = None,
        username: str = "heliograph",
        password: str | None = None,
    ) -> None:
        check_style(style, STYLES)
        name = str(name)
        opendtu = style == "opendtu"
        self._limit_topic = f"solar/{name}/cmd/limit_nonpersistent_relative"
        super().__init__(
            host,
            port,
            name=name,
            will=Will("solar/dtu/status") if opendtu else Will(f"tele/{name}/LWT", *_LWT),
            filters=(self._limit_topic,) if opendtu else (),
            broker=broker,
            username=username,
            password=password,
        )
        self.style, self.watts, self.rated, self.period = style, watts, rated, period
        self.percent = 100.0
        self.energy = 1234.5
        self.heard: list[str] = []
        self._told_at: float | None = None
        self._counted_at: float | None = None
        self._spoiled: str | None = None

    def settings(self) -> dict[str, Any]:
        """All that points a configuration at it, beside the broker."""
        if self.style == "tasmota":
            topic = f"tele/{self.name}/SENSOR"
            return {
                "power": {"topic": topic, "path": "ENERGY.Power"},
                "energy": {"topic": topic, "path": "ENERGY.Total"},
            }
        base = f"solar/{self.name}/0"
        return {
            "power_l1": f"{base}/power",
            "voltage_l1": f"{base}/voltage",
            "current_l1": f"{base}/current",
            "energy": f"{base}/yieldtotal",
            "limit": self._limit_topic,
            "rated_power": self.rated,
        }

    @property
    def power(self) -> float:
        """W that it gives now."""
        limit = 100.0 if self.fault == "stubborn" else self.percent
        return round(min(self.watts, self.rated * limit / 100), 1)

    # ---------------------------------------------------------------- on the broker

    def again(self) -> None:
        """It tells its readings as it comes."""
        self._told_at = None

    def take(self, message: Incoming, now: float) -> None:
        """A limit in %."""
        del now
        text = message.payload.decode("utf-8", "replace")
        if self.fault == "silent" or message.retained:
            return
        try:
            percent = float(text)
        except ValueError:
            return
        self.heard.append(text)
        if 0 <= percent <= 100:
            self.percent = percent
            self._told_at = None

    def tell(self, now: float) -> None:
        """Count, and send all readings when they are due."""
        since = now if self._counted_at is None else self._counted_at
        self._counted_at = now
        self.energy += self.power * (now - since) / _S_PER_H / 1000
        if self.fault != self._spoiled:
            self._spoiled, self._told_at = self.fault, None
        due = self._told_at is None or now >= self._told_at + self.period
        once = self.fault == "kept" and self._told_at is not None
        if not due or once or self.fault == "silent":
            return
        self._told_at = now
        self.tell_readings(self._readings())

    def _readings(self) -> list[tuple[str, str]]:
        power: Any = {"text": "much", "unavailable": None}.get(self.fault or "", self.power)
        energy = 0 if self.fault == "wakes" else round(self.energy, 3)
        if self.style == "tasmota":
            meter = {"Power": power, "Total": energy, "Voltage": _VOLTAGE}
            return [(f"tele/{self.name}/SENSOR", json.dumps({"ENERGY": meter}))]
        numbers = {
            "power": "unavailable" if power is None else power,
            "voltage": _VOLTAGE,
            "current": round(self.power / _VOLTAGE, 2),
            "yieldtotal": energy,
        }
        return [(f"solar/{self.name}/0/{name}", str(each)) for name, each in numbers.items()]


__all__ = ["FAULTS", "PORT", "STYLES", "Simulator"]
