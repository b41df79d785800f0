"""Commands in a folder of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import Commands, commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def heliograph(tmp_path: Path) -> Iterator[Commands]:
    """Runs commands; none of their processes outlives the test."""
    with commands(tmp_path / "house") as found:
        yield found
