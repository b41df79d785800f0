"""A relay and its shell in virtual time: the real code, without a broker. One tick is a second."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from bridge.bus import Message
from bridge.clock import Clock
from bridge.consuming.request import Allowance
from bridge.errors import DeviceTimeout
from bridge.log import get_logger
from bridge.switching.companion import Switching
from bridge.switching.model import Plan, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.config.settings import ConsumerSettings
    from bridge.switching.model import Decision

REQUEST = 2000.0
_BEGIN = datetime(2026, 11, 21, 12, tzinfo=UTC)


class VirtualClock(Clock):
    def __init__(self) -> None:
        self.at = 1000.0
        self.astray = 0.0

    def now(self) -> float:
        return self.at

    def utc(self) -> datetime:
        return _BEGIN + timedelta(seconds=self.at + self.astray)


@dataclass
class Memory:
    """The state folder: what outlives a kill."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def load(self, name: str) -> dict[str, Any] | None:
        return self.files.get(name)

    def save(self, name: str, content: dict[str, Any]) -> bool:
        self.files[name] = dict(content)
        return True


@dataclass
class Relay:
    """A relay that can be pressed, and that can fail in every way. `by`: who switched it last."""

    clock: VirtualClock
    timer: float | None = 60.0
    on: bool = False
    by: str = "nobody"
    away: bool = False  # nothing arrives and nothing comes back
    mute: bool = False  # it follows, but the answer to a command is lost
    stubborn: bool = False  # it answers, and stays as it is
    blind: bool = False  # it does not say what it is
    power: float | None = None  # what its meter shows when on; None: no meter
    writes: list[tuple[float, bool]] = field(default_factory=list)
    until: float | None = None
    on_move: Callable[[str, bool], None] = lambda by, on: None

    def move(self, on: bool, by: str) -> None:
        self.until = None
        if on is not self.on:
            self.on, self.by = on, by
            self.on_move(by, on)

    def press(self) -> None:
        self.move(not self.on, "person")

    def step(self) -> None:
        if self.until is not None and self.clock.at >= self.until:
            self.move(on=False, by="timer")

    def seen(self) -> Seen:
        power = None if self.power is None else self.power if self.on else 0.0
        return Seen(None if self.blind else self.on, power, self.clock.at)

    async def read(self) -> Seen:
        if self.away:
            raise DeviceTimeout("the relay does not answer")
        return self.seen()

    async def switch(self, *, on: bool, timer: float | None) -> bool | None:
        if self.away:
            raise DeviceTimeout("the relay does not answer")
        self.writes.append((self.clock.at, on))
        if not self.stubborn:
            self.move(on, "us")
            self.until = self.clock.at + timer if timer and on else None
        if self.mute:
            raise DeviceTimeout("the relay does not answer")
        return None if self.blind else self.on


class FakeActor:
    """As much of an actor as the shell needs; what it says is kept."""

    def __init__(
        self, clock: VirtualClock, memory: Memory, rule: ConsumerSettings | None = None
    ) -> None:
        self.config = SimpleNamespace(consumers={} if rule is None else {"pump": rule})
        self.id, self.clock, self.state, self.restarts = "pump", clock, memory, 0
        self.log = get_logger("test")
        self.online = True
        connected = SimpleNamespace(is_set=lambda: self.online)
        self.bus = SimpleNamespace(announcers=[], connection=SimpleNamespace(connected=connected))
        self.asked: dict[str, Any] = {}
        self.said: list[str] = []
        self.warnings: dict[str, str] = {}

    async def publish(self, _: str, value: dict[str, Any], **__: str) -> bytes:
        self.asked |= value
        return b""

    async def message(self, _: str, text: str | None) -> None:
        self.said.append(text or "")

    async def warn(self, key: str, text: str | None) -> None:
        self.warnings.pop(key, None)
        if text is not None:
            self.warnings[key] = text


@dataclass
class Rig:
    """`tick` is one second; `kill` and `start` are of the bridge."""

    plan: Plan = field(default_factory=lambda: Plan(request=REQUEST))
    clock: VirtualClock = field(default_factory=VirtualClock)
    memory: Memory = field(default_factory=Memory)
    rule: ConsumerSettings | None = None
    distributor: bool = True
    allowed: float | None = 0.0
    allowed_at: float = 0.0

    def __post_init__(self) -> None:
        self.relay = Relay(self.clock)
        self.shell: Switching | None = None
        self.actor = FakeActor(self.clock, self.memory)

    @property
    def now(self) -> float:
        return self.clock.at - 1000.0

    @property
    def decision(self) -> Decision:
        assert self.shell is not None
        assert self.shell.decision is not None
        return self.shell.decision

    def start(self) -> None:
        self.actor = FakeActor(self.clock, self.memory, self.rule)
        self.shell = Switching(
            cast("Any", self.actor),
            self.relay,
            self.plan,
            consumer="pump",
            name="Pump",
            interval=1.0,
        )
        self.shell.hearing.distributor = self.distributor

    def kill(self) -> None:
        self.shell = None

    async def stop(self) -> None:
        assert self.shell is not None
        await self.shell.safe()
        self.shell = None

    async def tick(self) -> None:
        self.clock.at += 1.0
        self.relay.step()
        shell = self.shell
        if shell is None:
            return
        if self.allowed is not None and self.distributor and self.clock.at >= self.allowed_at:
            shell.hearing.allowance = Allowance(self.allowed, self.clock.at)
            self.allowed_at = self.clock.at + 10
        if not self.relay.away:
            shell.take(self.relay.seen())
        await shell.step()

    def allow(self, watts: float | None) -> None:
        """`None`: from now on nothing is heard any more."""
        self.allowed, self.allowed_at = watts, self.clock.at

    def tell_distributor(self, *, online: bool) -> None:
        self.distributor = online
        if self.shell is not None and self.shell.hearing.distributor is not online:
            self.shell.hearing.distributor, self.shell.hearing.allowance = online, None
            self.allowed_at = self.clock.at

    def owner(self, payload: Any, *, retained: bool = False) -> None:
        """The owner's word on IsAutomatic."""
        assert self.shell is not None
        address = "Requests/pump/IsAutomatic/Set"
        self.shell._on_owner(
            Message(address, {}, None, b"", retained=retained, at=self.clock.at, value=payload)
        )

    async def control(self, value: bool | None) -> bool | None:
        assert self.shell is not None
        return await self.shell.by_control(value)
