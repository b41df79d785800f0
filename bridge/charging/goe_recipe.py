"""How go-e chargers and the Wattpilot obey: from a wish to the keys that are written. Pure.

Phases first, then the current, then on; off before all else. What was found before the first write
is kept, so that it can be put back. `amp` lies in the charger's EEPROM: it is written only where
the charger has no `amx`, which is volatile, and only when it differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bridge.charging import goe_keys as goe
from bridge.charging.model import BOTH, ChargerReading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.charging.goe_keys import Decoded
    from bridge.charging.model import ChargerWish, Forced

    Write = tuple[str, int]

PERSISTENT: Final = frozenset({"amp"})
"""What is known to lie in the charger's EEPROM; `lmo` and `psm` may, too."""
FORCED: Final[dict[int, Forced]] = {goe.NEUTRAL: "neutral", goe.OFF: "off", goe.ON: "on"}
_FORCES: Final = {True: goe.ON, False: goe.OFF, None: goe.NEUTRAL}
_PSM: Final = {1: goe.ONE_PHASE, 3: goe.THREE_PHASES}
_KEPT: Final[tuple[str, ...]] = ("psm", "amx", "amp", "lmo")


def reading_of(found: Decoded) -> ChargerReading:
    """Say the same in the words that every charger shares."""
    phases = found.phases
    return ChargerReading(
        vehicle=found.car,
        power=found.power,
        powers=found.powers,
        currents=found.currents,
        voltages=found.voltages,
        allowed_current=found.current,
        phases=None if phases is None else 1 if phases == 1 else 3,
        phases_possible=frozenset({1}) if found.wired == 1 else BOTH,
        min_current=max(goe.LEAST_CURRENT, found.least_current or 0.0),
        max_current=found.most_current,
        session_energy=found.session,
        energy=found.energy,
        forced=None if found.force is None else FORCED.get(found.force),
        mode=found.mode,
        price=found.price,
        price_limit=found.price_limit,
        reason=None if found.state_word is None else found.state_word.replace("_", " "),
        fault=found.complaint,
        extra=goe.extras(found),
    )


def writes(wish: ChargerWish, found: Decoded, before: Mapping[str, Any]) -> list[Write]:
    """Give the keys that differ from the wish, in the order in which they must be written.

    before: what `keep` found; with a wish that gives back, what it does not name is put back.
    """
    settings = {key: value for key, value in _known(before) if key in put_back(wish)}
    if not found.volatile:
        settings.pop("amx", None)
    if wish.phases is not None:
        settings["psm"] = _PSM[wish.phases]
    if wish.current is not None:
        settings["amx" if found.volatile else "amp"] = round(wish.current)
    wanted = [(key, settings[key]) for key in _KEPT if key in settings]
    wanted.insert(len(wanted) if wish.on else 0, ("frc", _FORCES[wish.on]))
    return [(key, value) for key, value in wanted if _held(found, key) != value]


def put_back(wish: ChargerWish) -> frozenset[str]:
    """Which keys have their old value again once the wish is obeyed, so that no note is needed."""
    if wish.on is not None:
        return frozenset()
    phases = frozenset() if wish.phases is not None else frozenset({"psm"})
    return phases if wish.current is not None else phases | {"amx", "amp"}


def keep(found: Decoded, before: Mapping[str, Any], keys: set[str]) -> dict[str, int]:
    """Add what the charger has under `keys`, before their first write; what is kept stays."""
    kept = dict(_known(before))
    for key in _KEPT:
        value = _held(found, key)
        if key in keys and key not in kept and value is not None:
            kept[key] = value
    return kept


def _known(before: Mapping[str, Any]) -> list[Write]:
    """Read what was kept, in the order in which it is put back; rubbish is left out."""
    known = [(key, goe.whole(before.get(key))) for key in _KEPT]
    return [(key, value) for key, value in known if value is not None]


def _held(found: Decoded, key: str) -> int | None:
    held: dict[str, Any] = {
        "frc": found.force,
        "psm": found.psm,
        "amp": found.stored,
        "amx": found.current if found.volatile else None,
        "lmo": found.mode_number,
    }
    return goe.whole(held[key])
