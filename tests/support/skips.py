"""A pytest plugin that keeps skipped tests honest.

It lists every skipped test with its reason at the end of the run. With `CI=true` a test that was
skipped because a tool is missing fails the run: there the tools are installed, so such a skip hides
a test that nobody runs. Loaded by the Makefile with `-p tests.support.skips`.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_MISSING_TOOL = re.compile(
    r"not installed|cannot be (created|started|found)|could not import|no module named"
    r"|not found|is missing|unavailable|not available",
    re.IGNORECASE,
)


def wants_tool(reason: str) -> bool:
    """Whether a skip's reason says that something is missing on this machine."""
    return _MISSING_TOOL.search(reason) is not None


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason of a skipped test, without pytest's own prefix."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(getattr(report, "wasxfail", report.longrepr))


class Skips:
    """Collects what was skipped, and judges it at the end."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.skipped: dict[str, str] = {}

    @property
    def missing(self) -> dict[str, str]:
        """The tests that were skipped for want of a tool: node id to reason."""
        return {node: reason for node, reason in self.skipped.items() if wants_tool(reason)}

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped[report.nodeid] = reason_of(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    # First, so that the exit status stands before the terminal reporter prints its summary.
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.strict and self.missing and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.summary():
            terminalreporter.write_line(line)

    def summary(self) -> Iterable[str]:
        """The closing lines of the run; none when nothing was skipped."""
        if not self.skipped:
            return
        yield f"{len(self.skipped)} skipped:"
        for node, reason in self.skipped.items():
            yield f"  {node}: {reason}"
        if self.strict and self.missing:
            yield f"FAILED: {len(self.missing)} skipped for want of a tool, and CI=true"


def pytest_configure(config: pytest.Config) -> None:
    """Register the collector for this run."""
    strict = os.environ.get("CI", "").lower() in {"true", "1"}
    config.pluginmanager.register(Skips(strict=strict), "heliograph-skips")
