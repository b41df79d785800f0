"""The relay of the GX that switches NoBatToEV, as a device here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.importing import Verdict
from tests.importing.support import checked
from tests.importing.test_rules import lines, made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("given", "switch"), [("0", "gx-relay1"), (" 1 ", "gx-relay2")])
def test_the_guard_follows_the_same_relay(given: str, switch: str, tmp_path: Path) -> None:
    whole, found = made(f"[Services]\nNoBatToEV=true\n[NoBatToEV]\nUseRelay={given}\n")
    assert whole["actors"]["battery_guard"]["switch"] == switch
    verdict, why = lines(found, "UseRelay")[0]
    assert verdict is Verdict.CHANGED
    assert f"Relay {switch[-1]}" in why
    assert checked(found, tmp_path) == []


@pytest.mark.parametrize("given", ["2", "on", "1.0", "\u0661"])
def test_a_relay_that_no_gx_has_is_left_and_told(given: str) -> None:
    whole, found = made(f"[Services]\nNoBatToEV=true\n[NoBatToEV]\nUseRelay={given}\n")
    assert "switch" not in whole["actors"]["battery_guard"]
    assert lines(found, "UseRelay")[0][0] is Verdict.LEFT


def test_without_a_relay_none_decides() -> None:
    whole, found = made("[Services]\nNoBatToEV=true\n[NoBatToEV]\nUseRelay=-1\n")
    assert "switch" not in whole["actors"]["battery_guard"]
    assert lines(found, "UseRelay") == [(Verdict.TAKEN, "-1: no relay decides")]
