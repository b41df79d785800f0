"""Recognising a GX on the network: by the portal id that its broker keeps for everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from actors.venus.venus_mqtt.decode import parse
from actors.venus.venus_mqtt.paths import SERIAL
from bridge.discover import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

TOPICS: Final = (f"N/+/{SERIAL}",)
_TOPIC: Final = re.compile(rf"N/([0-9a-f]{{12}})/{SERIAL}\Z")


def broker(messages: Sequence[tuple[str, bytes]]) -> list[Found]:
    """Each GX that has left its portal id at a broker; two of them must be told apart."""
    portals = sorted(
        {
            found[1]
            for topic, payload in messages
            if (found := _TOPIC.match(topic)) and parse(payload) == found[1]
        }
    )
    several = len(portals) > 1
    return [Found("Victron GX", each, {"portal_id": each} if several else {}) for each in portals]
