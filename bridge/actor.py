"""Actor: the base of everything that runs. What the author of a device must know is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import anyio
import msgspec

from bridge.bus import Bus
from bridge.clock import stamp
from bridge.errors import one_line
from bridge.log import get_logger
from bridge.ports import Input
from bridge.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from bridge.bus import Handler
    from bridge.clock import Clock
    from bridge.config import Config, SiteSettings
    from bridge.contract import Contract
    from bridge.mqtt import Endpoint
    from bridge.needs import Need

MessageLevel = Literal["Operational", "Warning", "Error", "Critical"]
_OWN_TOPICS = (
    "Actors/{actor}/Status",
    "Actors/{actor}/Health",
    "Actors/{actor}/Messages/{Level}",
)
_SLOWEST_BEAT = 20.0


@dataclass(frozen=True, slots=True)
class Context:
    """What an actor is given at birth."""

    id: str
    settings: Any
    config: Config
    contract: Contract
    endpoint: Endpoint
    clock: Clock
    restarts: int = 0


class NoSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For a kind that has nothing to set."""


class Companion(Protocol):
    """What lives and ends with an actor, beside its `run`."""

    async def run(self) -> None:
        """Live until cancelled; what it raises ends the actor."""

    async def safe(self) -> None:
        """Called on every stop and crash, before the actor's own `safe`."""


