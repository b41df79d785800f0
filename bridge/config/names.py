"""Whether the devices, tariffs and forecasts that settings name are there.

A field says by its type what its text names: `DeviceId`, `TariffId`, `ForecastId` (types.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.config.actors import OWN
from bridge.config.house import class_of, owner_of
from bridge.config.words import did_you_mean, quoted

if TYPE_CHECKING:
    from bridge.config.actors import Actors
    from bridge.config.convert import Named

_TOPICS: Final = {"tariff": "Tariffs", "forecast": "Forecasts"}


def check_names(actors: Actors) -> None:
    """Refuse devices that no actor has; note tariffs and forecasts that only others can tell."""
    for each in actors.convert.names:
        if each.what == "device":
            _device(each, actors)
        elif each.id not in actors.ids:
            topic = f"{_TOPICS[each.what]}/{'…' if each.hidden else each.id}/Curve"
            sentence = (
                f"'{each.place.path}' names {_shown(each)}, but no actor has that id"
                f"{_guess(each, actors)}; it is heard only if somebody else publishes {topic}"
            )
            actors.convert.problems.warn(each.line, each.place.says(sentence))


def _device(named: Named, actors: Actors) -> None:
    owner = owner_of(named.id, actors.ids)
    kind = None if owner is None else actors.kind_of.get(owner)
    # Whoever is a device says what it tells, if only that it tells what others say.
    if named.id in OWN or (kind is not None and class_of(actors, kind, "quantities") is None):
        why = "which is no device"
    elif owner is None:
        why = f"but no actor has that id{_guess(named, actors)}"
    else:
        return
    sentence = f"'{named.place.path}' names {_shown(named)}, {why}"
    actors.convert.problems.error(named.line, named.place.says(sentence))


def _shown(named: Named) -> str:
    return f"its {named.what}" if named.hidden else quoted(named.id)


def _guess(named: Named, actors: Actors) -> str:
    found = "" if named.hidden else did_you_mean(named.id, actors.ids)
    return found.replace(": did", " (did").replace("?", "?)") if named.what != "device" else found
