"""The words of go-e's HTTP and MQTT. Pure: bodies in, keys as in bridge/charging/goe_keys out.

API v1 gives its numbers as texts, on scales of its own; here it becomes the keys of v2.
Source: goecharger/go-eCharger-API-v2 (http-en, mqtt); evcc, charger/go-e; openHAB, goecharger.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bridge.charging import goe_keys as goe

if TYPE_CHECKING:
    from collections.abc import Mapping

    Keys = dict[str, Any]

LIST_LIMIT: Final = 10
"""How many keys older firmware gives in one answer."""
KEYS: Final = (*goe.KEYS, "mcr")
V1_WRITES: Final = ("amx", "amp", "frc")
_V1_SAME: Final = (
    *("car", "amp", "amx", "ama", "amt", "cbl", "err", "ust", "sse", "fwv", "rssi", "typ"),
)
_ENERGY, _DEKAWATT_SECONDS = 100.0, 10.0 / 3600.0
_SENTENCE = 120


def parse(text: bytes) -> Any:
    """The JSON of one MQTT payload. Raises ValueError."""
    return json.loads(text.decode("utf-8"), parse_constant=_refuse)


def _refuse(word: str) -> None:
    raise ValueError(word)


def filters(keys: tuple[str, ...], *, as_list: bool) -> list[str]:
    """The values of `filter` that ask for these keys: one, or JSON lists of at most ten each."""
    if not as_list:
        return [",".join(keys)]
    cuts = [keys[at : at + LIST_LIMIT] for at in range(0, len(keys), LIST_LIMIT)]
    return [json.dumps(cut, separators=(",", ":")) for cut in cuts]


def complaint(answer: Any, key: str) -> str | None:
    """What the charger has against a write, from the answer of /api/set; None when it took it."""
    if not isinstance(answer, dict) or key not in answer:
        return "it does not say whether it took it"
    return None if answer[key] is True else words(answer[key])


def words(found: Any) -> str:
    """An error of the charger on one line."""
    return " ".join(str(found).split())[:_SENTENCE] or "no reason given"


def result(payload: bytes) -> str | None:
    """What the charger has against a write, from an MQTT result; None when it took it."""
    text = payload.decode("utf-8", "replace").strip().strip('"')
    return None if text.lower() in {"success", "true"} else words(text)


# ------------------------------------------------------------------------------------- API v1


def tells_v1(status: Any) -> bool:
    """Whether this is the status of a go-e charger in API v1."""
    return isinstance(status, dict) and {"car", "amp", "alw", "nrg"} <= set(status)


def from_v1(status: Mapping[str, Any], force: int | None) -> Keys:
    """A status of API v1 in the keys of v2.

    v1 knows no force, only whether charging is allowed: that is `off` when it is not, and when it
    is, `force` says whether we have said so.
    """
    keys = {name: status[name] for name in _V1_SAME if name in status}
    allowed = goe.flag(status.get("alw"))
    keys |= {"alw": allowed, "adi": goe.flag(status.get("adi"))}
    if allowed is not None:
        on = goe.ON if force == goe.ON else goe.NEUTRAL
        keys["frc"] = on if allowed else goe.OFF
    keys["eto"] = _times(status.get("eto"), _ENERGY)
    keys["wh"] = _times(status.get("dws"), _DEKAWATT_SECONDS)
    keys["tma"] = status["tma"] if status.get("tma") else [status.get("tmp")]
    keys["pha"] = _phases(goe.whole(status.get("pha")))
    nrg = status.get("nrg")
    keys["nrg"] = _measured(nrg) if isinstance(nrg, list) else None
    return keys


def to_v1(key: str, value: int) -> tuple[str, int] | None:
    """A write in the words of v1; None for what it does not know. A force must not be neutral."""
    if key == "frc":
        return "alw", int(value == goe.ON)
    return (key, value) if key in V1_WRITES else None


def _measured(nrg: list[Any]) -> list[float | None]:
    """V, V, V, V, 0.1 A (3), 0.1 kW (4), 0.01 kW, % (4): as V, A, W, %."""
    scales = [1.0] * 4 + [0.1] * 3 + [100.0] * 4 + [10.0] + [1.0] * 4
    return [_times(value, scale) for value, scale in zip(nrg, scales, strict=False)]


def _phases(bits: int | None) -> list[bool] | None:
    """Six bits: from the lowest L1 to L3 after the contactor, then L1 to L3 before it."""
    if bits is None:
        return None
    return [bool(bits & 1 << place) for place in (3, 4, 5, 0, 1, 2)]


def _times(value: Any, factor: float) -> float | None:
    found = goe.number(value)
    return None if found is None else round(found * factor, 6)
