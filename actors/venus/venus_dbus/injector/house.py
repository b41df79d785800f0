"""What the topics told: readings, grants and words, each with its age. Pure; `now` is handed in.

What a broker had kept of measured values is of unknown age and is left out; states and names that
are kept for newcomers are taken.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .plan import Entry

_MEASURED = ("State", "Grant")
ORPHANED = 30.0
"""S that the actor in charge may be offline, for a restart, until its plan is nobody's."""


@dataclass
class Heard:
    """One JSON object that was heard live, and when (monotonic s)."""

    values: dict[str, Any]
    at: float


@dataclass
class House:
    """All that was heard below the base. Keys are topics without the base."""

    heard: dict[str, Heard] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, dict[str, str]] = field(default_factory=dict)
    orphaned_at: float | None = None

    def take(self, topic: str, payload: bytes, now: float, *, retained: bool) -> None:
        """Remember one message; what cannot be read is noted in `faults` and counts as silence."""
        last = topic.rsplit("/", 1)[-1]
        if last in _MEASURED:
            if not retained:
                self._measure(topic, payload, now)
        elif last == "Info" or (topic.count("/") == 1 and topic.startswith("Requests/")):
            self.objects[topic] = read_object(payload) or {}
        else:
            self.words[topic] = payload.decode("utf-8", "replace").strip()

    def take_actor(self, payload: bytes, now: float) -> None:
        """Remember since when the actor is offline whose plan is shown."""
        if payload != b"offline":
            self.orphaned_at = None
        elif self.orphaned_at is None:
            self.orphaned_at = now

    def _measure(self, topic: str, payload: bytes, now: float) -> None:
        found = read_object(payload) if payload else {}
        if found is None:
            self.faults[topic] = f"{topic} is not a JSON object"
            return
        self.faults.pop(topic, None)
        if payload:
            self.heard[topic] = Heard(found, now)
        else:
            self.heard.pop(topic, None)

    def forget(self, topics: set[str]) -> None:
        """Keep nothing of what nobody listens to any more."""
        stores: tuple[dict[str, Any], ...] = (
            *(self.heard, self.words, self.objects, self.faults, self.wrong),
        )
        for store in stores:
            for topic in [each for each in store if each not in topics]:
                del store[topic]

    # ---------------------------------------------------------------- asking

    def number(self, topic: str, key: str) -> float | None:
        """A measured number, whatever its age; None for unknown and for what is no number."""
        heard = self.heard.get(topic)
        value = None if heard is None else heard.values.get(key)
        found = number(value)
        if value is not None and found is None:
            self.wrong.setdefault(topic, {})[key] = f"{key} in {topic} is not a number"
        else:
            self.wrong.get(topic, {}).pop(key, None)
        return found

    def flag(self, topic: str, key: str) -> bool | None:
        """A measured flag."""
        heard = self.heard.get(topic)
        value = None if heard is None else heard.values.get(key)
        return value if isinstance(value, bool) else None

    def word(self, topic: str, key: str) -> str | None:
        """A measured word."""
        heard = self.heard.get(topic)
        value = None if heard is None else heard.values.get(key)
        return value if isinstance(value, str) else None

    @property
    def bridge_gone(self) -> bool:
        """True while the bridge says that nothing below the base can be believed."""
        return self.words.get("Bridge/Status") == "offline"


def number(value: Any) -> float | None:
    """A finite number; None for everything else, flags and text that looks like one included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        # A whole number of hundreds of digits.
        return None
    return found if math.isfinite(found) else None


def read_object(payload: bytes) -> dict[str, Any] | None:
    """A JSON object; None for everything else."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def source(entry: Entry) -> str:
    """The topic whose messages keep a service alive."""
    if entry.what == "consumer":
        return f"Requests/{entry.id}/Grant"
    return "Site/State" if entry.what == "reservation" else f"Devices/{entry.device}/State"


def topics(entry: Entry) -> set[str]:
    """Every topic that a service needs to hear; Results come beside them."""
    if entry.what == "reservation":
        return {source(entry)}
    if entry.what == "consumer":
        request = f"Requests/{entry.id}"
        return {source(entry), request, f"{request}/CustomName", f"{request}/Energy"}
    device = f"Devices/{entry.device}"
    found = {source(entry), f"{device}/Status", f"{device}/Info"}
    if entry.time_to_go is not None:
        found.add(f"Devices/{entry.time_to_go}/State")
    if entry.what == "evcharger":
        found |= {f"{device}/{name}" for name in ("ChargeMode", "ChargeCurrent", "ChargeEnable")}
        found.add(f"Requests/{entry.consumer or entry.id}/Grant")
    return found


def standing(entry: Entry, house: House, now: float) -> tuple[str, str | None]:
    """How a service stands, and why in a sentence: waiting, shown, silent or gone.

    waiting: never heard live; silent: its values are unknown; gone: for so long that it leaves.
    """
    topic = source(entry)
    heard = house.heard.get(topic)
    if heard is None:
        return "waiting", house.faults.get(topic) or f"nothing was heard yet on {topic}"
    age = now - heard.at
    why = _why_silent(entry, house, topic, age)
    if why is None and house.orphaned_at is not None and now - house.orphaned_at > ORPHANED:
        # Taken out of the configuration, say: the list of services stays at the broker.
        age, why = now - house.orphaned_at, "the actor that shows it is offline"
    if why is None:
        wrong = house.wrong.get(topic) or {}
        return "shown", house.faults.get(topic) or next(iter(wrong.values()), None)
    return ("gone" if age > entry.drop else "silent"), why


def _why_silent(entry: Entry, house: House, topic: str, age: float) -> str | None:
    if house.bridge_gone:
        return "the bridge is offline"
    status = house.words.get(f"Devices/{entry.device}/Status", "")
    if entry.what not in {"consumer", "reservation"} and status in {"offline", "stale"}:
        return f"{entry.device} is {status}"
    if age > entry.silence:
        return f"{topic} has been silent for {age:.0f} s"
    return None
