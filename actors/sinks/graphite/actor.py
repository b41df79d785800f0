"""The Graphite sink: numbers as `path value seconds`, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, field

from actors.sinks.graphite.path import TEMPLATE, Paths, faults, line
from actors.sinks.graphite.wire import Wire
from bridge.config.types import Host, Port
from bridge.sinks import Sink
from bridge.sinks.settings import SinkSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.actor import Context
    from bridge.sinks import Sample

Word = Annotated[str, Meta(min_length=1, max_length=64)]


class Settings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every sink; host and port of the plaintext receiver.

    transport: tcp or udp; template: how a path is made; words: which number stands for a word
    (`{online: 1, offline: 0}`); other words are left out.
    """

    host: Host
    port: Port = 2003
    transport: Literal["tcp", "udp"] = "tcp"
    template: Annotated[str, Meta(max_length=200)] = TEMPLATE
    words: dict[Word, float] = field(default_factory=dict)

    def check(self) -> Iterator[tuple[str, str]]:
        """What only the whole template can tell."""
        for sentence in faults(self.template):
            yield "template", sentence


class Graphite(Sink):
    """Hands every number of the house to Graphite (carbon, or whoever speaks its plaintext)."""

    kind = "graphite"
    Settings = Settings

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self._paths = Paths(context.config.base, settings.template)
        self._wire = Wire(settings.host, settings.port, name=self.whom, timeout=settings.timeout)

    @property
    def whom(self) -> str:
        """Such as `Graphite at nas:2003`."""
        return f"Graphite at {self.settings.host}:{self.settings.port}"

    def encode(self, sample: Sample) -> bytes | None:
        """One line; None for a word without a number."""
        return line(self._paths.of(sample), sample.value, sample.at, self.settings.words)

    def name_of(self, line: bytes) -> str:
        """The path."""
        return line.partition(b" ")[0].decode(errors="replace")

    async def deliver(self, lines: Sequence[bytes]) -> None:
        """Send a batch. Graphite never says that a line is bad; it drops it. Raises Undelivered."""
        await (self._wire.udp if self.settings.transport == "udp" else self._wire.tcp)(lines)
