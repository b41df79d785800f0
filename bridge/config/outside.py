"""Values that come from outside the file: `${ENV_VAR}` in any text, and `!file path`.

What they hold is never part of a message; only where it came from is.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.config.problems import Problems

LONGEST: Final = 65_536
"""Characters of one value; also the most bytes of one secret file."""
_ALL_TOGETHER: Final = 4_000_000
_MARK = re.compile(r"\$(?:\$|\{([^}\n]*)\}|\{)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Given:
    """A text, where it came from (None: written in the file), and whether that failed."""

    text: str
    origin: str | None = None
    broken: bool = False


@dataclass(slots=True)
class Outside:
    """Resolves what a configuration takes from its environment; `folder` is the file's own."""

    env: Mapping[str, str]
    folder: Path
    problems: Problems
    hidden: set[str] = field(default_factory=set)
    _total: int = 0
    _files: dict[str, Given] = field(default_factory=dict)

    def expand(self, text: str, line: int) -> Given:
        """Replace each `${NAME}` by its environment variable and `$$` by `$`."""
        if "$" not in text:
            return Given(text)
        parts: list[str] = []
        names: list[str] = []
        end, length, broken = 0, 0, False
        for found in _MARK.finditer(text):
            parts.append(text[end : found.start()])
            end = found.end()
            if found[0] == "$$":
                parts.append("$")
                continue
            value = self._variable(found[1], line)
            if value is None:
                broken = True
                continue
            names.append(found[0])
            parts.append(value)
            length += len(value)
            if not self._fits(len(value), length, line):
                return Given("", names[0], broken=True)
        parts.append(text[end:])
        if not names:
            return Given("".join(parts), broken=broken)
        whole = "".join(parts)
        self.hidden.add(whole)
        return Given(whole, names[0], broken=broken)

    def _variable(self, name: str | None, line: int) -> str | None:
        if name is None:
            self.problems.error(line, "a '${' is never closed: write ${NAME}, or $$ for a '$'")
            return None
        if not _VARIABLE.match(name):
            self.problems.error(
                line,
                "between '${' and '}' must stand the name of an environment variable: write $$ "
                "for a '$' that is meant as such",
            )
            return None
        value = self.env.get(name)
        if value is None:
            self.problems.error(line, f"the environment variable {name} is not set")
            return None
        if not _is_text(value):
            self.problems.error(line, f"the environment variable {name} does not hold UTF-8 text")
            return None
        if value:
            self.hidden.add(value)
        return value

    def _fits(self, added: int, length: int, line: int) -> bool:
        self._total += added
        if length <= LONGEST and self._total <= _ALL_TOGETHER:
            return True
        self.problems.error(line, "the environment variables make this value too long")
        return False

    def read(self, written: str, line: int) -> Given:
        """Return the text of the file `written` names; one line end at its end is dropped."""
        path = self.expand(written.strip(), line)
        if path.broken:
            return Given("", "!file", broken=True)
        if path.text not in self._files:
            text = self._read(path, line)
            self._files[path.text] = Given(text or "", "!file", broken=text is None)
            if text:
                self.hidden.add(text)
        return self._files[path.text]

    def _read(self, path: Given, line: int) -> str | None:
        name = f"the file {path.origin or repr(path.text[:200])}"
        if not path.text or "\x00" in path.text:
            self.problems.error(line, "'!file' must be followed by a path")
            return None
        place = self.folder / Path(path.text)
        try:
            place = place.expanduser()
            mode = place.stat().st_mode
            if not stat.S_ISREG(mode):
                self.problems.error(line, f"{name} is not a regular file")
                return None
            with place.open("rb") as file:
                content = file.read(LONGEST + 1)
        except FileNotFoundError:
            self.problems.error(line, f"{name} does not exist")
            return None
        except (OSError, ValueError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "its name is not valid"
            self.problems.error(line, f"{name} cannot be read: {why}")
            return None
        if mode & _READABLE_BY_OTHERS and not self._is_credential(place):
            self.problems.warn(line, f"{name} can be read by other users: chmod 600 is safer")
        return self._text(content, name, line)

    def _text(self, content: bytes, name: str, line: int) -> str | None:
        if len(content) > LONGEST:
            self.problems.error(line, f"{name} is larger than {LONGEST // 1024} kB")
            return None
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            self.problems.error(line, f"{name} does not hold UTF-8 text")
            return None
        return text.rstrip("\r\n")

    def _is_credential(self, path: Path) -> bool:
        """True for a systemd credential, whose folder nobody else can enter."""
        folder = self.env.get("CREDENTIALS_DIRECTORY")
        return bool(folder) and path.is_relative_to(str(folder))


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in value
