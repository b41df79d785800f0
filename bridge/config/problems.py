"""All that is wrong with a configuration, collected before anybody is told."""

from __future__ import annotations

from bridge.config.words import visible
from bridge.errors import ConfigError, Problem

MOST = 200
"""A file with more faults than this is not a configuration; the rest is left unsaid."""


class Problems:
    """Collects errors and warnings of one file. The same sentence on the same line counts once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._errors: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}

    @property
    def full(self) -> bool:
        """True when so much is wrong that looking further is a waste of time."""
        return len(self._errors) >= MOST

    def error(self, line: int, sentence: str) -> None:
        """Note something that makes the configuration unusable."""
        if not self.full:
            self._errors[self._problem(line, sentence)] = None

    def warn(self, line: int, sentence: str) -> None:
        """Note something that is allowed and probably not meant."""
        if len(self._warnings) < MOST:
            self._warnings[self._problem(line, sentence)] = None

    def fail(self, line: int, sentence: str) -> ConfigError:
        """Note an error after which the file cannot be read on, and return what to raise."""
        self._errors[self._problem(line, sentence)] = None
        return self.failure()

    def _problem(self, line: int, sentence: str) -> Problem:
        return Problem(self.file, max(1, line), visible(sentence))

    def failure(self) -> ConfigError:
        """Return everything noted so far as an exception, in the order of the file."""
        found = _in_order(self._errors)
        if self.full:
            found.append(
                Problem(self.file, found[-1].line, f"more than {MOST} problems: stopped here")
            )
        return ConfigError(found)

    def raise_any(self) -> None:
        """Raise ConfigError when at least one error was noted."""
        if self._errors:
            raise self.failure()

    @property
    def warnings(self) -> list[Problem]:
        """The warnings, in the order of the file."""
        return _in_order(self._warnings)


def _in_order(problems: dict[Problem, None]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line)
