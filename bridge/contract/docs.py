"""The contract as tables for people, and docs/topics.md made of them; generated, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.contract.load import Contract
    from bridge.contract.model import Topic, Value

_HEAD = """\
# Topics

This page is generated from `topics.yaml` by `make docs`; edit that file instead.

All topics lie below a base, `{base}` unless the configuration says otherwise. Ids have at most 32
characters: letters, digits, `_` and `-`. Times are UTC, RFC 3339.

**Signs.** Sources are positive: `GridPower` + = import, `BatteryPower` + = discharge, `PvPower` and
`LoadPower` are never negative, so `PvPower + GridPower + BatteryPower = LoadPower`. A meter on one
consumer: + = consumption. Unknown is unknown, never 0: an empty plain payload, `null` in JSON.

**Plain payloads** are the value alone: no unit, `.` as the decimal mark, whole numbers without
`.0`, flags `true` and `false`. On the way in, blanks around a value, exponents, any case and
`1/0`, `on/off`, `yes/no` are fine. NaN, infinity, units, values out of range, text that is not
UTF-8, plain payloads above {plain} bytes and JSON above {json} bytes are refused with one sentence.
"""
_TOPICS = """\
`never`: a message that is delivered with the retain flag is refused. `any` QoS and the sender's
choice of retaining ask nothing of the sender.
"""
_COMMAND = """\
- `Devices/{{device}}/{{Control}}/Set`: a plain value or `{{value, ttl?, id?, by?}}`. `ttl` in s, at
  most {longest}, {default} where it is missing, only for leases; `by` is the actor that sends it,
  `manual` where it is missing
"""
_QUANTITIES = """\
What a device may publish as `Devices/{{device}}/{{Quantity}}`; {families}. A value older than its
max age decides nothing.
"""
_CONTROLS = """\
What a device may let itself be told. A lease holds for a time only, then the device goes back to
its own control; an empty payload gives it back at once.
"""
_FIELDS = """\
What a consumer may say; names in any case.
"""
_RETAIN = {"yes": "yes", "no": "no", "never": "never", "consumer": "sender's choice"}


class Table(NamedTuple):
    """A table for people: a title, column heads, and rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def markdown(self) -> str:
        """As Markdown without the title; the first column is code."""
        lines = [f"| {' | '.join(self.heads)} |", "|" + "---|" * len(self.heads)]
        for first, *rest in self.rows:
            cells = [cell.replace("|", "\\|") for cell in (f"`{first}`", *rest)]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"


def tables(contract: Contract) -> list[Table]:
    """Topics, quantities, controls and request fields."""
    return [_topics(contract), _quantities(contract), _controls(contract), _fields(contract)]


def markdown(contract: Contract) -> str:
    """The whole page."""
    limits = contract.limits
    topics, quantities, controls, fields = tables(contract)
    families = ", ".join(f"{{{name}}} = 1 … {last}" for name, last in contract.families.items())
    parts = [
        _HEAD.format(base=contract.base, plain=limits.plain_bytes, json=limits.json_bytes),
        "## Topics\n",
        topics.markdown(),
        _TOPICS,
        "### Who listens, and how long it counts\n",
        _audience(contract).markdown(),
        *_values(contract),
        "## JSON payloads\n",
        "`?` marks what may be missing or `null`.\n",
        _shapes(contract) + _COMMAND.format(longest=limits.lease_max, default=limits.lease_default),
        "## Quantities\n",
        _QUANTITIES.format(families=families),
        quantities.markdown(),
        "## Controls\n",
        _CONTROLS,
        controls.markdown(),
        "## Request fields\n",
        _FIELDS,
        fields.markdown(),
    ]
    return "\n".join(parts)


def span(value: Value) -> str:
    """The range of a value for people: `0 … 100 %`, its options, or what kind of text it is."""
    if value.kind == "flag":
        return "true, false"
    if value.kind == "word":
        return ", ".join(value.options) + (" …" if value.open else "")
    if value.kind != "number":
        return f"text, at most {value.max_length}" if value.max_length else value.kind
    low = value.min if value.noise_floor is None else value.noise_floor
    noise = "" if value.noise_floor is None else " (negative counts as 0)"
    return f"{low:,.10g} … {value.max:,.10g}".replace(",", " ") + noise


