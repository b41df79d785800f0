"""The text of a table as plain data; what is no YAML, or says a thing twice, has its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from bridge.registers.check import TableError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Twice(Exception):
    def __init__(self, line: int, key: object) -> None:
        super().__init__(line, key)
        self.line, self.key = line, key


class _Loader(_BASE):  # type: ignore[misc] # the safe loader, in C where it is built
    """Refuses a key that stands twice: of two the first would be dropped without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT002 - as in yaml
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise _Twice(key.start_mark.line + 1, key.value)
            seen.add(key.value)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


def shown(path: Path) -> str:
    """A table's file with the folder of its kind: `deye/registers/sg04lp3.yaml`."""
    inner = path.parent.name == "registers"
    return "/".join(path.parts[-3:] if inner else path.parts[-2:])


def read_table(path: Path) -> Any:
    """What the file says, not looked at yet. Raises TableError."""
    where = shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TableError(f"{where}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TableError(f"{where}: it is not UTF-8 text") from None
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - made of the safe loader
    except _Twice as twice:
        sentence = f"the key '{twice.key}' stands twice: join the two or rename one"
        raise TableError(f"{where}: line {twice.line}: {sentence}") from None
    except yaml.MarkedYAMLError as error:
        from bridge.config.faults import explain

        line, sentence = explain(error, text.splitlines() or [""])
        raise TableError(f"{where}: line {line}: {sentence}") from None
    except (yaml.YAMLError, TypeError, ValueError) as error:
        # An unhashable key, a date that is none: the parser's own sentence is the best there is.
        raise TableError(f"{where}: {' '.join(str(error).split())}") from None
