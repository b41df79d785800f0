"""What tests of the Deye share."""

from __future__ import annotations

import pytest

from actors.devices.deye.actor import Deye
from bridge.registers.model import Pacing


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulator needs no time between two requests; the table's pause is tried elsewhere."""
    monkeypatch.setattr(Deye, "pacing", lambda _: Pacing())
