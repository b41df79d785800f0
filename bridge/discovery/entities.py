"""One entity from one entry of the contract: what Home Assistant must know of it. Pure.

Keys are Home Assistant's abbreviations: `p` platform, `stat_t` and `cmd_t` state and command
topic, `val_tpl` value template, `avty` availability, `dev_cla` and `stat_cla` device and state
class, `uniq_id` unique id, `ent_cat` entity category, `exp_aft` expire after (s).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.contract import Control, Value

    Entity = dict[str, Any]

_SPELLED = {
    "Pv": "PV",
    "Soc": "state of charge",
    "Soh": "state of health",
    "L1": "L1",
    "L2": "L2",
    "L3": "L3",
}
_MOST_DIGITS = 2
_LONGEST_TEXT = 255
_LEAST_EXPIRY = 120
_LONGEST_AGE = 3600
_FINEST_STEP = 0.001  # Home Assistant refuses finer ones
# An empty state topic means that the value is unknown; Home Assistant's word for that is None.
EMPTY_IS_UNKNOWN = "{{ value or 'None' }}"


def words(name: str) -> str:
    """A name of the contract for people: `GridPowerL1` -> `Grid power L1`."""
    parts = re.findall(r"[A-Z]\d+$|[A-Z][a-z]*|\d+", name) or [name]
    spelled = [_SPELLED.get(part, part.lower()) for part in parts]
    text = " ".join(spelled)
    return text[:1].upper() + text[1:]


def from_json(key: str, missing: str = "") -> str:
    """A template for one key of a JSON state: null is unknown, a key left out changes nothing.

    An enum would complain about nothing: there `missing` is None, which is unknown as well.
    """
    return f"{{{{ value_json.{key} | default('{missing}') }}}}"


def sensor(value: Value, state_topic: str, template: str | None) -> Entity:
    """A sensor for a measured value, with unit and classes as the contract has them."""
    found: Entity = {"p": "sensor", "name": words(value.name), "stat_t": state_topic}
    if template is not None:
        found["val_tpl"] = template
    if value.kind == "number":
        found |= _numeric(value)
    elif value.kind == "word" and value.options and not value.open:
        found |= {"dev_cla": "enum", "ops": list(value.options)}
    if value.max_age is not None and value.max_age <= _LONGEST_AGE:
        found["exp_aft"] = max(_LEAST_EXPIRY, int(3 * value.max_age))
    category = getattr(value, "category", None)
    if category is not None:
        found["ent_cat"] = category
    return found


def _numeric(value: Value) -> Entity:
    found: Entity = {}
    if value.unit is not None:
        found["unit_of_meas"] = value.unit
    if value.device_class is not None:
        found["dev_cla"] = value.device_class
    if value.state_class is not None:
        found["stat_cla"] = value.state_class
    if value.digits is not None:
        found["sug_dsp_prc"] = min(value.digits, _MOST_DIGITS)
    return found


def control(entry: Control, state_topic: str) -> Entity:
    """The entity of a control; its commands go to `…/Set`, never retained."""
    found: Entity = {
        "p": entry.platform,
        "name": words(entry.name),
        "stat_t": state_topic,
        "cmd_t": f"{state_topic}/Set",
        "val_tpl": EMPTY_IS_UNKNOWN,
        "qos": 1,
        "ret": False,
    }
    match entry.platform:
        case "number":
            found |= {"min": entry.min, "max": entry.max, "step": _step(entry), "mode": "box"}
            if entry.unit is not None:
                found["unit_of_meas"] = entry.unit
            if entry.device_class is not None:
                found["dev_cla"] = entry.device_class
            if not entry.lease:
                found["ent_cat"] = "config"
        case "select":
            found["ops"] = list(entry.options)
        case "text":
            found |= {"max": entry.max_length or _LONGEST_TEXT, "ent_cat": "config"}
        case _:
            found |= _ON_OFF
    return found


_ON_OFF: Entity = {"pl_on": "true", "pl_off": "false", "stat_on": "true", "stat_off": "false"}


def switch(name: str, state_topic: str, command_topic: str, template: str) -> Entity:
    """A switch whose payloads are `true` and `false`."""
    return {
        "p": "switch",
        "name": name,
        "stat_t": state_topic,
        "cmd_t": command_topic,
        "val_tpl": template,
        "qos": 1,
        "ret": False,
        **_ON_OFF,
    }


def number(value: Value, name: str, state_topic: str, command_topic: str, template: str) -> Entity:
    """A number that the owner may set, in the range of its contract entry."""
    return {
        "p": "number",
        "name": name,
        "stat_t": state_topic,
        "cmd_t": command_topic,
        "val_tpl": template,
        "qos": 1,
        "ret": False,
        "min": value.min,
        "max": value.max,
        "step": _step(value),
        "mode": "box",
        "ent_cat": "config",
    }


def _step(value: Value) -> float:
    step = getattr(value, "step", None)
    return float(step) if step is not None else max(_FINEST_STEP, 10.0 ** -(value.digits or 0))