class Actor:
    """One worker with its own connection, last will and settings.

    A subclass names its `kind` (its folder), its `Settings`, the topic patterns it `writes`, and
    implements `run`. Whoever controls hardware also implements `safe`. `needs_site`: it decides by
    the house's balance, so that a configuration without a `site` is refused.
    """

    kind: ClassVar[str] = ""
    Settings: ClassVar[type[msgspec.Struct]] = NoSettings
    writes: ClassVar[tuple[str, ...]] = ()
    stops_first: ClassVar[bool] = False
    needs_site: ClassVar[bool] = False
    # Why nobody but a running bridge tries what this actor talks to; None: there is nothing to try.
    untried: ClassVar[str | None] = None

    def __init__(self, context: Context) -> None:
        self.context = context
        self.id = context.id
        self.settings: Any = context.settings
        self.config = context.config
        self.contract = context.contract
        self.clock = context.clock
        self.log = get_logger(context.id)
        self.state = StateFolder(context.config.state, context.id, self.log)
        self.bus = Bus(
            context.contract,
            context.config.base,
            context.endpoint,
            client_id(context.config.base, context.id),
            clock=context.clock,
            log=self.log,
            writes=(*self.writes, *_OWN_TOPICS),
            will=f"Actors/{context.id}/Status",
        )
        self.bus.announcers.append(self.on_connect)
        self.companions: list[Companion] = []
        # What the first tick waits for: it has nobody to tell anything to before that.
        self.ticks_after: anyio.Event | None = None
        self.beat_due: float | None = None
        # The longest (s) that one step of this actor's work may take, whatever its interval.
        self.slowest_beat = _SLOWEST_BEAT
        self._beat_patience = _SLOWEST_BEAT
        self._ticking: int | None = None
        self.restarts = context.restarts
        self._error: str | None = None
        self._since = context.clock.utc()
        self._messages: set[str] = set()

    # ---------------------------------------------------------------- to implement

    async def run(self) -> None:
        """The actor's life. Raise to be restarted by the supervisor; return when done."""
        raise NotImplementedError

    async def safe(self) -> None:
        """Bring what this actor controls to its safe state; called on every stop and crash."""

    async def on_connect(self) -> None:
        """Publish again what the contract wants after a (re)connect and the bus does not repeat."""

    # ---------------------------------------------------------------- to use

    @classmethod
    def commands(cls) -> bool:
        """True when it commands hardware, which two processes must not do at the same time."""
        return False

    @classmethod
    def check_kind(cls, contract: Contract) -> None:
        """Raise HeliographError when files of the kind's own folder cannot be used."""

    @classmethod
    def needs(
        cls,
        id: str,  # noqa: A002, ARG003 - for subclasses
        settings: Any,  # noqa: ARG003
        site: SiteSettings | None,  # noqa: ARG003
    ) -> Iterable[Need]:
        """What the actor `id` needs of others: devices, controls, topics (bridge/needs.py)."""
        return ()

    @property
    def error(self) -> str | None:
        """What is wrong with this actor now, in one sentence."""
        return self._error

    async def live(self) -> None:
        """`run`, with its companions beside it; what one of them raises ends all of them."""
        if not self.companions:
            await self.run()
            return
        try:
            async with anyio.create_task_group() as tasks:
                for companion in self.companions:
                    tasks.start_soon(companion.run)
                await self.run()
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if len(group.exceptions) == 1:
                raise group.exceptions[0] from None
            raise

    async def make_safe(self) -> None:
        """`safe`, once the companions are."""
        try:
            for companion in self.companions:
                await companion.safe()
        finally:
            await self.safe()

    async def publish(self, pattern: str, value: Any, /, **params: str) -> bytes:
        """Publish on a declared topic; see Bus.publish."""
        return await self.bus.publish(pattern, value, **params)

    async def subscribe(
        self, pattern: str, handler: Handler, /, *, command: bool = False, **params: str
    ) -> None:
        """Hear a declared topic; see Bus.subscribe."""
        await self.bus.subscribe(pattern, handler, command=command, **params)

    async def input(self, pattern: str, /, *, max_age: float | None = None, **params: str) -> Input:
        """A port on one address: its newest good value and that value's age."""
        limit = max_age
        if limit is None:
            limit = self.contract.channel(pattern, **params).max_age or float("inf")
        port = Input(self.clock, limit)

        def take(message: Any) -> None:
            port.take(message)

        await self.bus.subscribe(pattern, take, command=False, **params)
        return port

    async def every(self, seconds: float) -> AsyncIterator[None]:
        """Tick at once and then each `seconds`; a late tick is not made up for.

        At once is when the connection has been tried: what a quicker tick says would be lost, and
        with it all of one interval.
        The supervisor takes an actor whose ticks stop coming for three intervals (`slowest_beat`
        at least) for hung and restarts it, unless `beat` tells of progress.
        """
        if self.ticks_after is not None:
            await self.ticks_after.wait()
        due = self.clock.now()
        patience = self._beat_patience = max(3 * seconds, self.slowest_beat)
        self._ticking = anyio.get_current_task().id
        try:
            while True:
                self.beat_due = self.clock.now() + patience
                yield
                due = max(due + seconds, self.clock.now())
                self.beat_due = due + patience
                await self.clock.sleep(due - self.clock.now())
        finally:
            self.beat_due = None

    def beat(self) -> None:
        """Tell that the work of this tick goes on; counts only from where the ticks are taken.

        What a companion does proves nothing about `run`.
        """
        if self.beat_due is not None and anyio.get_current_task().id == self._ticking:
            self.beat_due = max(self.beat_due, self.clock.now() + self._beat_patience)

    def stands(self, level: str) -> bool:
        """True while a message of this level was said in this life and not cleared."""
        return level in self._messages

    async def message(self, level: MessageLevel, text: str | None) -> None:
        """A line for people under `Messages/{level}`; None clears it (never needed twice)."""
        if text is None:
            if level not in self._messages:
                return
            self._messages.discard(level)
            await self.publish("Actors/{actor}/Messages/{Level}", None, actor=self.id, Level=level)
            return
        self._messages.add(level)
        line = f"{stamp(self.clock.utc())} {' '.join(text.split())}"
        await self.publish("Actors/{actor}/Messages/{Level}", line, actor=self.id, Level=level)

    async def health(self, error: str | None) -> None:
        """What is wrong with this actor in one sentence, or None when all is well."""
        error = None if error is None else one_line(error)
        if error == self._error:
            return
        self._error = error
        self._since = self.clock.utc()
        await self.publish_health()

    async def publish_health(self) -> None:
        """Publish state, since when, number of restarts and the error that stands."""
        await self.publish(
            "Actors/{actor}/Health",
            {
                "state": "degraded" if self._error else "ok",
                "since": stamp(self._since),
                "restarts": self.restarts,
                "error": self._error,
            },
            actor=self.id,
        )


def client_id(base: str, name: str) -> str:
    """The MQTT client id `{base}-{name}`; levels of the base are joined by `_`."""
    return f"{base.replace('/', '_')}-{name}"