def _payload(topic: Topic) -> str:
    payload = topic.payload
    if payload.only:
        return ", ".join(payload.only)
    if payload.kind == "word":
        return " / ".join(payload.options)
    words = {
        "json": "JSON",
        "number": f"number, {payload.unit}",
        "flag": "true / false",
        "sentence": "one sentence",
        "value": "by name",
        "command": "command",
        "text": "text",
    }
    return words.get(payload.kind, f"by {payload.kind}")


def _topics(contract: Contract) -> Table:
    rows: list[tuple[str, ...]] = [
        (
            topic.pattern,
            _payload(topic),
            _RETAIN[topic.retain],
            str(topic.qos),
            topic.writer,
            topic.doc,
        )
        for topic in contract.topics.values()
    ]
    return Table("Topics", ("topic", "payload", "retained", "QoS", "written by", ""), rows)


def _audience(contract: Contract) -> Table:
    heads = ("topic", "read by", "an empty payload means", "counts for", "last will")
    rows: list[tuple[str, ...]] = [
        (
            topic.pattern,
            ", ".join(topic.readers),
            topic.empty or "(refused)",
            _life(topic),
            topic.will or "",
        )
        for topic in contract.topics.values()
    ]
    return Table("Readers", heads, rows)


def _life(topic: Topic) -> str:
    if topic.max_age is None:
        return ""
    return f"{topic.max_age:g} s" + ("; expires (MQTT 5)" if topic.expiry is not None else "")


def _values(contract: Contract) -> Iterable[str]:
    heads = ("name", "unit", "range", "max age", "")
    for topic in contract.topics.values():
        if topic.payload.table is None:
            continue
        rows: list[tuple[str, ...]] = [
            (value.name, value.unit or "", span(value), _age(value), value.doc)
            for value in contract.names(topic).values()
        ]
        yield f"### `{topic.pattern}`\n"
        yield Table(topic.pattern, heads, rows).markdown()


def _shapes(contract: Contract) -> str:
    lines = []
    for topic in contract.topics.values():
        shape = topic.payload.shape
        if shape is None:
            continue
        if shape in contract.shapes:
            text = _sketch(contract.shapes[shape])
        elif shape == "request":
            text = "{any request field?}"
        elif shape == "state":
            text = "{at: time, any quantity?}"
        else:
            text = f"{{at: time, {', '.join(f'{name}?' for name in contract.values['site'])}}}"
        lines.append(f"- `{topic.pattern}`: `{text}`\n")
    return "".join(lines)


def _sketch(schema: dict[str, Any]) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if kinds == ["array"]:
        return f"[{_sketch(schema['items'])}, …]"
    if kinds == ["object"]:
        others = schema.get("additionalProperties")
        parts = [] if not others else [f"…: {_sketch(others)}"]
        for name, part in schema.get("properties", {}).items():
            optional = name not in schema.get("required", ()) or "null" in part["type"]
            parts.append(f"{name}{'?' if optional else ''}: {_sketch(part)}")
        return f"{{{', '.join(parts)}}}"
    if "enum" in schema:
        return " / ".join(schema["enum"])
    if schema.get("format") == "date-time":
        return "time"
    words = {"string": "text", "integer": "number", "boolean": "true/false"}
    return " or ".join(words.get(str(kind), str(kind)) for kind in kinds if kind != "null")


def _quantities(contract: Contract) -> Table:
    heads = ("quantity", "unit", "range", "max age", "Home Assistant", "")
    rows: list[tuple[str, ...]] = [
        (
            each.name,
            each.unit or "",
            span(each),
            _age(each),
            " / ".join(filter(None, (each.device_class, each.state_class))),
            each.doc,
        )
        for each in contract.quantities.values()
    ]
    return Table("Quantities", heads, rows)


def _controls(contract: Contract) -> Table:
    heads = ("control", "unit", "range", "lease", "Home Assistant", "")
    rows: list[tuple[str, ...]] = [
        (
            each.name,
            each.unit or "",
            span(each),
            "yes" if each.lease else "",
            each.platform,
            each.doc,
        )
        for each in contract.controls.values()
    ]
    return Table("Controls", heads, rows)


def _fields(contract: Contract) -> Table:
    heads = ("field", "unit", "range", "default", "")
    rows: list[tuple[str, ...]] = [
        (each.name, each.unit or "", span(each), _default(each.default), each.doc)
        for each in contract.fields.values()
    ]
    return Table("Request fields", heads, rows)


def _default(value: float | bool | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, (int, float)) else value


def _age(value: Value) -> str:
    return "" if value.max_age is None else f"{value.max_age:g} s"
