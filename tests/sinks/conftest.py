"""Fixtures of the sinks."""

from __future__ import annotations

import pytest

import bridge.sinks.delivery
import bridge.sinks.sink


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth as long after a failure and for warnings, so that tests need not."""
    monkeypatch.setattr(bridge.sinks.delivery, "_FIRST", 0.1)
    monkeypatch.setattr(bridge.sinks.sink, "_LOOK", 0.1)
