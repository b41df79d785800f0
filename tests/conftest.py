"""Fixtures that every test may use."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where a failure stops others, the examples are the same each time; elsewhere new ones are tried.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio: aiomqtt knows nothing else."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that a test runs sets logging up for its process: the next test has its own."""
    yield
    structlog = sys.modules.get("structlog")
    if structlog is not None and structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture
def mosquitto() -> Iterator[Mosquitto]:
    """A private mosquitto, anonymous, without persistence; skips when it is not installed."""
    with Mosquitto() as broker:
        yield broker
