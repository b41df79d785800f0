"""The topics and words of switches of several makers. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bridge.mqtt import Will

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Command = Literal["on", "off", "toggle", "ask"]
Said = list[tuple[str, str]]
"""Topic and payload, in the order in which they are told."""


@dataclass(frozen=True)
class Style:
    """One maker's way of speaking, for a switch of some name.

    words: by topic and payload (lower case) what a command means; status: whether it is on and W;
    settings: what a configuration needs; will: what its broker knows of it; key: where the word is
    in a JSON object.
    """

    words: Mapping[str, Mapping[str, Command]]
    status: Callable[[bool, Any], Said]
    settings: Mapping[str, str]
    will: Will
    key: str | None = None

    def command(self, topic: str, payload: str) -> Command | None:
        """What that means; None for what it does not understand."""
        known = self.words.get(topic, {})
        word = payload.strip()
        if self.key is not None and word.startswith("{"):
            try:
                word = str(json.loads(word).get(self.key))
            except ValueError:
                return None
        return known.get(word.lower(), known.get("*"))


def plain(name: str) -> Style:
    """One word, or number, on each topic, as flows and sketches do it."""

    def status(on: bool, watts: Any) -> Said:
        return [(f"{name}/State", "true" if on else "false"), (f"{name}/Power", str(watts))]

    return Style(
        {f"{name}/Set": {"true": "on", "false": "off"}, f"{name}/Get": {"*": "ask"}},
        status,
        _set(f"{name}/Set", "true", "false", f"{name}/State", f"{name}/Power")
        | {"online_topic": f"{name}/Online"}
        | {"on_pattern": "true", "off_pattern": "false", "power_pattern": "(.*)"}
        | {"ask_topic": f"{name}/Get", "ask_value": "?"},
        Will(f"{name}/Online", b"false", b"true"),
    )


def tasmota(name: str) -> Style:
    """Commands below cmnd, answers below stat, its meter below tele; an empty command asks."""

    def status(on: bool, watts: Any) -> Said:
        word = "ON" if on else "OFF"
        return [
            (f"stat/{name}/RESULT", json.dumps({"POWER": word})),
            (f"stat/{name}/POWER", word),
            (f"tele/{name}/SENSOR", json.dumps({"ENERGY": {"Power": watts, "Voltage": 231}})),
        ]

    command = f"cmnd/{name}/POWER"
    on: dict[str, Command] = dict.fromkeys(("on", "1", "true"), "on")
    off: dict[str, Command] = dict.fromkeys(("off", "0", "false"), "off")
    return Style(
        {command: {**on, **off, "toggle": "toggle", "2": "toggle", "": "ask"}},
        status,
        _set(command, "ON", "OFF", f"stat/{name}/POWER", f"tele/{name}/SENSOR")
        | {"on_pattern": "^ON$", "off_pattern": "^OFF$", "power_path": "ENERGY.Power"}
        | {"ask_topic": command, "online_topic": f"tele/{name}/LWT"},
        Will(f"tele/{name}/LWT", b"Offline", b"Online"),
    )


def zigbee2mqtt(name: str) -> Style:
    """One JSON with everything; /set takes JSON or a word, /get asks."""

    def status(on: bool, watts: Any) -> Said:
        said = {"linkquality": 102, "power": watts, "state": "ON" if on else "OFF"}
        return [(topic, json.dumps(said))]

    topic = f"zigbee2mqtt/{name}"
    words: dict[str, Command] = {"on": "on", "off": "off", "toggle": "toggle"}
    return Style(
        {f"{topic}/set": words, f"{topic}/get": {"*": "ask"}},
        status,
        _set(f"{topic}/set", '{"state": "ON"}', '{"state": "OFF"}', topic, topic)
        | {"on_path": "state", "power_path": "power"}
        | {"ask_topic": f"{topic}/get", "ask_value": '{"state": ""}'}
        | {"online_topic": f"{topic}/availability"},
        Will(f"{topic}/availability", b'{"state":"offline"}', b'{"state":"online"}'),
        key="state",
    )


def shelly(name: str) -> Style:
    """Generation 2 and later, with its status messages and its control over MQTT switched on."""

    def status(on: bool, watts: Any) -> Said:
        said = {"id": 0, "source": "MQTT", "output": on, "apower": watts, "voltage": 231.4}
        return [(f"{name}/status/switch:0", json.dumps(said))]

    command, told = f"{name}/command/switch:0", f"{name}/status/switch:0"
    words: dict[str, Command] = {"on": "on", "off": "off", "toggle": "toggle"}
    return Style(
        {command: words, f"{name}/command": {"status_update": "ask"}},
        status,
        _set(command, "on", "off", told, told)
        | {"on_path": "output", "power_path": "apower"}
        | {"ask_topic": f"{name}/command", "ask_value": "status_update"}
        | {"online_topic": f"{name}/online"},
        Will(f"{name}/online", b"false", b"true"),
    )


def shelly1(name: str) -> Style:
    """Generation 1: one word on each topic."""

    def status(on: bool, watts: Any) -> Said:
        return [(relay, "on" if on else "off"), (f"{relay}/power", str(watts))]

    base = f"shellies/{name}"
    relay = f"{base}/relay/0"
    return Style(
        {
            f"{relay}/command": {"on": "on", "off": "off", "toggle": "toggle"},
            f"{base}/command": {"update": "ask"},
        },
        status,
        _set(f"{relay}/command", "on", "off", relay, f"{relay}/power")
        | {"on_pattern": "^on$", "off_pattern": "^off$", "power_pattern": "(.*)"}
        | {"ask_topic": f"{base}/command", "ask_value": "update"}
        | {"online_topic": f"{base}/online"},
        Will(f"{base}/online", b"false", b"true"),
    )


def _set(command: str, on: str, off: str, status: str, power: str) -> dict[str, str]:
    return {
        "on_topic": command,
        "on_value": on,
        "off_topic": command,
        "off_value": off,
        "status_topic": status,
        "power_topic": power,
    }


STYLES = {each.__name__: each for each in (plain, tasmota, zigbee2mqtt, shelly, shelly1)}
