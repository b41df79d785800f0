"""What must be published so that Home Assistant forgets what is gone, and only that. Pure.

Leaving an entity out of a device's message does not remove it: it must be reduced to its platform
once. An empty retained payload removes a topic with all it announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bridge.discovery.messages import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.config import Config
    from bridge.discovery.messages import Messages

    # topic -> key -> platform of what was announced there; in the components form the key is "".
    Shape = dict[str, dict[str, str]]
    Steps = list[tuple[str, dict[str, Any] | None]]

_MIGRATE: dict[str, Any] = {"migrate_discovery": True}
_OURS = {"Bridge", "Actors", "Devices", "Site", "Requests", "Tariffs", "Forecasts", "Carbon"}
_OF_ACTORS = {"Tariffs", "Forecasts", "Carbon"}  # an actor's id follows
# Levels below the prefix: device/ID/config, and PLATFORM/ID/KEY/config.
_FORMS = {3: "device", 4: "components"}


def shape_of(messages: Messages) -> Shape:
    """What is worth remembering of messages in order to remove them later."""
    return {
        topic: {key: entity["p"] for key, entity in payload["cmps"].items()}
        if "cmps" in payload
        else {"": topic.split("/")[-4]}
        for topic, payload in messages.items()
    }


def removal(previous: Shape, current: Messages) -> Steps:
    """All that leads from what stands on the broker to `current`, in order; None = empty payload.

    Ends with `current` itself. When the form was switched, the old topics are told first that
    another topic takes over, so that entities keep their names and history.
    """
    gone = [topic for topic in previous if topic not in current]
    switched = bool(current) and bool(gone) and _is_switch(previous, current)
    steps: Steps = [(topic, _MIGRATE) for topic in gone] if switched else []
    for topic, payload in current.items():
        lost = {
            key: {"p": platform}
            for key, platform in previous.get(topic, {}).items()
            if key and key not in payload.get("cmps", {key: None})
        }
        if lost:
            steps.append((topic, {**payload, "cmps": {**payload["cmps"], **lost}}))
        steps.append((topic, payload))
    return [*steps, *((topic, None) for topic in gone)]


def _is_switch(previous: Shape, current: Messages) -> bool:
    before = {len(topic.split("/")) for topic in previous}
    return before.isdisjoint({len(topic.split("/")) for topic in current})


def orphans(retained: Mapping[str, bytes], config: Config) -> list[str]:
    """Topics among `retained` that announce what this configuration no longer has.

    Only what carries our origin, our id and topics below our base is looked at; whatever belongs
    to another program, or to another bridge, is left alone. Consumers are the distributor's
    business as long as there is a site.
    """
    wanted = config.discovery
    return [
        topic
        for topic, form, owner in _ours(retained, config.base, wanted.prefix)
        if not wanted.enabled or form != wanted.form or not _is_there(owner, config)
    ]


def _is_there(owner: tuple[str, str], config: Config) -> bool:
    kind, name = owner
    if kind == "Devices":
        return any(name == actor or name.startswith(f"{actor}-") for actor in config.actors)
    if kind in _OF_ACTORS:
        return name in config.actors
    return kind not in ("Site", "Requests") or config.site is not None


def _ours(
    retained: Mapping[str, bytes], base: str, prefix: str
) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """Each topic of ours, its form, and what it speaks of, such as ("Devices", "meter")."""
    root = base.replace("/", "_")
    for topic, raw in retained.items():
        if not topic.startswith(f"{prefix}/"):
            continue
        levels = topic[len(prefix) + 1 :].split("/")
        form = _FORMS.get(len(levels))
        if form is None or not levels[1].startswith(f"{root}_"):
            continue
        try:
            payload = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            continue
        owner = _owner(payload, f"{base}/")
        if owner is not None:
            yield topic, form, owner


def _owner(payload: Any, below: str) -> tuple[str, str] | None:
    if not isinstance(payload, dict) or not isinstance(payload.get("o"), dict):
        return None
    if payload["o"].get("name") != ORIGIN:
        return None
    components = payload.get("cmps")
    parts = list(components.values()) if isinstance(components, dict) else [payload]
    for part in parts:
        topic = part.get("stat_t") if isinstance(part, dict) else None
        if not isinstance(topic, str) or not topic.startswith(below):
            continue
        levels = topic[len(below) :].split("/")
        if levels[0] in _OURS and len(levels) > 1:
            return levels[0], levels[1]
    return None
