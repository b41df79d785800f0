"""An actor's view of MQTT: declared topics in, declared topics out, nothing else.

One Bus is one connection. What comes in is routed by dictionary: the handlers of an address are
found once and remembered. What goes out is checked against the contract and against what the actor
declared, and what must stand after a reconnect is sent again.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from bridge.errors import ContractError, PayloadError
from bridge.mqtt import Connection, Will
from bridge.mqtt.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from structlog.typing import FilteringBoundLogger

    from bridge.clock import Clock
    from bridge.contract import Channel, Contract
    from bridge.mqtt import Endpoint, Incoming

    Handler = Callable[["Message"], Awaitable[None] | None]
    Announce = Callable[[], Awaitable[None]]

_REMEMBERED_ROUTES = 20_000
# Longer than any address of ours: `Requests/{32}/IgnoreBatReservation/Set` has some 70 characters.
_LONGEST_ADDRESS = 256


@dataclass(slots=True)
class Message:
    """One message on a declared address.

    `value` is the decoded payload (None = cleared or unknown) unless `error` says in one sentence
    why it was refused. `at` is the monotonic time of receipt. A `retained` message has unknown age.
    """

    address: str
    params: Mapping[str, str]
    channel: Channel | None
    payload: bytes
    retained: bool
    at: float
    value: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Subscription:
    levels: tuple[str | None, ...]
    names: tuple[str | None, ...]
    handler: Handler
    command: bool

    def match(self, levels: list[str]) -> dict[str, str] | None:
        if len(levels) != len(self.levels):
            return None
        for wanted, found in zip(self.levels, levels, strict=True):
            if wanted is not None and wanted != found:
                return None
        return {name: level for name, level in zip(self.names, levels, strict=True) if name}


@dataclass(slots=True)
class _Route:
    channel: Channel | None
    command: bool
    targets: list[tuple[Handler, dict[str, str]]] = field(default_factory=list)


class Bus:
    """Publish and subscribe below one base topic, over one connection with one last will."""

    def __init__(  # noqa: PLR0913 - one place where a connection is put together
        self,
        contract: Contract,
        base: str,
        endpoint: Endpoint,
        client_id: str,
        *,
        clock: Clock,
        log: FilteringBoundLogger,
        writes: tuple[str, ...] = (),
        will: str | None = None,
        reports_outage: bool = False,
    ) -> None:
        self.contract = contract
        self.base = base
        self.announcers: list[Announce] = []
        # Further connections (with wills of their own) that live as long as this one.
        self.links: list[Connection] = []
        self.refused = 0
        # The whole topics on which something of ours stands, and requests that were not withdrawn.
        self.left: set[str] = set()
        self._muted = False
        self._clock = clock
        self._log = log
        self._writes = frozenset(writes)
        self._prefix = f"{base}/"
        self._subscriptions: list[_Subscription] = []
        self._raw: list[tuple[list[str], Callable[[Incoming], None]]] = []
        self._routes: dict[str, _Route] = {}
        self._replay: dict[str, tuple[bytes, int]] = {}
        self._allowed: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Channel, str, bool]] = {}
        self._inbox = Inbox()
        self._taken = 0  # of these, how many were taken out and are not handled yet
        self.connection = Connection(
            endpoint,
            client_id,
            log=log,
            receive=self._on_message,
            will=Will(self._prefix + will) if will else None,
            announce=self._announce,
            reports_outage=reports_outage,
        )

    # ---------------------------------------------------------------- out

    async def publish(self, pattern: str, value: Any, /, **params: str) -> bytes:
        """Publish `value` on the address that `pattern` and `params` make; the bytes that went out.

        Raises ContractError for an address that is not declared, PayloadError for a value that
        its topic refuses. With no broker the message is dropped; retained state comes back later.
        """
        key = (pattern, tuple(params.items()))
        found = self._allowed.get(key)
        if found is None:
            found = self._allow(pattern, params)
            if len(self._allowed) >= _REMEMBERED_ROUTES:
                self._allowed.clear()
            self._allowed[key] = found
        channel, topic, replayed = found
        payload = channel.encode(value)
        self._send(topic, payload, channel, replayed=replayed)
        if self.connection.congested:
            await self.connection.drain()
        return payload

    def _send(self, topic: str, payload: bytes, channel: Channel, *, replayed: bool) -> None:
        if replayed:
            if payload:
                self._replay[topic] = (payload, channel.qos)
            else:
                self._replay.pop(topic, None)
        if not payload:
            self.left.discard(topic)
        elif channel.retain or channel.topic.retain == "consumer":
            self.left.add(topic)
        self.connection.send(
            topic,
            payload,
            qos=channel.qos,
            retain=channel.retain,
            expiry=channel.expiry if payload else None,
        )

    def _allow(self, pattern: str, params: dict[str, str]) -> tuple[Channel, str, bool]:
        channel = self.contract.channel(pattern, **params)
        if pattern not in self._writes:
            sentence = f"this actor does not declare that it writes {pattern}"
            raise ContractError(sentence)
        # Leases and measurements are made anew after a reconnect, never repeated from memory.
        replayed = channel.retain and channel.expiry is None
        replayed = replayed and (channel.qos > 0 or pattern.startswith("Actors/"))
        return channel, self._prefix + channel.address, replayed

    def forget(self, pattern: str, /, **params: str) -> None:
        """Do not repeat this address after a reconnect; another connection speaks for it."""
        channel = self.contract.channel(pattern, **params)
        self._replay.pop(self._prefix + channel.address, None)

    def leaves(self, pattern: str, /, **params: str) -> None:
        """Another process of ours keeps something here, to be cleared when the actor is gone."""
        self.left.add(self._prefix + self.contract.channel(pattern, **params).address)

    def mute(self) -> None:
        """Hand out nothing more that comes in; used while stopping."""
        self._muted = True

    def publish_raw(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = True) -> None:
        """Publish outside the base (Home Assistant discovery, the es-ESS tree); `topic` is full."""
        if retain:
            if payload:
                self._replay[topic] = (payload, qos)
            else:
                self._replay.pop(topic, None)
        self.connection.send(topic, payload, qos=qos, retain=retain)

    async def _announce(self) -> None:
        for topic, (payload, qos) in list(self._replay.items()):
            self.connection.send(topic, payload, qos=qos, retain=True)
        for announcer in self.announcers:
            await announcer()

    # ---------------------------------------------------------------- in

    async def subscribe(
        self, pattern: str, handler: Handler, /, *, command: bool = False, **params: str
    ) -> None:
        """Hear `pattern`; params that are left out hear every value of that level.

        A command is handled in order, each one; of anything else only the newest waits.
        """
        levels: list[str | None] = []
        names: list[str | None] = []
        for level in pattern.split("/"):
            name = level[1:-1] if level.startswith("{") else None
            names.append(name)
            levels.append(params.get(name) if name else level)
        self._subscriptions.append(_Subscription(tuple(levels), tuple(names), handler, command))
        self._routes.clear()
        topic = self._prefix + "/".join(level or "+" for level in levels)
        await self.connection.subscribe([(topic, 1)])

    async def listen(
        self, topic: str, handler: Callable[[Incoming], None], *, qos: int = 1
    ) -> None:
        """Hear a topic filter outside the base; `handler` must not wait."""
        self._raw.append((topic.split("/"), handler))
        await self.connection.subscribe([(topic, qos)])

    def _on_message(self, message: Incoming) -> None:
        if self._muted:
            return
        topic = message.topic
        for levels, handler in self._raw:
            if _matches(levels, topic.split("/")):
                handler(message)
        if not topic.startswith(self._prefix):
            return
        address = topic[len(self._prefix) :]
        if len(address) > _LONGEST_ADDRESS:
            self.refused += 1
            return
        route = self._routes.get(address)
        if route is None:
            route = self._find_route(address)
        if route.targets and not self._inbox.put(message, self._clock.now(), command=route.command):
            self.refused += 1

    def _find_route(self, address: str) -> _Route:
        levels = address.split("/")
        route = _Route(None, command=False)
        for subscription in self._subscriptions:
            params = subscription.match(levels)
            if params is not None:
                route.targets.append((subscription.handler, params))
                route.command = route.command or subscription.command
        if route.targets:
            route.channel = self.contract.match(address)
        if len(self._routes) >= _REMEMBERED_ROUTES:
            self._routes.clear()
        self._routes[address] = route
        return route

    @property
    def waiting(self) -> int:
        """Messages that have come and are not handled yet."""
        return len(self._inbox) + self._taken

    async def _dispatch(self) -> None:
        while True:
            batch = await self._inbox.take()
            self._taken = len(batch)
            for message, at in batch:
                self._taken -= 1
                address = message.topic[len(self._prefix) :]
                await self._handle(address, message, at)

    async def _handle(self, address: str, incoming: Incoming, at: float) -> None:
        route = self._routes.get(address) or self._find_route(address)
        channel, value, error = route.channel, None, None
        if channel is not None:
            try:
                value = channel.decode(incoming.payload)
            except PayloadError as refused:
                error = str(refused)
        for handler, params in route.targets:
            message = Message(
                address, params, channel, incoming.payload, incoming.retained, at, value, error
            )
            try:
                result = handler(message)
                if inspect.isawaitable(result):
                    await result
            except Exception:  # noqa: BLE001 - one bad message must not take the others with it
                self._log.exception(f"what came on {address} could not be handled")

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Keep the connection and hand out what comes, until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.connection.run)
            for link in self.links:
                tasks.start_soon(link.run)
            tasks.start_soon(self._dispatch)


def _matches(wanted: list[str], found: list[str]) -> bool:
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(found) or level not in ("+", found[index]):
            return False
    return len(wanted) == len(found)
