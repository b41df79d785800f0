"""What `watch` knows: the newest payload of each address, and when it came. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

_FIELDS = {
    name.lower(): name
    for name in (
        "Consumption",
        "CustomName",
        "Allowance",
        "Reason",
        "Error",
    )
}

_IN_FORCE = {
    "IsAutomatic": "automatic",
    "Priority": "priority",
    "Request": "request",
    "Consumption": "consumption",
}


@dataclass(slots=True)
class Model:
    """The tree below the base, sorted into devices, site, consumers and actors.

    configured: the kind of each actor that the configuration names.
    """

    configured: dict[str, str] = field(default_factory=dict)
    bridge: str = "unknown"
    paused: bool = False
    actors: dict[str, str] = field(default_factory=dict)
    health: dict[str, str | None] = field(default_factory=dict)
    messages: dict[str, dict[str, str]] = field(default_factory=dict)
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    device_at: dict[str, float | None] = field(default_factory=dict)
    device_status: dict[str, str] = field(default_factory=dict)
    site: dict[str, Any] = field(default_factory=dict)
    consumers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, address: str, payload: bytes, at: float, *, retained: bool) -> None:
        """Sort one message in. What cannot be read is left out: `watch` only looks."""
        root, *rest = address.split("/")
        text = payload.decode("utf-8", "replace")
        if address == "Bridge/Status":
            self.bridge = text or "unknown"
        elif address == "Site/Pause":
            self.paused = text == "true"
        elif address == "Site/State":
            self.site = _object(payload)
        elif root == "Actors" and rest[1:] == ["Status"]:
            self._set(self.actors, rest[0], text)
        elif root == "Actors" and rest[1:] == ["Health"]:
            self.health[rest[0]] = _object(payload).get("error")
        elif root == "Actors" and rest[1:2] == ["Messages"]:
            # `2026-11-21T21:14:03Z text`: whoever looks wants the text.
            self._set(self.messages.setdefault(rest[0], {}), rest[2], text.partition(" ")[2])
        elif root == "Devices":
            self._take_device(rest[0], rest[1], payload, None if retained else at)
        elif root == "Requests":
            self._take_request(rest, payload, text)

    def _take_device(self, device: str, name: str, payload: bytes, at: float | None) -> None:
        if name == "Status":
            self._set(self.device_status, device, payload.decode("utf-8", "replace"))
        elif payload:
            self.devices[device] = _object(payload)
            self.device_at[device] = at
        else:
            self.devices.pop(device, None)

    def _take_request(self, rest: list[str], payload: bytes, text: str) -> None:
        consumer = rest[0]
        entry = self.consumers.setdefault(consumer, {})
        if len(rest) == 1:
            for name, value in _object(payload).items():
                known = _FIELDS.get(name.lower())
                if known:
                    entry[known] = value
        else:
            known = _FIELDS.get(rest[1].lower())
            if rest[1] == "Grant":
                self._take_grant(entry, payload)
            elif known:
                entry[known] = text
                if not text:
                    del entry[known]
        if not entry:
            del self.consumers[consumer]

    @staticmethod
    def _take_grant(entry: dict[str, Any], payload: bytes) -> None:
        """The distributor's word on what is in force; it knows the owner's overrides too."""
        grant = _object(payload)
        for name, key in _IN_FORCE.items():
            if key in grant:
                entry[name] = grant[key]

    @staticmethod
    def _set(table: dict[str, str], key: str, text: str) -> None:
        if text:
            table[key] = text
        else:
            table.pop(key, None)

    @property
    def everybody(self) -> list[str]:
        """The actors that are configured, in their order, then those that were only heard."""
        return list(dict.fromkeys((*self.configured, *sorted(self.actors))))

    @property
    def all_devices(self) -> list[str]:
        """The devices that have told anything at all, if only that they are offline."""
        return sorted({*self.devices, *self.device_status})

    def says(self, actor: str) -> tuple[str, bool] | None:
        """What an actor has to say now, and whether something is wrong; None for nothing."""
        messages = self.messages.get(actor, {})
        wrong = [messages.get(level) for level in ("Critical", "Error", "Warning")]
        known = list(dict.fromkeys(each for each in (*wrong, self.health.get(actor)) if each))
        if known:
            return "; ".join(known), True
        calm = messages.get("Operational") if self.actors.get(actor) == "online" else None
        return (calm, False) if calm else None

    def export(self, now: float) -> dict[str, Any]:
        """The same as one JSON object; ages in s, null where unknown."""
        return {
            "bridge": self.bridge,
            "paused": self.paused,
            "actors": {
                name: {
                    "kind": self.configured.get(name),
                    "status": self.actors.get(name),
                    "error": self.health.get(name),
                    "messages": self.messages.get(name, {}),
                }
                for name in self.everybody
            },
            "devices": {
                name: {
                    "status": self.device_status.get(name),
                    "age": None if (at := self.device_at.get(name)) is None else round(now - at, 1),
                    "values": self.devices.get(name, {}),
                }
                for name in self.all_devices
            },
            "site": self.site,
            "consumers": dict(sorted(self.consumers.items())),
        }


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
