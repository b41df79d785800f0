"""Serves the es-ESS request tree: flows written for es-ESS keep working unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import msgspec

from actors.compat.es_ess.core import (
    ROOT,
    STATUS,
    Foreign,
    Leases,
    Ledger,
    calculations,
    number,
)
from actors.compat.es_ess.serving import Serving
from bridge.actor import Actor, client_id
from bridge.config.types import Delay
from bridge.errors import ContractError, PayloadError
from bridge.log import Seldom
from bridge.mqtt import Connection, Will
from bridge.mqtt.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.mqtt import Incoming

_REFRESH = 60.0
_HOLD_EVERY = 10.0
_FIGURES_EVERY = 5.0
_MOST_REFUSED = 100
_OUTPUTS = frozenset({"Allowance", "Error"})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`request_ttl` in s; 0, as in es-ESS, lets a request live until it is withdrawn."""

    request_ttl: Delay = 0


class EsEss(Actor):
    """Two connections: its own, and one whose last will is es-ESS's `$SYS/Status`."""

    kind = "es_ess"
    Settings = Settings
    writes: ClassVar[tuple[str, ...]] = (
        "Requests/{consumer}",
        "Requests/{consumer}/{Field}/Set",
        "Site/Hold",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.ledger = Ledger(self.settings.request_ttl, _REFRESH)
        self.leases = Leases()
        self.foreign = Foreign()
        self._grid: dict[str, Any] | None = None
        self._site: dict[str, Any] | None = None
        self._refused: dict[str, str] = {}
        self._seldom = Seldom(self.log, self.clock.now)
        self._held_at: float | None = None
        self._figures_at = 0.0
        self.tree = Connection(
            context.endpoint,
            client_id(context.config.base, f"{context.id}-tree"),
            log=self.log,
            receive=self._hear,
            will=Will(STATUS, offline=b"Offline", online=b"Online"),
        )
        self.bus.links.append(self.tree)
        self._inbox = Inbox()
        self.serving = Serving(self)

    @property
    def held(self) -> bool:
        """True while a real es-ESS speaks on the tree."""
        return self._held_at is not None

    async def run(self) -> None:
        """Carry requests in, allowances and figures out."""
        await self.tree.subscribe(
            [(f"{ROOT}/Requests/+/+", 1), (f"{ROOT}/LastUpdateTime", 1), (STATUS, 1)]
        )
        await self.subscribe("Requests/{consumer}/Allowance", self._on_allowance)
        await self.subscribe("Actors/{actor}/Status", self._on_distributor, actor="distributor")
        await self.subscribe("Requests/{consumer}/Error", self._on_error)
        await self.subscribe("Site/State", self._on_site)
        site = self.config.site
        if site is not None and site.grid is not None:
            await self.subscribe("Devices/{device}/State", self._on_grid, device=site.grid)
        await self.serving.start()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._carry)
            async for _ in self.every(1.0):
                await self._look()
                self.serving.tick()

    async def safe(self) -> None:
        """Nobody under the es-ESS tree may draw anything any more."""
        self.serving.save()
        self._stop_them(self.ledger.consumers)
        await self.tree.goodbye()

    def _stop_them(self, consumers: Iterable[str]) -> None:
        for consumer in consumers:
            self.tree.send(f"{ROOT}/Requests/{consumer}/Allowance", b"0", qos=1)

    # ---------------------------------------------------------------- in

    def _hear(self, message: Incoming) -> None:
        if not self._inbox.put(message, self.clock.now(), command=False):
            self.bus.refused += 1

    async def _carry(self) -> None:
        while True:
            for message, at in await self._inbox.take():
                await self._carry_one(message, at)

    async def _carry_one(self, message: Incoming, at: float) -> None:
        if message.topic == STATUS:
            if message.payload == b"Offline" and not self.foreign.alive(at):
                self.tree.send(STATUS, b"Online", qos=1, retain=True)
        elif message.topic == f"{ROOT}/LastUpdateTime":
            if not message.retained and not self.serving.is_own_stamp(message.payload):
                self.foreign.hear(message.payload, at)
                await self._look()
        else:
            *_, consumer, name = message.topic.split("/")
            await self._carry_field(consumer, name, message, at)

    async def _carry_field(self, consumer: str, name: str, message: Incoming, at: float) -> None:
        if name in _OUTPUTS or self.serving.is_echo(message.topic, message.payload):
            return
        try:
            field = self.contract.field(name)
        except ContractError:
            return  # es-ESS has topics of its own there (Energy, regular expressions, urls)
        if not self.contract.is_id(consumer):
            await self._refuse(
                consumer, f"{consumer!r} cannot be a consumer: use 1 to 32 of A-Z a-z 0-9 _ -"
            )
            return
        try:
            value = self.contract.plain(field, empty=True).decode(message.payload)
        except PayloadError as error:
            await self._refuse(consumer, str(error))
            return
        await self._accepted(consumer)
        if self.serving.owns(consumer):
            await self._overrule(consumer, field.name, value, retained=message.retained)
            return
        fields = self.ledger.hear(consumer, field.name, value, at, retained=message.retained)
        if fields is not None:
            await self.publish("Requests/{consumer}", fields, consumer=consumer)
            if consumer not in self.ledger.consumers:
                self.leases.give(consumer, 0, at)
                self._stop_them([consumer])

    async def _overrule(self, consumer: str, name: str, value: Any, *, retained: bool) -> None:
        """A word about a consumer of ours: its owner may take it over, and that is all."""
        if retained:
            return
        if name == "IsAutomatic":
            pattern = "Requests/{consumer}/{Field}/Set"
            await self.publish(pattern, value, consumer=consumer, Field=name)
        else:
            sentence = f"{name} of {consumer} is set in the configuration, not by a topic"
            await self._refuse(consumer, sentence)

    async def _refuse(self, consumer: str, sentence: str) -> None:
        if self._refused.get(consumer) == sentence:
            return
        if consumer not in self._refused and len(self._refused) >= _MOST_REFUSED:
            return
        self._refused[consumer] = sentence
        self._seldom.warning(consumer, f"es-ESS request of {consumer} refused: {sentence}")
        self.tree.send(f"{ROOT}/Requests/{consumer}/Error", sentence.encode(), qos=1, retain=True)

    async def _accepted(self, consumer: str) -> None:
        if self._refused.pop(consumer, None) is not None:
            self.tree.send(f"{ROOT}/Requests/{consumer}/Error", b"", qos=1, retain=True)

    # ---------------------------------------------------------------- by time

    async def _look(self) -> None:
        now = self.clock.now()
        self._stop_them(self.leases.lapsed(now))
        for consumer, fields in self.ledger.refreshes(now).items():
            await self.publish("Requests/{consumer}", fields, consumer=consumer)
        if self.foreign.alive(now):
            if self._held_at is None or now - self._held_at >= _HOLD_EVERY:
                first = self._held_at is None
                self._held_at = now
                sentence = "es-ESS itself is running on this broker and shares the sun"
                await self.publish("Site/Hold", sentence)
                if first:
                    await self.message("Warning", f"{sentence}; every allowance here is 0")
            return
        self._tell_figures(now)
        if self._held_at is not None:
            self._held_at = None
            # Its last will may have said `Offline` in the name of both.
            self.tree.send(STATUS, b"Online", qos=1, retain=True)
            await self.publish("Site/Hold", None)
            await self.message("Warning", None)

    # ---------------------------------------------------------------- out

    def _on_allowance(self, message: Message) -> None:
        consumer = message.params["consumer"]
        if message.retained or message.value is None:
            return
        if consumer not in self.ledger.consumers:
            self.serving.gave(consumer, message.payload)
            return
        if self._held_at is not None and (message.value or not self.leases.holds(consumer)):
            return  # ours is taken back once; after that the other one speaks on this tree
        self.leases.give(consumer, message.value, message.at)
        self.tree.send(f"{ROOT}/Requests/{consumer}/Allowance", message.payload, qos=1)
        self.serving.stamped(consumer)

    def _on_distributor(self, message: Message) -> None:
        """Who knows only es-ESS's topics does not hear that the distributor has gone."""
        if message.value == "offline" and not message.retained:
            self._stop_them(self.leases.all())

    def _on_error(self, message: Message) -> None:
        consumer = message.params["consumer"]
        if consumer in self.ledger.consumers and not message.retained:
            topic = f"{ROOT}/Requests/{consumer}/Error"
            self.tree.send(topic, message.payload, qos=1, retain=True)

    def _on_grid(self, message: Message) -> None:
        if not message.retained and isinstance(message.value, dict):
            self._grid = message.value

    def _on_site(self, message: Message) -> None:
        if not message.retained and isinstance(message.value, dict):
            self._site = message.value

    def _tell_figures(self, now: float) -> None:
        if self._site is None or now - self._figures_at < _FIGURES_EVERY:
            return
        self._figures_at = now
        for name, value in calculations(self._site, self._grid).items():
            self.tree.send(f"{ROOT}/Calculations/{name}", number(value), qos=1)
        self.serving.updated()
