"""Two actors for one device: each would take what the other lent for the owner's own setting.

A kind whose devices can be told apart gives its Settings a method `identity() -> str`: where the
device is, in words that are equal for equal devices (bridge/modbus/identity.py for registers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.actors import Actors


def check_twins(actors: Actors) -> None:
    """Refuse every actor that names the device of one above it."""
    seen: dict[str, str] = {}
    for id_, actor in actors.made.items():
        identity = getattr(actor.settings, "identity", None)
        if not callable(identity):
            continue
        device = identity()
        first = seen.setdefault(device, id_)
        if first != id_:
            where = actors.convert.scrub(device)
            sentence = f"{id_} names the same device as {first} ({where}): one actor per device"
            actors.convert.problems.error(actor.line, sentence)
