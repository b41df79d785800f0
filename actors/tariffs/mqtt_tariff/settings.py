"""What an owner can set: where the prices come, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from bridge.curve.document import Reading
from bridge.curve.units import read_unit
from bridge.errors import CurveError
from bridge.tariff import TariffSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

Topic = Annotated[
    str,
    Meta(
        pattern=r"^[^+#\x00-\x1f$][^+#\x00-\x1f]*\Z",
        max_length=256,
        extra={"words": "a whole topic, without '+' and '#'"},
    ),
]


class MqttTariffSettings(TariffSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every tariff, and: topic: the whole topic with the curve of import prices; export_topic:
    the one with those of export; unit: such as EUR/MWh; read: how a payload is read, where it is
    none of the known forms.
    """  # noqa: D205 - one sentence

    topic: Topic
    export_topic: Topic | None = None
    unit: str | None = None
    read: Reading | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        """What only the reader of units and paths can tell."""
        yield from super().check()
        try:
            if self.unit is not None:
                read_unit(self.unit)
        except CurveError as error:
            yield "unit", f"'unit': {error}"
        if self.export_topic == self.topic:
            yield "export_topic", "'export_topic' must be another topic than 'topic'"
        if self.read is not None:
            for field, sentence in self.read.faults({}):
                yield f"read.{field}", sentence
            if self.read.text is not None:
                yield "read.text", "leave out 'text': what comes must be JSON"
            if self.unit is not None:
                yield "unit", "leave out 'unit' beside 'read': it has its own"
