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

    _lines: dict[int, Line] = field(default_factory=dict)
    """By a serial number, in the order in which they were told."""
    _all: set[Line] = field(default_factory=set)
    _of_key: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """The lines of a key that do not know their number in the file yet."""

    @property
    def lines(self) -> list[Line]:
        """What was told so far."""
        return list(self._lines.values())

    def add(self, section: str, key: str, verdict: Verdict, why: str, number: int = 0) -> None:
        """Note what became of a key, and why; a second word replaces that it was taken."""
        line = Line(section, key, verdict, why, number)
        if line in self._all:
            return
        for serial in self._of_key.get((section, key), ()) if key else ():
            each = self._lines[serial]
            if each.verdict is Verdict.TAKEN:
                self._put(serial, line)
                return
            if each.verdict is Verdict.CHANGED and verdict is Verdict.TAKEN:
                # What was odd about it stays true.
                self._put(serial, replace(each, why=f"{why}; {each.why}"))
                return
        self._append(line)

    def ordered(self, place: Callable[[str, str], int]) -> list[Line]:
        """All lines by where their keys stand; `place` tells the line of a section and a key."""
        placed = [
            each if each.number else replace(each, number=place(each.section, each.key))
            for each in self._lines.values()
        ]
        # What concerns the whole result, and stands nowhere, comes last.
        return sorted(placed, key=lambda each: each.number or math.inf)

    def leave(self, section: str, key: str, why: str) -> None:
        """A key of a section that is not taken over, whatever was said of it before."""
        serials = self._of_key.get((section, key), [])
        refused = (Verdict.LEFT, Verdict.NOTHING)
        kept = [each for each in serials if self._lines[each].verdict in refused]
        for serial in set(serials) - set(kept):
            self._all.discard(self._lines.pop(serial))
        serials[:] = kept
        if not kept:
            self._append(Line(section, key, Verdict.LEFT, why))

    def unneeded(self, sections: tuple[str, ...], key: str, why: str) -> None:
        """What was said of a key in these sections (lower case) is not so: it is left out."""
        for serial, each in self._lines.items():
            if each.key.lower() == key.lower() and each.section.lower() in sections:
                self._put(serial, Line(each.section, each.key, Verdict.LEFT, why))

    def _append(self, line: Line) -> None:
        serial = next(reversed(self._lines), -1) + 1
        if not line.number:
            self._of_key.setdefault((line.section, line.key), []).append(serial)
        self._put(serial, line)

    def _put(self, serial: int, line: Line) -> None:
        before = self._lines.get(serial)
        if before is not None:
            self._all.discard(before)
        self._lines[serial] = line
        self._all.add(line)
