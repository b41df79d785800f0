"""What a clairvoyant could have earned: `bounds.json` beside the scenarios."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "bounds.json"


def gain_reference(scenario_file: Path, scenario: str) -> float | None:
    """The most that consumers can gain over doing nothing; None where nobody has computed it."""
    path = scenario_file.parent / NAME
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_bytes()).get(scenario, {}).get("gain_reference")
    except (OSError, ValueError, AttributeError) as error:
        raise ScenarioError(f"{path} cannot be used: {error}") from error
    return float(found) if isinstance(found, (int, float)) and found > 0 else None
