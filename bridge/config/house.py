"""What the sections must be to each other: site, distributor, compatibility, consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bridge.config.actors import OWN
from bridge.config.kinds import KindError
from bridge.config.place import locate
from bridge.config.tree import Scalar, Section
from bridge.config.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Collection

    from bridge.config.actors import Actors
    from bridge.config.problems import Problems
    from bridge.config.settings import SiteSettings
    from bridge.config.tree import Node

# Role -> the quantity by which the house is balanced, and what the device is then.
ROLES: Final = {
    "grid": ("GridPower", "the grid meter"),
    "pv": ("PvPower", "a PV inverter"),
    "battery": ("BatteryPower", "the battery"),
    "load": ("LoadPower", "the load meter"),
}
_NEEDS_SITE = ("site", "distributor")


def check_own_ids(actors: Actors, problems: Problems, *, has_site: bool) -> None:
    """Refuse a second site, distributor or es_ess, and their ids for anything else."""
    for id_, kind in actors.kind_of.items():
        line = actors.ids[id_]
        if kind == "es_ess":
            problems.error(
                line,
                f"actor {quoted(id_)}: kind 'es_ess' is not listed here: write "
                "'compat: {es_ess: true}'",
            )
        elif kind in OWN and id_ != kind:
            problems.error(
                line,
                f"actor {quoted(id_)}: there is exactly one actor of kind '{kind}', and its id "
                f"is '{kind}'",
            )
        elif kind in _NEEDS_SITE and not has_site:
            problems.error(
                line, f"actor '{id_}' needs a 'site' section that names at least the grid meter"
            )
        elif not has_site and class_of(actors, kind, "needs_site"):
            sentence = "it decides by the house's balance, which needs a 'site' section"
            problems.error(line, f"actor {quoted(id_)}: {sentence}")
        elif kind not in OWN and id_.casefold() in OWN:
            problems.error(
                line,
                f"the id {quoted(id_)} is kept for the actor of kind '{id_.casefold()}'",
            )


def add_implicit(actors: Actors, line: int) -> None:
    """Add the site and the distributor, with defaults, where the owner lists none."""
    taken = {each.casefold() for each in actors.ids}
    for id_ in _NEEDS_SITE:
        if id_ not in taken:
            add_own(actors, id_, Section(line), line)


def add_own(actors: Actors, id_: str, node: Section, line: int) -> None:
    """Add an actor whose id is its kind."""
    kind = actors.find(id_, line)
    if kind is not None:
        actors.add(id_, kind, node, line)


def check_roles(site: SiteSettings, node: Node, line: int, actors: Actors) -> None:
    """Refuse a role for a device that no actor can have, or twice for the same one."""
    problems = actors.convert.problems
    seen: set[tuple[str, str]] = set()
    for role, device in site.devices():
        where = locate(node, role, line)
        shown = _shown(node, role, device)
        if (role, device) in seen:
            problems.error(where, f"site: {shown} stands twice in '{role}'")
        seen.add((role, device))
        owner = owner_of(device, actors.ids)
        if owner is None:
            guess = did_you_mean(device, actors.ids) if shown != "its device" else ""
            problems.error(where, f"site: '{role}' names {shown}, but no actor has that id{guess}")
        elif actors.kind_of.get(owner) in OWN:
            problems.error(where, f"site: '{role}' names {shown}, which is no device")
        elif lacks(actors, actors.kind_of.get(owner), role):
            kind = "" if shown == "its device" else f" ({actors.kind_of[owner]})"
            quantity, part = ROLES[role]
            problems.error(
                where, f"site: {shown}{kind} gives no {quantity}, so it cannot be {part}"
            )


def lacks(actors: Actors, kind: str | None, role: str) -> bool:
    """True when devices of this kind never publish what the role is measured by.

    A kind that names no quantity at all publishes whatever comes, or is no device of ours.
    """
    given = class_of(actors, kind, "quantities")
    return bool(given) and ROLES[role][0] not in given


def class_of(actors: Actors, kind: str | None, name: str) -> Any:
    """What a kind's class says of itself; None where it says nothing."""
    try:
        return None if kind is None else getattr(actors.kinds.find(kind).load(), name, None)
    except KindError:
        return None  # it is told where the actor is read


def owner_of(device: str, ids: Collection[str]) -> str | None:
    """Return who of the actors has this device: of the same id, or `{id}` of `{id}-{sub}`."""
    if device in ids:
        return device
    owners = [each for each in ids if device.startswith(f"{each}-")]
    return max(owners, key=len, default=None)


def _shown(node: Node, role: str, device: str) -> str:
    """Return the id in quotes, unless it came from the environment or a file."""
    entry = node.entries.get(role) if isinstance(node, Section) else None
    below = getattr(entry.node, "nodes", [entry.node]) if entry else []
    hidden = any(isinstance(each, Scalar) and each.origin for each in below)
    return "its device" if hidden else quoted(device)


def warn(
    actors: Actors, actors_node: Node | None, site: SiteSettings | None, site_line: int
) -> None:
    """Note what is allowed and probably not meant."""
    problems = actors.convert.problems
    if not actors.ids:
        problems.warn(1, "there are no actors: the bridge has nothing to do")
    if site is None or not site.battery:
        return
    line = locate(actors_node, "distributor", site_line) if actors_node else site_line
    if not (actors_node and _has(actors_node, "distributor", "reservation")):
        problems.warn(
            line,
            "the site has a battery, but actor 'distributor' has no 'reservation': consumers get "
            "the sun before the battery does",
        )


def _has(node: Node, *keys: str) -> bool:
    for key in keys:
        if not isinstance(node, Section) or key not in node.entries:
            return False
        node = node.entries[key].node
    return not (isinstance(node, Scalar) and node.null)
