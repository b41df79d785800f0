"""API v1 of a simulated go-e charger: numbers as texts, its own scales. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bridge.charging import goe_keys as goe

if TYPE_CHECKING:
    from bridge.simulators.goe_box import GoeBox

_CURRENTS: Final = ("amp", "amx")


def status(box: GoeBox, names: dict[str, str]) -> dict[str, Any]:
    """All that v1 tells."""
    keys = box.keys
    bits = sum(on << place for on, place in zip(keys["pha"], (3, 4, 5, 0, 1, 2), strict=True))
    found: dict[str, Any] = {
        "version": "B",
        "car": keys["car"],
        "amp": keys["amp"],
        "err": keys["err"],
        "ast": keys["acs"],
        "alw": int(keys["frc"] != goe.OFF),
        "stp": 0,
        "cbl": keys["cbl"] or 0,
        "pha": bits,
        "tmp": round(keys["tma"][0]),
        "dws": round(keys["wh"] * 360),
        "dwo": 0,
        "adi": int(keys["adi"]),
        "uby": 0,
        "eto": round(keys["eto"] / 100),
        "ama": keys["ama"],
        "ust": keys["ust"],
    }
    if "amx" in keys:
        found["amx"] = keys["amx"]
    texts = {key: each if isinstance(each, str) else str(each) for key, each in found.items()}
    return texts | {"nrg": _nrg(keys["nrg"]), "fwv": names["fwv"], "sse": names["sse"]}


def _nrg(nrg: list[float]) -> list[int]:
    scales = [1.0] * 4 + [10.0] * 3 + [0.01] * 4 + [0.1] + [1.0] * 4
    return [round(value * scale) for value, scale in zip(nrg, scales, strict=True)]


def write(box: GoeBox, payload: str) -> tuple[str, int] | None:
    """Follow `amx=10`; what it does not know changes nothing. Gives what it was told."""
    key, _, text = payload.partition("=")
    if not text.isdecimal():
        return None
    value = int(text)
    if key == "alw" and value in {0, 1}:
        box.set("frc", goe.NEUTRAL if value else goe.OFF)
    elif key in _CURRENTS:
        box.set(key, value)
    return key, value
