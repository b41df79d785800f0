"""What became of each key: the lines of `--report`."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.config.words import visible

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 60


class Verdict(enum.Enum):
    """What happened to a key."""

    TAKEN = "taken"
    CHANGED = "changed"
    NOTHING = "no counterpart"
    LEFT = "left out"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report. `section` is empty for what concerns the whole file."""

    section: str
    key: str
    verdict: Verdict
    why: str
    number: int = 0
    """The line of `config.ini`; 0 for what stands nowhere in it."""

    def __str__(self) -> str:
        name = visible(self.key[:_LONGEST])
        where = f"[{visible(self.section[:_LONGEST])}] {name}".rstrip() if self.section else name
        places = [f"line {self.number}"] if self.number else []
        places += [where] if where or places else ["file"]
        return ": ".join([*filter(None, places), self.verdict.value, self.why])


@dataclass(slots=True)
class Report:
    """Collects lines. Nobody hands it the text of a value that might be a password."""

    lines: list[Line] = field(default_factory=list)

    def add(self, section: str, key: str, verdict: Verdict, why: str, number: int = 0) -> None:
        """Note what became of a key, and why; a second word replaces that it was taken."""
        line = Line(section, key, verdict, why, number)
        if line in self.lines:
            return
        for index, each in enumerate(self.lines):
            if not key or each.number or (each.section, each.key) != (section, key):
                continue
            if each.verdict is Verdict.TAKEN:
                self.lines[index] = line
                return
            if each.verdict is Verdict.CHANGED and verdict is Verdict.TAKEN:
                # What was odd about it stays true.
                self.lines[index] = replace(each, why=f"{why}; {each.why}")
                return
        self.lines.append(line)

    def ordered(self, place: Callable[[str, str], int]) -> list[Line]:
        """All lines by where their keys stand; `place` tells the line of a section and a key."""
        placed = [
            each if each.number else replace(each, number=place(each.section, each.key))
            for each in self.lines
        ]
        # What concerns the whole result, and stands nowhere, comes last.
        return sorted(placed, key=lambda each: each.number or math.inf)

    def leave(self, section: str, key: str, why: str) -> None:
        """A key of a section that is not taken over, whatever was said of it before."""
        kept: list[Line] = []
        known = False
        for each in self.lines:
            if (each.section, each.key) != (section, key) or each.number:
                kept.append(each)
            elif each.verdict in (Verdict.LEFT, Verdict.NOTHING):
                kept.append(each)
                known = True
        self.lines[:] = kept
        if not known:
            self.lines.append(Line(section, key, Verdict.LEFT, why))
