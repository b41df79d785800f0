"""Plays a text of (second, what is so) and (second, expectation) lines against a guard.

== what the play shows
plan control=GridSetpoint step=250       the owner's choices that differ
0    grid=500 battery=0 car=3000         what is so from then on; `?` is unknown
5    => guard 500 uncovered=500          code, value (`-` for none), the car's part of the grid
5    => - "words of the sentence"
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from actors.services.battery_guard.core import Decision, Inputs, Plan, decide, new_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Play = tuple[str, list[tuple[int, str]]]


def plays(path: Path) -> Iterator[Play]:
    title = ""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.split(" #")[0].strip()
        if text.startswith("== "):
            if lines:
                yield title, lines
            title, lines = text[3:], []
        elif text and not text.startswith("#"):
            lines.append((number, text))
    if lines:
        yield title, lines


def value(text: str) -> Any:
    words = {"?": None, "on": True, "off": False, "-": None}
    if text in words:
        return words[text]
    try:
        return float(text)
    except ValueError:
        return text


class Stage:
    """One play under way; it decides once a second."""

    def __init__(self) -> None:
        self.plan = Plan(writes=0, settle=0)  # so that pauses are what they say
        self.state = new_state(self.plan)
        self.inputs: dict[str, Any] = {"grid": 0.0, "battery": 0.0, "car": 0.0, "allowed": True}
        self.now = 0
        self.decision: Decision | None = None
        self.changes = 0

    def play(self, text: str) -> None:
        first, *words = shlex.split(text)
        if first == "plan":
            given = {name: value(word) for name, word in (each.split("=") for each in words)}
            given["writes"] = int(given.get("writes", 0))
            given.setdefault("settle", 0.0)
            self.plan = Plan(**given)
            self.state = new_state(self.plan)
            return
        self.run_until(int(first))
        if words[0] == "=>":
            self.expect(words[1:])
        else:
            self.inputs |= {name: value(word) for name, word in (w.split("=") for w in words)}

    def run_until(self, until: int) -> None:
        assert until >= self.now
        while self.now < until:
            self.now += 1
            before = self.decision.value if self.decision else None
            self.decision = decide(self.plan, self.state, Inputs(**self.inputs), self.now)
            self.changes += self.decision.value not in {before, None}

    def expect(self, words: list[str]) -> None:
        found = self.decision
        assert found is not None
        code, *rest = words
        assert found.code == code, found
        for word in rest:
            name, equals, text = word.partition("=")
            if equals and name == "uncovered":
                assert found.uncovered == value(text), found
            elif equals and name == "changes":
                assert self.changes == int(text)
            elif " " in word:
                assert word in found.sentence, found
            else:
                assert found.value == value(word), found
