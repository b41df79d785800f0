"""Which values of a GX go to which topics of the owner's. Pure: no I/O, no clock.

Nothing is published but what a rule names: a topic is made of the owner's text and, where it says
so, of levels of a path on the GX, which cannot hold a `/`, a wildcard or anything unprintable.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from actors.venus.venus_mqtt.decode import Gone, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.venus.venus_mqtt.settings import Export

_LONGEST_TOPIC = 500
_MOST_TOPICS = 5_000


class Exporter:
    """The rules, and what stands on each topic now.

    base: below it nothing is exported, those topics are the bridge's own. `full` is true once a
    rule with `*` matched more than anybody wants.
    """

    def __init__(self, rules: Sequence[Export], base: str) -> None:
        self._rules = [(rule.path.split("/"), rule.topic) for rule in rules]
        self._base = base
        self._standing: dict[str, bytes] = {}
        self._source: dict[str, str] = {}
        self.full = False
        self.contested: dict[str, str] = {}
        self.refused: dict[str, str] = {}

    @property
    def filters(self) -> list[str]:
        """What to subscribe to, behind `N/{portal id}/`."""
        return ["/".join("+" if each == "*" else each for each in path) for path, _ in self._rules]

    def take(self, path: str, payload: bytes) -> list[tuple[str, bytes]]:
        """What to publish, retained, now that `payload` has come on `path`: (topic, payload)."""
        levels = path.split("/")
        found = []
        for wanted, template in self._rules:
            if len(wanted) != len(levels):
                continue
            if all(want in ("*", have) for want, have in zip(wanted, levels, strict=True)):
                change = self._change(path, _topic(template, levels), raw(payload))
                if change is not None:
                    found.append(change)
        return found

    def _change(self, path: str, topic: str, value: bytes) -> tuple[str, bytes] | None:
        if not _fit(topic, self._base):
            self.refused[topic] = path
            return None
        owner = self._source.get(topic, path)
        if owner != path:
            # Two devices for one topic: the first keeps it for as long as it has a value.
            if value:
                self.contested[topic] = owner
            return None
        if self._standing.get(topic, b"") == value:
            return None
        if not value:
            self._standing.pop(topic, None)
            self._source.pop(topic, None)
            return topic, b""
        if topic not in self._standing and len(self._standing) >= _MOST_TOPICS:
            self.full = True
            return None
        self._standing[topic], self._source[topic] = value, path
        return topic, value

    def clear(self) -> list[tuple[str, bytes]]:
        """What to publish when the GX is gone: nothing is known of any of it."""
        gone = [(topic, b"") for topic in self._standing]
        self._standing.clear()
        self._source.clear()
        return gone


def raw(payload: bytes) -> bytes:
    """The bare value as text; empty when it is invalid, or its device has gone.

    A number stays written as the GX writes it; arrays and objects are JSON.
    """
    value = parse(payload)
    if isinstance(value, Gone):
        return b""
    if isinstance(value, str):
        return value.encode(errors="replace")
    # `parse` makes a float of every number; whole ones are told from others by their JSON.
    return json.dumps(json.loads(payload)["value"], ensure_ascii=False).encode(errors="replace")


def _topic(template: str, levels: Sequence[str]) -> str:
    path = "/".join(levels[2:])
    if template.endswith("*"):
        # As es-ESS has it: the path with its slash, whatever stands before.
        return f"{template[:-1]}/{path}"
    filled = template.replace("{service}", levels[0]).replace("{instance}", levels[1])
    return filled.replace("{path}", path)


def _fit(topic: str, base: str) -> bool:
    if topic == base or topic.startswith(f"{base}/"):
        return False
    return (
        topic.isprintable()
        and not any(sign in topic for sign in "+#")
        and len(topic.encode()) <= _LONGEST_TOPIC
    )
