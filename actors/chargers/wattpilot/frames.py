"""The messages of a Wattpilot's WebSocket: one JSON object in each text frame. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from actors.chargers.wattpilot.login import sign
from bridge.errors import DeviceGarbled

_LONGEST = 80


def parse(text: str) -> dict[str, Any]:
    """Read one frame. Raises DeviceGarbled with half a sentence."""
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        if text.lstrip()[:1] == "<":
            raise DeviceGarbled("sends a web page instead of data: is it a Wattpilot?") from None
        raise DeviceGarbled("sends data that cannot be read") from None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise DeviceGarbled("sends something else than a Wattpilot does")
    return found


def _no_number(_: str) -> None:
    """NaN and infinity are unknown; what stands beside them is good."""


def auth(token3: str, answer: str) -> str:
    """Write the frame that logs in."""
    return json.dumps({"type": "auth", "token3": token3, "hash": answer})


def command(number: int, key: str, value: Any, secret: str | None) -> str:
    """Write the frame that sets `key`; `secret`: the login's key where commands are signed."""
    inner = {"type": "setValue", "requestId": number, "key": key, "value": value}
    text = json.dumps(inner)
    if secret is None:
        return text
    outer = {
        "type": "securedMsg",
        "data": text,
        "requestId": f"{number}sm",
        "hmac": sign(secret, text),
    }
    return json.dumps(outer)


def number_of(response: dict[str, Any]) -> int | None:
    """Which command a response answers: `1`, `"1"` and `"1sm"` are the same one."""
    found = response.get("requestId")
    try:
        return int(str(found).removesuffix("sm"))
    except ValueError:
        return None


def words_of(message: dict[str, Any]) -> str:
    """Give the charger's own words, short and on one line; empty when it has none."""
    found = message.get("message")
    return " ".join(found.split())[:_LONGEST] if isinstance(found, str) else ""


@dataclass(slots=True)
class Status:
    """Everything the charger has told since it was connected: full status parts and deltas.

    complete: the last part of the full status is in.
    """

    keys: dict[str, Any] = field(default_factory=dict)
    complete: bool = False

    def take(self, message: dict[str, Any]) -> bool:
        """Merge one message; true when it was about the status."""
        kind, news = message["type"], message.get("status")
        if kind not in {"fullStatus", "deltaStatus", "response"} or not isinstance(news, dict):
            return False
        if kind == "response" and message.get("success") is not True:
            return False
        self.keys |= news
        if kind == "fullStatus" and message.get("partial") is not True:
            self.complete = True
        return True
