"""The tables of topics.yaml: names of quantities, controls, fields and values, and how to find one.

Families such as `GridPowerL{phase}` stand in the tables under their template; every member can be
looked up by its own name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bridge.contract.model import Control, Field, Limits, Quantity, Topic, Value
from bridge.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Raw = Mapping[str, Any]

_V = TypeVar("_V", bound=Value)


class Tables:
    """What topics.yaml declares, checked and typed. Raises ContractError when it is not sound."""

    def __init__(self, raw: Raw) -> None:
        classes = raw["classes"]
        self.base: str = raw["base"]
        self.id: str = raw["id"]
        self.parameters: dict[str, str] = raw["parameters"]
        self.families: dict[str, int] = raw["families"]
        self.limits = msgspec.convert(raw["limits"], Limits)
        self.quantities = _table("quantities", raw["quantities"], classes, Quantity)
        self.controls = _table("controls", raw["controls"], classes, Control)
        self.fields = _table("fields", raw["fields"], classes, Field)
        self.values = {
            name: _table(f"values.{name}", entries, classes, Value)
            for name, entries in raw["values"].items()
        }
        self.topics = {key: _topic(key, entry) for key, entry in raw["topics"].items()}
        self.shapes: dict[str, dict[str, Any]] = raw["shapes"]
        self._members = dict(self._expand())
        self._folded = {name.lower(): field for name, field in self.fields.items()}
        self._check()

    def _expand(self) -> Iterator[tuple[str, Quantity]]:
        for template, quantity in self.quantities.items():
            left, brace, rest = template.partition("{")
            if not brace:
                yield template, quantity
                continue
            letter, _, right = rest.partition("}")
            for number in range(1, self.families[letter] + 1):
                name = f"{left}{number}{right}"
                yield name, msgspec.structs.replace(quantity, name=name, family=template)

    def _check(self) -> None:
        both = self._members.keys() & self.controls.keys()
        if both:
            sentence = f"topics.yaml has {min(both)} both as quantity and as control"
            raise ContractError(sentence)
        for key, topic in self.topics.items():
            shape, table = topic.payload.shape, topic.payload.table
            known = shape in (None, "state", "site_state", "request") or shape in self.shapes
            if not known or (table is not None and table not in self.values):
                sentence = f"topic {key} in topics.yaml names the unknown table {table or shape}"
                raise ContractError(sentence)

    @property
    def members(self) -> Mapping[str, Quantity]:
        """Every quantity under its own name, families expanded."""
        return self._members

    def quantity(self, name: str) -> Quantity:
        """The quantity of that name; ContractError when there is none."""
        found = self._members.get(name)
        if found is None:
            sentence = f"'{name}' is not a quantity that topics.yaml declares"
            raise ContractError(sentence)
        return found

    def control(self, name: str) -> Control:
        """The control of that name; ContractError when there is none."""
        found = self.controls.get(name)
        if found is None:
            sentence = f"'{name}' is not a control that topics.yaml declares"
            raise ContractError(sentence)
        return found

    def field(self, name: str) -> Field:
        """The request field of that name, in any case; ContractError when there is none."""
        found = self._folded.get(name.lower())
        if found is None:
            sentence = f"'{name}' is not a request field that topics.yaml declares"
            raise ContractError(sentence)
        return found

    def names(self, topic: Topic) -> Mapping[str, Value]:
        """The names that the one table level of a topic may have, with their values."""
        payload = topic.payload
        if payload.kind == "quantity":
            return self._members
        if payload.kind in ("control", "command") or "{Control}" in topic.pattern:
            return self.controls
        if payload.kind == "field":
            return {name: self.fields[name] for name in payload.only or self.fields}
        return self.values[payload.table] if payload.table else {}


def _table(where: str, entries: Raw, classes: Raw, kind: type[_V]) -> dict[str, _V]:
    found = {}
    for name, entry in entries.items():
        own = dict(entry)
        merged = {**classes[own.pop("class")], **own} if "class" in own else own
        try:
            found[name] = msgspec.convert({**merged, "name": name}, kind)
        except msgspec.ValidationError as error:
            sentence = f"{where}.{name} in topics.yaml: {error}"
            raise ContractError(sentence) from error
    return found


def _topic(key: str, entry: Raw) -> Topic:
    literal = [level for level in entry["pattern"].split("/") if level[:1] != "{"]
    payload = {"name": literal[-1], **entry["payload"]}
    own = {**entry, "key": key, "payload": payload}
    own["readers"] = list(own["readers"])
    own["writer"] = str(own["writer"])
    try:
        return msgspec.convert(own, Topic)
    except msgspec.ValidationError as error:
        sentence = f"topics.{key} in topics.yaml: {error}"
        raise ContractError(sentence) from error
