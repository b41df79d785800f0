"""The Influx sink: every value as line protocol over HTTP, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.sinks.influx.line import Lines, about
from actors.sinks.influx.server import Server
from actors.sinks.influx.settings import Settings
from bridge.sinks import Sink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.actor import Context
    from bridge.sinks import Sample


class Influx(Sink):
    """Hands every value of the house to InfluxDB 1, 2 or 3, or to VictoriaMetrics."""

    kind = "influx"
    Settings = Settings

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.server = Server(settings)
        self._lines = Lines(
            context.config.base, settings.tags, settings.precision, words=settings.words
        )

    @property
    def whom(self) -> str:
        """Such as `the server at influx:8086`."""
        return f"the server at {self.settings.place}"

    def encode(self, sample: Sample) -> bytes | None:
        """One line; None for a word where words are not wanted."""
        return self._lines.line(sample)

    def name_of(self, line: bytes) -> str:
        """Measurement, tags and field."""
        return about(line)

    async def deliver(self, lines: Sequence[bytes]) -> None:
        """Write a batch. Raises Undelivered and BadLines."""
        await self.server.write(lines)

    async def disconnect(self) -> None:
        """Close the connections."""
        await self.server.close()
