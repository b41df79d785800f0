"""Whether what actors need of one another's devices is what those can give.

Only what a setting names is judged here; what the roles of the house need is house.py's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.config.house import owner_of
from bridge.config.kinds import KindError
from bridge.config.place import Place
from bridge.config.words import quoted
from bridge.needs import Figure, Handle

if TYPE_CHECKING:
    from bridge.config.actors import Actors
    from bridge.config.convert import Named
    from bridge.config.settings import SiteSettings


def check_needs(actors: Actors, site: SiteSettings | None) -> None:
    """Refuse a setting that names a device without the control or the quantity that is needed."""
    for id_, actor in actors.made.items():
        owner = Place(f"actor {quoted(id_)}").owner
        named = [each for each in actors.convert.names if each.place.owner == owner]
        needs = getattr(actors.kinds.find(actor.kind).load(), "needs", None)
        told: set[tuple[str, str]] = set()
        for need in () if needs is None else needs(id_, actor.settings, site):
            if not isinstance(need, (Figure, Handle)) or (need.device, need.setting) in told:
                continue
            found = next((each for each in named if _is(each, need)), None)
            lacks = None if found is None else lacking(need, actors)
            if found is not None and lacks is not None:
                told.add((need.device, need.setting))
                _refuse(actors, found, lacks)


def lacking(need: Figure | Handle, actors: Actors) -> str | None:
    """What a device's kind does not have, in words; None where it has it or nobody can know."""
    owner = owner_of(need.device, actors.ids)
    kind = None if owner is None else actors.kind_of.get(owner)
    if kind is None:
        return None
    try:
        return kind_lacks(actors.kinds.find(kind).load(), need)
    except KindError:
        return None  # it is told where the actor is read


def kind_lacks(kind: Any, need: Figure | Handle) -> str | None:
    """The same of a kind's class. One that names no quantity at all passes on what others say."""
    given = getattr(kind, "quantities", ())
    if not given:
        return None
    if isinstance(need, Figure):
        patterns = (each.partition("{")[0] for each in given if "{" in each)
        some = need.quantity in given or any(need.quantity.startswith(each) for each in patterns)
        return None if some else need.untold
    controls = kind.controls
    has = f"it has {', '.join(controls)}" if controls else "it has none"
    return None if need.control in controls else f"has no control {need.control}; {has}"


def _is(named: Named, need: Figure | Handle) -> bool:
    return named.id == need.device and named.place.path.startswith(need.setting)


def _refuse(actors: Actors, named: Named, lacks: str) -> None:
    who = "its device" if named.hidden else quoted(named.id)
    owner = owner_of(named.id, actors.ids)
    kind = "" if named.hidden or owner is None else f" ({actors.kind_of[owner]})"
    sentence = f"'{named.place.path}' names {who}{kind}, which {lacks}"
    actors.convert.problems.error(named.line, named.place.says(sentence))
