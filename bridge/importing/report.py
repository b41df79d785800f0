"""What became of each key: the lines of `--report`."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from bridge.config.words import visible

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

    def __str__(self) -> str:
        name = visible(self.key[:_LONGEST])
        where = f"[{visible(self.section[:_LONGEST])}] {name}".rstrip() if self.section else name
        return f"{where or 'file'}: {self.verdict.value}: {self.why}"


@dataclass(slots=True)
class Report:
    """Collects lines. Nobody hands it the text of a value that might be a password."""

    lines: list[Line] = field(default_factory=list)

    def add(self, section: str, key: str, verdict: Verdict, why: str) -> None:
        """Note what became of a key, and why; a second word replaces that it was taken."""
        line = Line(section, key, verdict, why)
        if line in self.lines:
            return
        for index, each in enumerate(self.lines):
            same = key and (each.section, each.key) == (section, key)
            if same and each.verdict is Verdict.TAKEN:
                self.lines[index] = line
                return
        self.lines.append(line)

    def leave(self, section: str, key: str, why: str) -> None:
        """A key of a section that is not taken over, whatever was said of it before."""
        kept: list[Line] = []
        known = False
        for each in self.lines:
            if (each.section, each.key) != (section, key):
                kept.append(each)
            elif each.verdict in (Verdict.LEFT, Verdict.NOTHING):
                kept.append(each)
                known = True
        self.lines[:] = kept
        if not known:
            self.lines.append(Line(section, key, Verdict.LEFT, why))
