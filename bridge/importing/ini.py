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
_LIKE_OPTION: Final = re.compile(r"[A-Za-z]\w*\s*[=:]")
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
    def identity(self) -> str:
        """What tells it from others: kinds in any case, what follows the colon as it is written."""
        return identity(self.name)

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
    """A file: its sections in order, by identity, and what was wrong with it."""

    sections: dict[str, Section] = field(default_factory=dict)
    defaults: dict[str, Option] = field(default_factory=dict)
    notes: list[tuple[str, str, str, int]] = field(default_factory=list)
    """(section, key, sentence, line); never the text of a line, which may hold a password."""

    def get(self, name: str) -> Section:
        """The section of that name; an empty one when there is none."""
        return self.sections.get(identity(name)) or Section(name, 0, {}, self.defaults)

    def line(self, section: str, key: str) -> int:
        """Where a key, a section (no key) or an inherited key stands; 0 when it does not."""
        found = self.sections.get(identity(section))
        if section.lower() == DEFAULT:
            option = self.defaults.get(key.lower())
            return option.line if option is not None else 0
        if found is None:
            return 0
        option = found.find(key) if key else None
        return option.line if option is not None else found.line

    def of(self, *kinds: str) -> Iterator[Section]:
        """The sections `kind:key` of these kinds (lower case), in the order of the file."""
        for section in self.sections.values():
            if section.kind in kinds and ":" in section.name:
                yield section


def identity(name: str) -> str:
    """A section's name for comparing: to es-ESS `MqttConsumer:Pool` and `:pool` are two."""
    kind, colon, key = name.partition(":")
    return f"{kind.strip().lower()}{colon}{key.strip()}"


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
    lost: bool = False
    """The line before was passed over, and with it go those that continue it."""

    def line(self, number: int, line: str) -> None:
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            return
        indent = len(line) - len(line.lstrip())
        if indent > self.indent and (self.lost or self.option is not None):
            self._continue(stripped, number)
            return
        self.indent = indent
        self.option = None
        self.lost = False
        if header := _HEADER.match(stripped):
            self._begin(header["name"].strip(), number)
        elif stripped.startswith("["):
            self._note("", "this line begins a section, but its ']' is missing", number)
            self.section = Section("", number)  # what follows belongs to nobody we know
        else:
            self._take(_OPTION.match(stripped), number)

    def _continue(self, stripped: str, number: int) -> None:
        option = self.option
        if option is None:
            self._note("", "this line continues one that was passed over", number)
            return
        if _LIKE_OPTION.match(stripped):
            why = f"this line is indented: to es-ESS, too, it is part of the value of {option.key}"
            self._note("", why, number)
        self._fill(option, f"{option.raw}\n{stripped}".strip(), number)

    def _fill(self, option: Option, raw: str, number: int) -> None:
        if len(raw) > _LONGEST_VALUE:
            why = f"it is longer than {_LONGEST_VALUE} characters and was cut"
            self._note(option.key, why, number)
        option.raw = raw[:_LONGEST_VALUE]

    def _begin(self, name: str, number: int) -> None:
        known = self.ini.sections.get(identity(name))
        if name.lower() == DEFAULT:
            self.section = Section(name, number, self.ini.defaults)
        elif known is not None:
            self.section = known
            self._note("", "it begins again here; both parts were put together", number)
        else:
            self.section = Section(name, number, {}, self.ini.defaults)
            self.ini.sections[self.section.identity] = self.section

    def _take(self, found: re.Match[str] | None, number: int) -> None:
        # A key has no blanks: what has some lacks its '=', and may hold a password.
        if found is None or not found["key"] or len(found["key"].split()) > 1:
            self._pass("this line is no `key = value` and was passed over", number)
            return
        if self.section is None or not self.section.name:
            self._pass("this line belongs to no section and was passed over", number)
            return
        option = Option(found["key"], "", number)
        self._fill(option, found["value"], number)
        before = self.section.options.get(option.key.lower())
        if before is not None:
            why = f"it stands again in line {number}, and that was taken"
            self._note(before.key, why, before.line)
        self.section.options[option.key.lower()] = self.option = option

    def _pass(self, sentence: str, number: int) -> None:
        self._note("", sentence, number)
        self.lost = True

    def _note(self, key: str, sentence: str, number: int) -> None:
        name = self.section.name if self.section else ""
        self.ini.notes.append((name, key, sentence, number))
