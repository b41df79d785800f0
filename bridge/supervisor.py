"""The supervisor: one task group that owns every actor, and the voice of the bridge itself."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING

import anyio

from bridge import __version__, systemd
from bridge.actor import Context, client_id
from bridge.bus import Bus, Message
from bridge.clock import Clock, stamp
from bridge.config.kinds import find_kind
from bridge.control.leftovers import left_behind
from bridge.discovery import Publisher, bridge_messages
from bridge.discovery.sweep import sweep
from bridge.errors import SecondBridgeError
from bridge.hold import Hold
from bridge.log import get_logger
from bridge.published import departed, forget
from bridge.runner import Runner
from bridge.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anyio.abc import TaskGroup

    from bridge.actor import Actor
    from bridge.config import Changes, Config
    from bridge.contract import Contract
    from bridge.mqtt import Endpoint

_WRITES = (
    "Bridge/Status",
    "Bridge/Info",
    "Bridge/Ping",
    "Actors/{actor}/Status",
    "Actors/{actor}/Health",
    "Actors/{actor}/Messages/{Level}",
)
_ECHO_PATIENCE = 1.0
_PING_PATIENCE = 1.5
# Stopping takes 15 s at most: who decides 2, devices SAFE_LIMIT, their farewell and ours the rest.
_DECIDERS_LIMIT = 2.0
_STOP_LIMIT = 12.0
_LAG = 0.25


class Supervisor:
    """Starts, watches, reloads and stops the actors of one configuration on one broker."""

    def __init__(
        self, config: Config, endpoint: Endpoint, contract: Contract, clock: Clock | None = None
    ) -> None:
        self.config = config
        self.endpoint = endpoint
        self.contract = contract
        self.clock = clock or Clock()
        self.log = get_logger("bridge")
        self.runners: dict[str, Runner] = {}
        self.started = anyio.Event()
        self._stop = anyio.Event()
        self._since = self.clock.utc()
        self._instance = uuid.uuid4().hex[:12]
        self._heard_ourselves = False
        self._denied = False
        self._give_way = anyio.Event()
        self._tasks: TaskGroup | None = None
        self._bus = self._make_bus("bridge", will="Bridge/Status")

    def _make_bus(self, name: str, *, will: str | None) -> Bus:
        return Bus(
            self.contract,
            self.config.base,
            self.endpoint,
            client_id(self.config.base, name),
            clock=self.clock,
            log=self.log,
            writes=_WRITES,
            will=will,
            reports_outage=will is not None,
        )

    def stop(self) -> None:
        """Ask for a clean stop; `run` returns when it is done."""
        self._stop.set()

    async def run(self) -> None:
        """Run every actor until `stop`. Raises SecondBridgeError when another bridge is here."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(self._wait_for_stop, tasks)
            await self._refuse_second_bridge()
            await self._bus.subscribe("Bridge/Ping", self._on_ping)
            await self._bus.subscribe("Bridge/Info", self._on_info)
            await self._bus.subscribe("Bridge/Status", self._on_status)
            tasks.start_soon(self._bus.run)
            await self._bus.connection.connected.wait()
            await self._publish_info()
            self._announce()
            self._tell_leftovers()
            await self._clear_departed()
            self._start(self.config.actors)
            self.started.set()
            systemd.notify("READY=1")
            tasks.start_soon(self._watch_loop)
            tasks.start_soon(self._watch_rivals)
            tasks.start_soon(self._sweep)

    async def _wait_for_stop(self, tasks: TaskGroup) -> None:
        await self._stop.wait()
        systemd.notify("STOPPING=1")
        with anyio.CancelScope(shield=True), anyio.move_on_after(_STOP_LIMIT):
            await self._stop_actors(list(self.runners))
            await self._bus.connection.goodbye()
        tasks.cancel_scope.cancel()

    async def connected(self, name: str) -> None:
        """Wait until an actor hears what it subscribed to."""
        while (actor := self._actor(name)) is None:  # noqa: ASYNC110 - it is made within moments
            await anyio.sleep(0.01)
        await actor.bus.connection.connected.wait()

    def _actor(self, name: str) -> Actor | None:
        runner = self.runners.get(name)
        return runner.actor if runner is not None else None

    # ---------------------------------------------------------------- actors

    def _start(self, names: Iterable[str]) -> None:
        assert self._tasks is not None  # noqa: S101 - only called while run() holds the group
        for name in names:
            wanted = self.config.actors[name]
            actor_class = find_kind(wanted.kind).load()

            def build(restarts: int, name: str = name) -> Context:
                return Context(
                    id=name,
                    settings=self.config.actors[name].settings,
                    config=self.config,
                    contract=self.contract,
                    endpoint=self.endpoint,
                    clock=self.clock,
                    restarts=restarts,
                )

            runner = Runner(
                build,
                actor_class,
                name=name,
                stops_first=actor_class.stops_first,
                report=self._report,
                hold=Hold(self.config.state, name, "bridge") if actor_class.commands() else None,
            )
            self.runners[name] = runner
            self._tasks.start_soon(runner.run)

    async def _stop_actors(self, names: Iterable[str]) -> None:
        """Who decides stops first, then all others together.

        A device is not kept from its safe state by who cannot end his deciding.
        """
        runners = [self.runners.pop(name) for name in names if name in self.runners]
        for deciding in (True, False):
            phase = [runner for runner in runners if runner.stops_first is deciding]
            for runner in phase:
                runner.stop()
            with anyio.move_on_after(_DECIDERS_LIMIT if deciding else math.inf):
                for runner in phase:
                    await runner.finished.wait()
        for runner in runners:
            await runner.finished.wait()

    async def reload(self, config: Config, changes: Changes) -> None:
        """Swap to a validated configuration; only the actors that changed are touched."""
        stopped = {*changes.stopped, *changes.restarted}
        self.config = config
        await self._stop_actors(stopped)
        await self._clear_departed()
        self._start([*changes.started, *changes.restarted])
        await self._publish_info()
        self._announce()
        self._tell_leftovers()
        if self._tasks is not None:
            self._tasks.start_soon(self._sweep)
        words = [
            f"{word} {', '.join(sorted(names))}"
            for word, names in (
                ("started", changes.started),
                ("stopped", changes.stopped),
                ("restarted", changes.restarted),
            )
            if names
        ]
        self.log.info(f"configuration read again: {'; '.join(words) or 'nothing changed'}")

    async def _report(self, name: str, state: str, restarts: int, error: str | None) -> None:
        await self._bus.publish("Actors/{actor}/Status", "offline", actor=name)
        health = {
            "state": state,
            "since": stamp(self.clock.utc()),
            "restarts": restarts,
            "error": error,
        }
        await self._bus.publish("Actors/{actor}/Health", health, actor=name)
        await self._bus.connection.flush(1.0)
        # The next life of the actor speaks for itself; a reconnect must not repeat this for it.
        self._bus.forget("Actors/{actor}/Status", actor=name)
        self._bus.forget("Actors/{actor}/Health", actor=name)

    # ---------------------------------------------------------------- the bridge's own voice

    async def _publish_info(self) -> None:
        await self._bus.publish(
            "Bridge/Info",
            {
                "version": __version__,
                "started": stamp(self._since),
                "instance": self._instance,
                "actors": {name: actor.kind for name, actor in self.config.actors.items()},
            },
        )

    def _announce(self) -> None:
        """Home Assistant discovery of the bridge itself."""
        state = StateFolder(self.config.state, "bridge", self.log)
        publisher = Publisher(self._bus, self.config, state)
        publisher.show("bridge", bridge_messages(publisher.house, site=bool(self.config.site)))

    def _tell_leftovers(self) -> None:
        """Say what an actor that is no longer configured has left in its devices."""
        for sentence in left_behind(self.config.state, self.config.actors):
            self.log.warning(sentence)

    async def _clear_departed(self) -> None:
        """Clear what actors that are no longer configured have left on the broker."""
        found = list(departed(self.config.state, self.config.base, self.config.actors))
        if not found:
            return
        connection = self._bus.connection
        session, connected = connection.sessions, connection.is_connected
        for topic in sorted(topic for _, _, left in found for topic in left.topics):
            self._bus.publish_raw(topic, b"", qos=1, retain=True)
            await connection.drain()
        done = await connection.flush() and connection.sessions == session
        if not (connected and done and connection.is_connected):
            return  # without a broker the lists stay, for the next time
        for _, path, _ in found:
            forget(path)
        self.log.info(f"cleared what {', '.join(name for name, _, _ in found)} left on the broker")

    async def _sweep(self) -> None:
        """Remove the discovery of what this configuration no longer has."""
        bus = self._make_bus(f"sweep-{uuid.uuid4().hex[:8]}", will=None)
        try:
            await sweep(bus, self.config, self.log)
        except Exception as error:  # what strangers announce must not end the bridge
            self.log.exception("discovery could not be cleaned up", exc_info=error)

    async def _on_ping(self, message: Message) -> None:
        if not message.retained:
            await self._publish_info()

    async def _refuse_second_bridge(self) -> None:
        """Ask whether a live bridge answers on this base, under an id that takes over nobody's."""
        probe = self._make_bus(f"probe-{uuid.uuid4().hex[:8]}", will=None)
        echoed, answered = anyio.Event(), anyio.Event()
        online = False

        def on_status(message: Message) -> None:
            nonlocal online
            online = message.value == "online"

        def on_ping(message: Message) -> None:
            # What the broker had kept was delivered before our own question comes back.
            if message.value == probe.connection.client_id:
                echoed.set()

        def on_info(message: Message) -> None:
            if not message.retained:
                answered.set()

        await probe.subscribe("Bridge/Status", on_status)
        await probe.subscribe("Bridge/Info", on_info)
        await probe.subscribe("Bridge/Ping", on_ping)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(probe.run)
            tasks.start_soon(self._tell_first_outage, probe)
            await probe.connection.connected.wait()
            await probe.publish("Bridge/Ping", probe.connection.client_id)
            with anyio.move_on_after(_ECHO_PATIENCE):
                await echoed.wait()
            if online:
                with anyio.move_on_after(_PING_PATIENCE):
                    await answered.wait()
            tasks.cancel_scope.cancel()
        if answered.is_set():
            sentence = (
                f"another bridge already runs on {self.endpoint.url} with base "
                f"{self.config.base!r}; stop it, or give this one another base"
            )
            raise SecondBridgeError(sentence)

    async def _tell_first_outage(self, probe: Bus) -> None:
        await anyio.sleep(1.0)
        why = probe.connection.why
        if why and not probe.connection.is_connected:
            self.log.warning(f"the broker {self.endpoint.url} is not there yet: {why}; trying on")

    def _on_status(self, message: Message) -> None:
        """Another program, or a late will, says that we are gone: `_watch_loop` answers."""
        if message.value == "offline" and not message.retained:
            self._denied = True

    def _on_info(self, message: Message) -> None:
        """Two bridges that started in the same moment both passed the probe: the later one goes."""
        info = message.value
        if not isinstance(info, dict):
            return
        theirs = (str(info.get("started")), str(info.get("instance")))
        ours = (stamp(self._since), self._instance)
        if theirs == ours:
            self._heard_ourselves = True
        elif self._heard_ourselves and theirs < ours:
            self._give_way.set()

    async def _watch_rivals(self) -> None:
        await self._give_way.wait()
        sentence = f"another bridge took over the base {self.config.base!r} on {self.endpoint.url}"
        raise SecondBridgeError(sentence)

    async def _watch_loop(self) -> None:
        """Notice a blocked event loop, and tell systemd that we are alive."""
        interval = min(1.0, systemd.watchdog_interval() or 1.0)
        late = False
        while True:
            due = self.clock.now() + interval
            await anyio.sleep(interval)
            lag = self.clock.now() - due
            if lag > _LAG and not late:
                self.log.warning(f"something kept the bridge busy for {lag:.1f} s")
            late = lag > _LAG
            if self._denied and not self._stop.is_set():
                self._denied = False
                await self._bus.publish("Bridge/Status", "online")
            systemd.notify("WATCHDOG=1")
