"""An ini file as people really have it: whatever is broken is noted, and the rest is read.

What es-ESS's own reader (Python's configparser) makes of a good file, this makes of it too:
`[DEFAULT]`, values over several lines, `%%` for `%` and `%(Other)s` for another value. Section
names and keys are compared without regard to case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT: Final = "default"
_LONGEST_VALUE: Final = 4096
_DEEPEST: Final = 10
_HEADER: Final = re.compile(r"\[(?P<name>.*)\]")
_OPTION: Final = re.compile(r"(?P<key>.*?)\s*[=:]\s*(?P<value>.*)\Z")
_PERCENT: Final = re.compile(r"%(%|\(([^()%]*)\)s)?")
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(slots=True)
class Option:
    """One key as it was written, and its value before percent signs are resolved."""

    key: str
    raw: str
    line: int
    used: bool = False


@dataclass(slots=True)
class Section:
    """One section: its own options by lower-case key, and those that it inherits."""

    name: str
    line: int
    options: dict[str, Option] = field(default_factory=dict)
    defaults: dict[str, Option] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What stands before the colon, in lower case: `httpconsumer` of `HttpConsumer:pool`."""
        return self.name.partition(":")[0].strip().lower()

    @property
    def key(self) -> str:
        """What stands after the colon; empty for a section that exists once."""
        return self.name.partition(":")[2].strip()

    def find(self, key: str) -> Option | None:
        """The section's own option, else the inherited one."""
        return self.options.get(key.lower()) or self.defaults.get(key.lower())

    def value(self, option: Option) -> tuple[str, str | None]:
        """The option's text with percent signs resolved, and a sentence when one was wrong."""
        wrong: list[str] = []
        return self._resolve(option.raw, wrong, 0)[:_LONGEST_VALUE], wrong[0] if wrong else None

    def _resolve(self, raw: str, wrong: list[str], depth: int) -> str:
        if "%" not in raw:
            return raw
        parts: list[str] = []
        end = length = 0
        for found in _PERCENT.finditer(raw):
            parts.append(raw[end : found.start()])
            end = found.end()
            parts.append(self._percent(found, wrong, depth))
            length += len(parts[-1]) + len(parts[-2])
            if length > _LONGEST_VALUE:
                wrong.append(f"it is longer than {_LONGEST_VALUE} characters and was cut")
                return "".join(parts)
        return "".join(parts) + raw[end:]

    def _percent(self, found: re.Match[str], wrong: list[str], depth: int) -> str:
        if found[1] == "%":
            return "%"
        other = self.find(found[2]) if found[2] else None
        if other is not None and depth < _DEEPEST:
            other.used = True
            return self._resolve(other.raw, wrong, depth + 1)
        wrong.append("a single % is an error to es-ESS; here it is taken as it stands")
        return found[0]


@dataclass(slots=True)
class Ini:
    """A file: its sections in order, by lower-case name, and what was wrong with it."""

    sections: dict[str, Section] = field(default_factory=dict)
    defaults: dict[str, Option] = field(default_factory=dict)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    """(section, key, sentence); never the text of a line, which may hold a password."""

    def get(self, name: str) -> Section:
        """The section of that name; an empty one when there is none."""
        return self.sections.get(name.lower()) or Section(name, 0, {}, self.defaults)

    def of(self, *kinds: str) -> Iterator[Section]:
        """The sections `kind:key` of these kinds (lower case), in the order of the file."""
        for section in self.sections.values():
            if section.kind in kinds and ":" in section.name:
                yield section


def decode(content: bytes) -> tuple[str, str | None]:
    """The text of a file, and a sentence when it was not plain UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace"), None
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError:
        return content.decode("latin-1"), "the file is not UTF-8; it was read as Latin-1"


def parse(text: str) -> Ini:
    """Read a whole file. It never fails: what cannot be read is in the notes."""
    reader = _Reader(Ini())
    # Only real line ends: str.splitlines would also cut at characters that values may hold.
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.replace("\x00", "")), 1):
        reader.line(number, line)
    return reader.ini


@dataclass(slots=True)
class _Reader:
    ini: Ini
    section: Section | None = None
    option: Option | None = None
    indent: int = 0

    def line(self, number: int, line: str) -> None:
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            return
        indent = len(line) - len(line.lstrip())
        if self.option is not None and indent > self.indent:
            if len(self.option.raw) < _LONGEST_VALUE:
                self.option.raw = f"{self.option.raw}\n{stripped}".strip()
            return
        self.indent = indent
        self.option = None
        if header := _HEADER.match(stripped):
            self._begin(header["name"].strip(), number)
        elif stripped.startswith("["):
            self._note("", f"line {number} begins a section, but its ']' is missing")
            self.section = Section("", number)  # what follows belongs to nobody we know
        else:
            self._take(_OPTION.match(stripped), number)

    def _begin(self, name: str, number: int) -> None:
        known = self.ini.sections.get(name.lower())
        if name.lower() == DEFAULT:
            self.section = Section(name, number, self.ini.defaults)
        elif known is not None:
            self.section = known
            self.ini.notes.append(
                (name, "", f"it begins again in line {number}; both parts were put together")
            )
        else:
            self.section = Section(name, number, {}, self.ini.defaults)
            self.ini.sections[name.lower()] = self.section

    def _take(self, found: re.Match[str] | None, number: int) -> None:
        if found is None or not found["key"]:
            self._note("", f"line {number} is no `key = value` and was passed over")
            return
        if self.section is None or not self.section.name:
            self._note("", f"line {number} belongs to no section and was passed over")
            return
        option = Option(found["key"], found["value"][:_LONGEST_VALUE], number)
        if option.key.lower() in self.section.options:
            self._note(option.key, f"it stands twice; that of line {number} was taken")
        self.section.options[option.key.lower()] = self.option = option

    def _note(self, key: str, sentence: str) -> None:
        self.ini.notes.append((self.section.name if self.section else "", key, sentence))
