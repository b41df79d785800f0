"""The shell: hears the topics of a sensor and tells them as a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from actors.services.mqtt_sensor.core import QUANTITIES, reading
from bridge.config.types import Name
from bridge.payload_value import Source, Topic, source_of
from bridge.topic_device import TopicDevice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.device import Values


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where each value comes from: a topic with a plain number, or a Source.

    temperature: °C; humidity: %; pressure: hPa; name: for people; stale: s until a value that is
    not repeated is unknown.
    """

    temperature: Topic | Source | None = None
    humidity: Topic | Source | None = None
    pressure: Topic | Source | None = None
    name: Name | None = None
    stale: Annotated[float, Meta(ge=5, le=604_800)] = 3600.0

    def check(self) -> Iterator[tuple[str, str]]:
        """Refuse a sensor of nothing."""
        if not self.sources():
            names = "'temperature', 'humidity' and 'pressure'"
            yield "temperature", f"at least one of {names} must name its topic"

    def sources(self) -> dict[str, Source]:
        """By setting, those that are there."""
        given = {name: getattr(self, name) for name in QUANTITIES}
        return {name: source_of(each) for name, each in given.items() if each is not None}


class MqttSensor(TopicDevice):
    """Temperature, humidity and pressure from any topic of the broker."""

    kind = "mqtt_sensor"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = tuple(QUANTITIES.values())

    def sources(self) -> Mapping[str, Source]:
        """As set."""
        settings: Settings = self.settings
        return settings.sources()

    def values(self, found: Mapping[str, float | None]) -> Values:
        """What was heard."""
        return reading(found)
