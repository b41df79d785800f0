"""A device whose values others publish somewhere on the broker, below our base or not.

What is heard is a reading; what nobody repeats in time is unknown. A retained message has unknown
age and is not heard.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from bridge.device import Device
from bridge.errors import DeviceError, PayloadError
from bridge.needs import sources_of
from bridge.payload_value import read_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.actor import Actor, Context
    from bridge.config import SiteSettings
    from bridge.device import Values
    from bridge.mqtt import Incoming
    from bridge.needs import Need
    from bridge.payload_value import Source

_LOOK = 1.0
_BURST = 0.1  # what is published together comes as several messages
_PAUSE = 0.4
_OFFLINE_AFTER = 3.0


class Heard:
    """The newest number of each source, and its age. A refused payload changes nothing."""

    def __init__(self, actor: Actor, sources: Mapping[str, Source]) -> None:
        self._actor, self._sources = actor, sources
        self._values: dict[str, tuple[float | None, float]] = {}
        self.refused: dict[str, str] = {}
        self.news = anyio.Event()

    async def start(self) -> None:
        """Listen to each topic once."""
        for topic in dict.fromkeys(each.topic for each in self._sources.values()):
            names = [name for name, each in self._sources.items() if each.topic == topic]
            await self._actor.bus.listen(topic, partial(self._on_message, names))

    def read(self, stale: float) -> dict[str, float | None]:
        """All values; None for what is unknown, was never heard, or is older than `stale` s."""
        now = self._actor.clock.now()
        found: dict[str, float | None] = {}
        for name in self._sources:
            value, at = self._values.get(name, (None, -math.inf))
            found[name] = value if now - at <= stale else None
        return found

    def _on_message(self, names: list[str], message: Incoming) -> None:
        if message.retained:
            return
        now = self._actor.clock.now()
        for name in names:
            try:
                value = read_number(message.payload, self._sources[name])
            except PayloadError as error:
                self.refused[name] = str(error)
                continue
            self.refused.pop(name, None)
            self._values[name] = (value, now)
            self.news.set()


class TopicDevice(Device):
    """A subclass names its `sources` and says what their values mean."""

    reads_directly: ClassVar[bool] = False

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Its topics."""
        yield from sources_of(settings.sources().values(), settings.stale)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.stale: float = self.settings.stale
        self.topics = self.sources()
        self.heard = Heard(self, self.topics)

    def sources(self) -> Mapping[str, Source]:
        """Where each value comes from."""
        raise NotImplementedError

    def values(self, found: Mapping[str, float | None]) -> Values:
        """The quantities of one reading, from what was heard (None = unknown)."""
        raise NotImplementedError

    async def run(self) -> None:
        """Tell what is heard until stopped."""
        await self.heard.start()
        if self.settings.name is not None:
            await self.info(model=self.settings.name)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._follow)
            since = self.clock.now()
            async for _ in self.every(_LOOK):
                await self._look(self.clock.now() - since)

    async def read_once(self) -> Values:
        """Only the broker knows; `doctor` and `read` say so."""
        first = next(iter(self.topics.values())).topic
        sentence = f"{self.id} is published by somebody else: look at the topic {first} instead"
        raise DeviceError(sentence)

    async def _follow(self) -> None:
        while True:
            await self.heard.news.wait()
            await self.clock.sleep(_BURST)
            self.heard.news = anyio.Event()
            await self.reading(self.values(self.heard.read(self.stale)))
            await self._speak(None)
            await self.clock.sleep(_PAUSE)

    async def _look(self, life: float) -> None:
        await self.mark_stale()
        silent = self.age_of()
        if math.isinf(silent):
            silent, limit = life, self.stale
        else:
            limit = _OFFLINE_AFTER * self.stale
        why = None
        if silent > limit:
            first = next(iter(self.topics.values())).topic
            why = f"nothing that can be used has come on {first} for a while"
            await self.device_status("offline", why)
        await self._speak(why)

    async def _speak(self, why: str | None) -> None:
        """What was refused stands as a Warning; it is also what is wrong while nothing comes."""
        refused = "; ".join(self.heard.refused.values()) or None
        await self.warn("topics", refused)
        await self.health(refused or why)

    def _max_age(self, name: str) -> float:  # noqa: ARG002 - all have the age that was set
        return self.stale
