"""What the tests of the configuration share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config import Config, ConfigError, KindRegistry, load_text

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Judge:
    """Loads texts; `problems` are `line: sentence`, `warnings` likewise."""

    kinds: KindRegistry
    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def load(self, text: str | bytes) -> Config:
        return load_text(text, self.path, self.env, self.kinds)

    def problems(self, text: str | bytes) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.load(text)
        assert all(each.file == str(self.path) for each in caught.value.problems)
        assert all("\n" not in each.sentence for each in caught.value.problems)
        return [f"{each.line}: {each.sentence}" for each in caught.value.problems]

    def problem(self, text: str | bytes) -> str:
        found = self.problems(text)
        assert len(found) == 1, found
        return found[0]

    def warnings(self, text: str | bytes) -> list[str]:
        return [f"{each.line}: {each.sentence}" for each in self.load(text).warnings]

    def settings(self, text: str, kind: str = "everything") -> Any:
        """The settings of one actor of `kind`; `text` is what stands below `kind`, one per line."""
        return self.load(_actor(text, kind)).actors["one"].settings

    def fault(self, text: str, kind: str = "everything") -> str:
        """The one problem in the settings of actor 'one'; the first line of `text` is line 4."""
        return self.problem(_actor(text, kind))


def _actor(text: str, kind: str) -> str:
    body = "".join(f"    {line}\n" for line in text.splitlines())
    return f"actors:\n  one:\n    kind: {kind}\n{body}"
