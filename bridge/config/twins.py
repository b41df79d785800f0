"""Two actors for one device: each would take what the other lent for the owner's own setting.

A kind whose devices can be told apart gives its Settings a method `identity() -> str`: where the
device is, in words that are equal for equal devices (bridge/modbus/identity.py for registers).

Where one machine can be spoken to in more than one way, each kind gives a method `box() -> str |
None`: the machine, in the same words. Two actors of different kinds for one box get a warning.

Services that steer a battery have settings `battery` and `control`. A control has one owner at a
time, so two that use the same one take turns; with different ones they work against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.config.actors import Actors

# What a battery does is said by one of these; limits beside them do not contradict.
_HELMS: Final = frozenset({"GridSetpoint", "BatterySetpoint", "BatteryMode"})


def check_twins(actors: Actors) -> None:
    """Refuse every actor that names the device of one above it, and warn of two ways to one."""
    _check_boxes(actors)
    _check_helms(actors)
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


def _check_boxes(actors: Actors) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for id_, actor in actors.made.items():
        box = getattr(actor.settings, "box", None)
        machine = box() if callable(box) else None
        if machine is None:
            continue
        first, kind = seen.setdefault(machine, (id_, actor.kind))
        if kind != actor.kind:
            where = actors.convert.scrub(machine)
            sentence = (
                f"{first} and {id_} are both {where}:"
                " set its controls through one of them only, or they undo each other's"
            )
            actors.convert.problems.warn(actor.line, sentence)


def _check_helms(actors: Actors) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for id_, actor in actors.made.items():
        battery = getattr(actor.settings, "battery", None)
        control = getattr(actor.settings, "control", None)
        if not isinstance(battery, str) or control not in _HELMS:
            continue
        first, other = seen.setdefault(battery, (id_, control))
        if other != control:
            sentence = (
                f"{first} and {id_} steer the same battery by {other} and {control}: let both use"
                " the same control, so that one waits for the other"
            )
            actors.convert.problems.warn(actor.line, sentence)
