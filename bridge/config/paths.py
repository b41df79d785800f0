"""Where the configuration and the state are when nobody says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = Path(__file__).resolve().parents[1]


def demo_path() -> Path:
    """Return the simulated house: inside the installed package, else in the checkout."""
    installed = _PACKAGE / "demo.yaml"
    return installed if installed.is_file() else _PACKAGE.parent / "config" / "demo.yaml"


def config_path(given: Path | str | None, env: Mapping[str, str]) -> Path:
    """Return the file to read: the one given, else HELIOGRAPH_CONFIG, else the demo."""
    if given:
        return Path(given)
    if named := env.get("HELIOGRAPH_CONFIG"):
        return Path(named)
    return demo_path()


def state_path(env: Mapping[str, str]) -> Path:
    """Return the state folder: systemd's STATE_DIRECTORY, else the platform's own place."""
    if folders := env.get("STATE_DIRECTORY"):
        return Path(folders.split(":")[0])
    import platformdirs

    return Path(platformdirs.user_state_path("heliograph"))
