"""Commands in a folder of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from tests.cli.command import Commands, commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def heliograph(tmp_path: Path) -> Iterator[Commands]:
    """Runs commands; none of their processes outlives the test."""
    with commands(tmp_path / "house") as found:
        yield found


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """A command that runs in this process sends its log to the error output of its own test."""
    yield
    structlog.reset_defaults()
