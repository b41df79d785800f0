"""A simulated switch on MQTT, with the topics of several makers and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.consumers.mqtt_switch.simulator.styles import STYLES
from bridge.simulators.on_broker import OFFLINE, PORT, MqttDevice, check_style

if TYPE_CHECKING:
    from actors.consumers.mqtt_switch.simulator.styles import Command
    from bridge.mqtt import Incoming

FAULTS: Final = {
    "silent": "hears nothing and says nothing",
    "stubborn": "answers, and does not switch",
    "text_power": "sends a word as its power",
    "only_changes": "tells changes alone: nothing by itself, nothing when it is so already",
    "late": "does and answers everything `delay` s late",
    "garbled": "sends a web page as its state",
    "half": "sends half of what it says",
    **OFFLINE,
}
_PAGE: Final = "<!DOCTYPE html><html><body>busy</body></html>"


class Simulator(MqttDevice):
    """`async with Simulator(style="tasmota") as sim:` is one switch on a broker of its own.

    broker: the url of another one, with username and password. style: a key of STYLES; name: in its
    topics; watts: what its load draws when it is on; period: s after which it tells all again (0:
    never); delay: of the fault `late`; retain: it retains what it says. `heard`: the commands that
    came. May be changed at any time: on, watts, fault.
    """

    def __init__(  # noqa: PLR0913 - an option more is better than a bag of options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        style: str = "plain",
        name: str = "boiler",
        watts: float = 500.0,
        period: float = 10.0,
        delay: float = 5.0,
        retain: bool = False,
        broker: str | None = None,
        username: str = "heliograph",
        password: str | None = None,
    ) -> None:
        check_style(style, STYLES)
        self.style = STYLES[style](name)
        super().__init__(
            host,
            port,
            name=name,
            will=self.style.will,
            filters=tuple(self.style.words),
            broker=broker,
            username=username,
            password=password,
        )
        self.watts, self.period, self.delay, self.retain = watts, period, delay, retain
        self.on = False
        self.heard: list[str] = []
        self._told: tuple[bool, float] | None = None
        self._told_at = 0.0
        self._pending: list[tuple[float, Command, str]] = []
        self._by_the_way: list[tuple[str, str]] = []

    def settings(self) -> dict[str, Any]:
        """All that points a configuration at it, beside the broker."""
        return dict(self.style.settings)

    @property
    def power(self) -> float:
        """W that its load draws now."""
        return self.watts if self.on else 0.0

    def press(self) -> None:
        """A person presses its button."""
        self.on = not self.on

    def say(self, setting: str, text: str) -> None:
        """Send this on one of its topics, such as `status_topic`."""
        self._by_the_way.append((self.style.settings[setting], text))

    # ---------------------------------------------------------------- on the broker

    def again(self) -> None:
        """Most tell their state as they come."""
        self._told = (self.on, self.power) if self.fault == "only_changes" else None

    def take(self, message: Incoming, now: float) -> None:
        """A command, or a question."""
        text = message.payload.decode("utf-8", "replace")
        command = self.style.command(message.topic, text)
        if self.fault == "silent" or command is None or message.retained:
            return
        late = self.delay if self.fault == "late" else 0.0
        self._pending.append((now + late, command, text))

    def tell(self, now: float) -> None:
        """Obey what is due, and tell what is new."""
        due = [each for each in self._pending if each[0] <= now]
        self._pending = [each for each in self._pending if each[0] > now]
        for _, command, text in due:
            self._obey(command, text)
        if self.fault == "silent":
            return
        again = bool(self.period) and now >= self._told_at + self.period
        told = (self.on, self.power)
        if told != self._told or (again and self.fault != "only_changes"):
            self._told, self._told_at = told, now
            self._publish()
        while self._by_the_way:
            self.send(*self._by_the_way.pop(0), retain=self.retain)

    def _obey(self, command: Command, text: str) -> None:
        before = self.on
        if command != "ask":
            self.heard.append(text)
        if command != "ask" and self.fault != "stubborn":
            self.on = not self.on if command == "toggle" else command == "on"
        if command == "ask" or self.fault != "only_changes" or self.on is not before:
            self._told = None

    def _publish(self) -> None:
        watts: Any = "much" if self.fault == "text_power" else self.power
        for topic, text in self.style.status(self.on, watts):
            said = text
            if self.fault == "garbled":
                said = _PAGE
            elif self.fault == "half":
                said = text[: len(text) // 2]
            self.send(topic, said, retain=self.retain)


__all__ = ["FAULTS", "PORT", "STYLES", "Simulator"]
