"""A strict reading of what Home Assistant accepts, written from its documented rules.

Stricter than any single version: a key that is not listed for a platform is an error here, because
Home Assistant would ignore it in silence.
"""

from __future__ import annotations

import re
from typing import Any

ID = re.compile(r"[A-Za-z0-9_-]+\Z")
UNITS: dict[str, set[str | None]] = {
    "power": {"mW", "W", "kW", "MW"},
    "apparent_power": {"VA"},
    "reactive_power": {"var"},
    "power_factor": {None, "%"},
    "energy": {"Wh", "kWh", "MWh"},
    "energy_storage": {"Wh", "kWh", "MWh"},
    "battery": {"%"},
    "voltage": {"V", "mV"},
    "current": {"A", "mA"},
    "frequency": {"Hz", "kHz"},
    "temperature": {"°C", "°F", "K"},
    "humidity": {"%"},
    "atmospheric_pressure": {"hPa", "Pa", "bar", "mbar"},
    "signal_strength": {"dB", "dBm"},
    "duration": {"s", "min", "h", "d"},
}
STATE_CLASSES: dict[str, set[str | None]] = {
    **{name: {"measurement"} for name in UNITS},
    "energy": {"total", "total_increasing", None},
}
SHARED = {"name", "uniq_id", "stat_t", "val_tpl", "ent_cat", "avty", "avty_mode", "qos"}
PLATFORMS: dict[str, set[str]] = {
    "sensor": {"unit_of_meas", "dev_cla", "stat_cla", "sug_dsp_prc", "exp_aft", "ops"},
    "binary_sensor": {"dev_cla", "pl_on", "pl_off", "exp_aft"},
    "number": {"cmd_t", "min", "max", "step", "mode", "unit_of_meas", "dev_cla", "ret"},
    "switch": {"cmd_t", "pl_on", "pl_off", "stat_on", "stat_off", "ret"},
    "select": {"cmd_t", "ops", "ret"},
    "text": {"cmd_t", "max", "ret"},
}
NUMERIC = ("unit_of_meas", "stat_cla", "sug_dsp_prc")


def check(messages: dict[str, dict[str, Any]], prefix: str = "homeassistant") -> None:
    """Fail when one message would be refused, in part or as a whole."""
    seen: set[str] = set()
    for topic, payload in messages.items():
        assert topic.startswith(f"{prefix}/")
        levels = topic[len(prefix) + 1 :].split("/")
        assert levels[-1] == "config"
        assert all(ID.match(level) for level in levels), f"{topic} has other characters"
        _check_device(payload)
        if levels[0] == "device":
            assert len(levels) == 3
            assert payload["cmps"], "a device needs at least one entity"
            parts = [(part["p"], _without(part, "p")) for part in payload["cmps"].values()]
            _check_availability(payload)
        else:
            assert len(levels) == 4
            keys = {"dev", "o", "avty", "avty_mode"}
            own = {name: part for name, part in payload.items() if name not in keys - set(SHARED)}
            _check_availability(payload)
            parts = [(levels[0], own)]
        for platform, part in parts:
            _check_entity(platform, part)
            assert part["uniq_id"] not in seen, "a unique id stands twice"
            seen.add(part["uniq_id"])


def _without(part: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != key}


def _check_device(payload: dict[str, Any]) -> None:
    assert payload["o"]["name"]
    device = payload["dev"]
    assert device["ids"]
    assert device["name"]
    assert set(device) <= {"ids", "name", "mf", "mdl", "sn", "sw", "via_device"}
    assert device.get("via_device") not in device["ids"]
    assert all(isinstance(value, (str, list)) for value in device.values())


def _check_availability(payload: dict[str, Any]) -> None:
    if "avty" not in payload:
        return
    assert payload["avty_mode"] == "all"
    for each in payload["avty"]:
        assert set(each) <= {"t", "val_tpl"}
        assert "#" not in each["t"]
        assert "+" not in each["t"]


def _check_entity(platform: str, part: dict[str, Any]) -> None:
    unknown = set(part) - SHARED - PLATFORMS[platform]
    assert not unknown, f"{platform} does not know {unknown}"
    assert part["name"]
    assert part["stat_t"]
    assert part.get("ent_cat") in (None, "config", "diagnostic")
    if platform in ("sensor", "binary_sensor"):
        assert part.get("ent_cat") != "config", "what is only read is no setting"
    else:
        assert part["cmd_t"].endswith("/Set")
        assert part["ret"] is False, "a command is never retained"
    {"sensor": _check_sensor, "number": _check_number, "select": _check_select}.get(
        platform, lambda _: None
    )(part)


def _check_sensor(part: dict[str, Any]) -> None:
    kind = part.get("dev_cla")
    if kind == "enum":
        assert part["ops"]
        assert all(isinstance(option, str) for option in part["ops"])
        assert not any(name in part for name in NUMERIC)
        return
    assert "ops" not in part
    if kind == "timestamp":
        assert not any(name in part for name in NUMERIC)
        return
    if kind is not None:
        assert part.get("unit_of_meas") in UNITS[kind], f"{part['name']}: wrong unit for {kind}"
        assert part.get("stat_cla") in STATE_CLASSES[kind]
    if "exp_aft" in part:
        assert isinstance(part["exp_aft"], int)
        assert part["exp_aft"] > 0


def _check_number(part: dict[str, Any]) -> None:
    assert part["min"] < part["max"]
    assert part["step"] >= 0.001
    assert part["mode"] in ("auto", "box", "slider")
    kind = part.get("dev_cla")
    if kind is not None:
        assert part.get("unit_of_meas") in UNITS[kind]


def _check_select(part: dict[str, Any]) -> None:
    assert part["ops"]
    assert len(set(part["ops"])) == len(part["ops"])
