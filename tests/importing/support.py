"""What `heliograph check` says of an imported configuration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config import ConfigError, load_text

if TYPE_CHECKING:
    from bridge.importing import Imported

FILES = Path(__file__).parent / "files"
PENDING = frozenset(
    {
        *("http_switch", "mqtt_switch", "venus_mqtt", "venus_dbus", "mqtt_sensor"),
        *("time_to_go", "mqtt_pv", "fronius_meter"),
    }
)
"""Kinds that an older tree may lack; every one that is there is checked in full."""
_UNKNOWN = re.compile(r"kind '(\w+)' is not known")


def checked(made: Imported, folder: Path) -> list[str]:
    """The errors of the configuration, its secrets beside it in `folder`."""
    place = folder / made.folder
    place.mkdir(mode=0o700, exist_ok=True)
    for name, text in made.secrets.items():
        (place / name).write_text(text, encoding="utf-8")
        (place / name).chmod(0o600)
    try:
        load_text(made.yaml, folder / "heliograph.yaml")
    except ConfigError as error:
        return [each.sentence for each in error.problems if not _pending(each.sentence)]
    return []


def _pending(sentence: str) -> bool:
    found = _UNKNOWN.match(sentence)
    return found is not None and found[1] in PENDING
