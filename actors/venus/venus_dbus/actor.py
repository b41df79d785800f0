"""The actor: publishes the plan, starts the injector and watches it. It touches no D-Bus itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from actors.venus.venus_dbus.child import Child, ChildError
from actors.venus.venus_dbus.core import plan, summary
from actors.venus.venus_dbus.needs import needs_of
from actors.venus.venus_dbus.settings import ELSEWHERE, Settings
from bridge.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.config import SiteSettings
    from bridge.needs import Need

_LOOK = 1.0
_MISSING = 30.0
_WAITS = (1.0, 2.0, 5.0, 15.0, 60.0)
_STEADY = 60.0
_PLAN = "Venus/{venus}/Services"
_INSTANCE = "VRMInstanceID"
_MOST_CONSUMERS = 100
_HIGHEST = 65535


class VenusDbus(Actor):
    """Shows devices, consumers and the reservation on a Victron GX."""

    kind = "venus_dbus"
    Settings = Settings
    writes: ClassVar[tuple[str, ...]] = (_PLAN,)

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterable[Need]:  # noqa: A002, ARG003 - as its base
        """Its devices and the D-Bus."""
        return needs_of(id, settings)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self._intervals = {
            name: float(interval)
            for name, each in context.config.actors.items()
            if isinstance(interval := getattr(each.settings, "interval", None), (int, float))
        }
        self._consumers: dict[str, int | None] = {}
        self._instances: dict[str, int] = {}
        self._published: dict[str, Any] | None = None
        self._shown: dict[str, Any] = {}
        self._online_at: float | None = None
        self._began = self.clock.now()
        self._ended: str | None = None
        self._line: str | None = None
        self._warned: str | None = None
        self._child = Child(
            context.endpoint, context.config.base, context.id, settings.bus, self._said
        )

    async def run(self) -> None:
        """Publish, start, watch."""
        await self._listen()
        if self.settings.bus != ELSEWHERE:
            self.bus.leaves("Venus/{venus}/Status", venus=self.id)
            self.bus.leaves("Venus/{venus}/Shown", venus=self.id)
        async with anyio.create_task_group() as tasks:
            if self.settings.bus != ELSEWHERE:
                tasks.start_soon(self._keep_running)
            async for _ in self.every(_LOOK):
                await self._look()

    async def safe(self) -> None:
        """End the injector; it makes its values unknown and gives every lease back."""
        await self._child.stop()

    # ---------------------------------------------------------------- the injector

    async def _keep_running(self) -> None:
        failures = 0
        while True:
            started = self.clock.now()
            try:
                self._ended = None
                self._ended = await self._child.run()
            except ChildError as error:
                self._ended = str(error)
            self.log.warning(self._ended)
            if self.clock.now() - started > _STEADY:
                failures = 0
            await self.clock.sleep(_WAITS[min(failures, len(_WAITS) - 1)])
            failures += 1

    def _said(self, line: str) -> None:
        self.log.info(f"injector: {line}")

    # ---------------------------------------------------------------- what it hears

    async def _listen(self) -> None:
        await self.subscribe("Venus/{venus}/Status", self._on_status, venus=self.id)
        await self.subscribe("Venus/{venus}/Shown", self._on_shown, venus=self.id)
        settings: Settings = self.settings
        if settings.every_consumer or settings.consumers:
            await self.subscribe("Requests/{consumer}", self._on_request)
            field = "Requests/{consumer}/{Field}"
            await self.subscribe(field, self._on_instance, Field=_INSTANCE)
        if settings.every_consumer:
            await self.subscribe("Requests/{consumer}/Grant", self._on_grant)

    def _on_status(self, message: Message) -> None:
        self._online_at = self.clock.now() if message.value == "online" else None

    def _on_shown(self, message: Message) -> None:
        if message.error is None:
            self._shown = message.value or {}

    def _on_grant(self, message: Message) -> None:
        consumer = message.params["consumer"]
        if message.error is not None:
            return
        if message.value is None:
            self._consumers.pop(consumer, None)
        elif len(self._consumers) < _MOST_CONSUMERS:
            self._consumers.setdefault(consumer, None)

    def _on_request(self, message: Message) -> None:
        if message.error is None and message.value:
            self._wish(message.params["consumer"], message.value.get(_INSTANCE))

    def _on_instance(self, message: Message) -> None:
        if message.error is None:
            self._wish(message.params["consumer"], message.value)

    def _wish(self, consumer: str, number: float | None) -> None:
        # The number is kept although the consumer may not be known yet: fields come first.
        known = consumer in self._instances or len(self._instances) < _MOST_CONSUMERS
        if number is not None and 0 <= number <= _HIGHEST and known:
            self._instances[consumer] = int(number)

    # ---------------------------------------------------------------- what it says

    async def _look(self) -> None:
        settings: Settings = self.settings
        listed = {*self._consumers, *settings.consumers}
        wishes = {name: self._instances.get(name) for name in listed}
        made = plan(settings, self._intervals, wishes)
        if made != self._published:
            self._published = made
            await self.publish(_PLAN, made, venus=self.id)
        line, fault = summary(self._shown, len(made["services"]))
        missing = self._missing()
        await self.health(missing or fault)
        if (missing or fault) != self._warned:
            self._warned = missing or fault
            await self.message("Warning", self._warned)
        if missing is None:
            await self._say(line)

    def _missing(self) -> str | None:
        if self._online_at is not None:
            return None
        if self._ended is not None:
            return self._ended
        if self.clock.now() - self._began < _MISSING:
            return None
        if self.settings.bus == ELSEWHERE:
            return "no injector is connected: start it on the GX, as the README shows"
        return "the injector runs and does not reach the broker"

    async def _say(self, line: str) -> None:
        if line != self._line:
            self._line = line
            await self.message("Operational", line)
