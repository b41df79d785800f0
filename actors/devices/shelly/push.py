"""What a Shelly tells without being asked: notifications and MQTT messages laid over a status.

Pure: frames and payloads in, a full status out; `now` is an argument (monotonic s).
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from actors.devices.shelly.document import flag, merge, number, part, parts, read_object, unwrap
from bridge.errors import DeviceError, DeviceGarbled

FULL_CHECK: Final = 60.0
LEAST_CHECK: Final = 5.0
_MOST_CHANNELS: Final = 100
_METERED: Final = ("power", "pf", "current", "voltage", "total", "total_returned", "reactive")


class Pushed:
    """The newest status of one device, and when it was heard.

    `check`: s of silence after which the device is asked; at the latest it is asked each 60 s.
    """

    def __init__(self, check: float) -> None:
        self.check = max(LEAST_CHECK, check)
        self.status: dict[str, Any] | None = None
        self._heard = self._full = -math.inf

    def asked(self, status: dict[str, Any], now: float) -> None:
        """The device was asked and gave its full status."""
        self.status, self._full = status, now

    def told(self, status: dict[str, Any], now: float) -> None:
        """The device sent its full status by itself."""
        self.status, self._heard = status, now

    def changed(self, change: dict[str, Any], now: float) -> bool:
        """Lay a change over the status; false while there is none to lay it over."""
        if self.status is None:
            return False
        self.status, self._heard = merge(self.status, change), now
        return True

    def lost(self) -> None:
        """Nothing more will come by itself for now: the device is to be asked."""
        self._heard = -math.inf

    def put_off(self, now: float) -> None:
        """Asking failed while it still talks by itself: try that again later."""
        self._full = now

    def fresh(self, now: float) -> bool:
        """True while it has spoken lately enough."""
        return now - self._heard < self.check

    def due(self, now: float) -> float:
        """Seconds until the device must be asked; 0 when it is time."""
        return max(0.0, min(self._heard + self.check, self._full + FULL_CHECK) - now)


def take_frame(pushed: Pushed, frame: dict[str, Any], now: float) -> bool:
    """Take a notification; false for every other frame."""
    method = frame.get("method")
    if method not in {"NotifyStatus", "NotifyFullStatus"}:
        return False
    params = unwrap(frame)
    params = {key: value for key, value in params.items() if key != "ts"}
    if method == "NotifyFullStatus":
        pushed.told(params, now)
        return True
    return pushed.changed(params, now)


def sender(frame: dict[str, Any]) -> str | None:
    """The MAC in a frame's `src`, as `/shelly` writes it."""
    source = frame.get("src")
    if not isinstance(source, str) or "-" not in source:
        return None
    return source.rpartition("-")[2].upper()


def challenge_of(frame: dict[str, Any]) -> dict[str, Any] | None:
    """The login that a refused frame asks for; its message is JSON inside a text."""
    error = part(frame, "error")
    if error.get("code") != 401:  # noqa: PLR2004 - HTTP Unauthorized
        return None
    try:
        found = json.loads(str(error.get("message")))
    except ValueError:
        found = None
    if not isinstance(found, dict) or "nonce" not in found:
        raise DeviceGarbled("asks for a kind of login that no Shelly should need")
    return found


# ------------------------------------------------------------------------------------ MQTT


def take_mqtt(pushed: Pushed, rest: str, payload: bytes, now: float) -> bool:
    """Take what came on `<prefix>/<rest>`; false for what tells nothing about the status."""
    try:
        if rest == "online":
            if payload.strip().lower() == b"false":
                pushed.lost()
            return False
        if rest == "events/rpc":
            return take_frame(pushed, read_object(payload), now)
        kind, _, name = rest.partition("/")
        if kind == "status" and name:
            found = read_object(payload)
            # It is the whole component: what it leaves out, such as an error, is over.
            return pushed.changed({name: None}, now) and pushed.changed({name: found}, now)
        if kind in {"emeter", "relay"} and pushed.status is not None:
            return _first_generation(pushed, kind, name, payload, now)
    except DeviceError:
        # One bad message; the device is asked again soon enough.
        return False
    return False


def _first_generation(pushed: Pushed, kind: str, name: str, payload: bytes, now: float) -> bool:
    """`emeter/0/power`, `relay/0`, `relay/0/power`: plain texts, one value each."""
    index, _, what = name.partition("/")
    if not (index.isascii() and index.isdecimal()) or int(index) >= _MOST_CHANNELS:
        return False
    text = payload.decode("utf-8", "replace").strip()
    status = pushed.status or {}
    if kind == "emeter":
        if what not in _METERED or number(text) is None:
            return False
        changed = _placed(status, "emeters", int(index), {what: number(text)})
        whole = {"emeters": changed, "total_power": None}
        return changed is not None and pushed.changed(whole, now)
    if not what:
        state = flag(text)
        changed = _placed(status, "relays", int(index), {"ison": state})
        known = state is not None and changed is not None
        return known and pushed.changed({"relays": changed}, now)
    if what != "power" or number(text) is None:
        return False
    changed = _placed(status, "meters", int(index), {"power": number(text)})
    return changed is not None and pushed.changed({"meters": changed}, now)


def _placed(
    status: dict[str, Any], key: str, index: int, change: dict[str, Any]
) -> list[dict[str, Any]] | None:
    """The list with one entry changed; None where the device has no such entry."""
    found = parts(status, key)
    if index >= len(found):
        return None
    return [each | change if place == index else each for place, each in enumerate(found)]
