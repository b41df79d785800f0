"""What counts as an allowance, and for how long."""

from __future__ import annotations

from typing import Any

from bridge.bus import Message
from bridge.consuming.hearing import Hearing
from bridge.consuming.report import Reporter
from bridge.consuming.request import Allowance, live


def said(ear: Hearing, value: Any, *, retained: bool = False, error: str | None = None) -> None:
    message = Message("", {}, None, b"", retained=retained, at=100.0, value=value, error=error)
    ear._on_allowance(message)


def test_a_retained_or_garbled_allowance_is_none() -> None:
    ear = Hearing("pump", Reporter("Pump"), lambda: None)
    said(ear, 2000.0, retained=True)
    assert ear.allowance is None
    said(ear, None, error="it is not a number")
    said(ear, 2000.0, error="it is too old")
    assert ear.allowance is None
    said(ear, 2000.0)
    assert ear.allowance == Allowance(2000.0, 100.0)
    said(ear, 3000.0, retained=True)
    assert ear.allowance == Allowance(2000.0, 100.0)
    said(ear, None)
    assert ear.allowance is None


def test_a_lease_ends_after_its_time_and_with_the_distributor() -> None:
    given = Allowance(2000.0, 100.0)
    assert live(given, 129.9, distributor=True) == 2000.0
    assert live(given, 130.0, distributor=True) is None
    assert live(given, 101.0, distributor=False) is None
