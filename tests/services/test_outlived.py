"""Limits that once outlived their reason: who asks just when another gives back, or is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime.virtual import VIRTUAL
from tests.services.test_lending import live

if TYPE_CHECKING:
    from pathlib import Path

Moves = list[tuple[str, float, float]]
REFUSED_AND_KILLED: Moves = [
    ("other", 0.0, 1.0),
    ("want", 0.0, 0.5),
    ("other", 500.0, 0.5),
    ("want", 0.0, 0.1),
    ("die", 0.0, 0.1),
]
TRIED_WHILE_AWAY: Moves = [
    ("other", 0.0, 1.0),
    ("want", 0.0, 2.5),
    ("other", 500.0, 0.5),
    ("away", 0.0, 1.0),
    ("there", 0.0, 2.0),
]
ASKED_WHILE_GIVEN_BACK: Moves = [
    ("want", 0.0, 1.0),
    ("die", 0.0, 1.0),
    ("other", 0.0, 1.0),
]


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL


@pytest.mark.parametrize(
    "moves", [REFUSED_AND_KILLED, TRIED_WHILE_AWAY, ASKED_WHILE_GIVEN_BACK], ids=lambda _: ""
)
async def test_it_is_put_back(tmp_path: Path, moves: Moves) -> None:
    await live(tmp_path, "MaxChargePower", list(moves))
