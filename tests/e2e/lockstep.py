"""A whole bridge in lock-step with a simulated house: real actors, real MQTT, time by hand.

The clock of the bridge stands still. A second of the simulated house begins when the clock is moved
on, what is due by then done, what the house says of that second sent, and everything that follows
from it heard: `quiet` lets a word pass along each way that a message may take, broker included.
So a slow machine takes longer and decides the same. What is proven is what the bridge does in
house time; how long a message or a decision takes is not (tests/e2e/test_life.py, `make bench`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from actors.distributor.policies import constants
from bridge.clock import Clock, stamp, stamp_ms
from bridge.contract import load_contract
from bridge.simulate.house import play
from bridge.supervisor import Supervisor
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bridge.actor import Actor
    from bridge.config import Config
    from bridge.mqtt import Connection, Incoming
    from bridge.simulate.meter import Reading
    from bridge.simulate.policy import Known, Report
    from bridge.simulate.record import Record
    from bridge.simulate.scenario import Scenario
    from bridge.simulate.weather import Weather
    from tests.runtime.links import Link

_BEGIN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
_BIRTH = 1000.0
_LIMIT = 60.0
_ALIVE = 10
_ALLOWANCES = "heliograph/Requests/+/Allowance"
# The ways of a measurement, from whoever speaks of it first to the allowance that it makes.
_CHAIN = ("house", "site", "distributor")


class ByHand(Clock):
    """Time that moves only when it is told to; everybody who waits for it is known."""

    def __init__(self) -> None:
        self.moment = _BIRTH
        self._asleep: dict[int, tuple[float, anyio.CancelScope, anyio.Event]] = {}
        self._awake: set[asyncio.Task[Any]] = set()
        self._numbers = itertools.count()

    def now(self) -> float:
        return self.moment

    def utc(self) -> datetime:
        return _BEGIN + timedelta(seconds=self.moment - _BIRTH)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
        else:
            await self.wait(anyio.Event(), seconds)

    async def wait(self, event: anyio.Event, seconds: float) -> bool:
        task = asyncio.current_task()
        assert task is not None
        self._awake.discard(task)
        number = next(self._numbers)
        try:
            with anyio.CancelScope() as scope:
                self._asleep[number] = (self.moment + max(0.0, seconds), scope, event)
                await event.wait()
        finally:
            del self._asleep[number]
            self._awake.add(task)
        return event.is_set()

    @property
    def resting(self) -> bool:
        """Whether everybody who was woken has done its work and waits again."""
        self._awake = {task for task in self._awake if not task.done()}
        roused = (
            event.is_set() or scope.cancel_called for _, scope, event in self._asleep.values()
        )
        return not self._awake and not any(roused)

    async def settle(self) -> None:
        """Wait until nobody works."""
        with anyio.fail_after(_LIMIT):
            while not self.resting:
                await anyio.lowlevel.checkpoint()

    async def advance(self, moment: float) -> None:
        """Move on, waking each at its time."""
        while (due := min((one[0] for one in self._asleep.values()), default=math.inf)) <= moment:
            self.moment = max(self.moment, due)
            for at, scope, _ in self._asleep.values():
                if at <= self.moment:
                    scope.cancel()
            await self.settle()
        self.moment = moment


class Fence:
    """A word that follows all others to one receiver; `passed` when it has come through."""

    def __init__(self, name: str) -> None:
        self.topic = f"fence/{name}"
        self._sent: deque[anyio.Event] = deque()

    def send(self, connection: Connection) -> anyio.Event:
        """Send it over a connection, behind what that one has sent before."""
        assert connection.send(self.topic, b"", qos=1)
        self._sent.append(anyio.Event())
        return self._sent[-1]

    def hear(self, message: Incoming) -> None:
        """It has come."""
        assert message.topic == self.topic
        self._sent.popleft().set()


class LiveHouse:
    """The bridge and the house's own client; `second` is what the simulated house calls."""

    def __init__(self, supervisor: Supervisor, clock: ByHand, mine: Link) -> None:
        self.clock, self.begin = clock, 0.0
        self.allowances: dict[str, float] = {}
        self.heard: dict[str, list[float]] = {}
        self._supervisor, self._link = supervisor, mine
        self._fences = {name: Fence(name) for name in (*_CHAIN, "us")}
        self._said: dict[str, tuple[float, float, int]] = {}

    def _actor(self, name: str) -> Actor:
        actor = self._supervisor.runners[name].actor
        assert actor is not None
        return actor

    async def start(self, prices: Sequence[tuple[float, float]]) -> None:
        """Wait until everybody listens; `prices`: import and export by minute from the begin on."""
        await self._supervisor.started.wait()
        for name in _CHAIN:
            await self._supervisor.connected(name)
            await self._actor(name).bus.listen(f"fence/{name}", self._fences[name].hear)
        await self.clock.settle()
        self.begin = self.clock.moment + 5
        self.say("Tariffs/market/Curve", json.dumps(self._curve(prices)), retain=True)
        await self.quiet()

    def _curve(self, prices: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
        first = _BEGIN + timedelta(seconds=self.begin - _BIRTH)
        moments = [stamp(first + timedelta(minutes=minute)) for minute in range(len(prices) + 1)]
        return [
            {"start": start, "end": end, "import": bought, "export": sold}
            for (start, end), (bought, sold) in zip(
                itertools.pairwise(moments), prices, strict=True
            )
        ]

    def say(self, address: str, payload: object, *, retain: bool = False) -> None:
        """As a small client does."""
        raw = str(payload).encode()
        assert self._link.connection.send(f"heliograph/{address}", raw, retain=retain)

    async def second(
        self, second: int, reading: Reading | None, reports: Sequence[Report], known: Known
    ) -> dict[str, float]:
        """Live through one second; the allowances that changed."""
        before = dict(self.allowances)
        await self.clock.advance(self.begin + second)
        if reading is not None:
            self._measure(reading)
        for report in reports:
            self._report(second, report, known)
        await self.quiet()
        return {
            name: watts for name, watts in self.allowances.items() if watts != before.get(name, 0.0)
        }

    def _measure(self, reading: Reading) -> None:
        state: dict[str, Any] = {"at": stamp_ms(self.clock.utc())}
        state |= {"GridPower": round(reading.grid, 2), "PvPower": round(reading.pv, 2)}
        if reading.soc is not None:
            state |= {"BatteryPower": round(reading.battery, 2), "BatterySoc": reading.soc}
        self.say("Devices/house/State", json.dumps(state))

    def _report(self, second: int, report: Report, known: Known) -> None:
        """What is new at once, and every ten seconds that it lives."""
        name, drawn, wanted = report
        fields: dict[str, Any] = {"Consumption": drawn, "Request": wanted}
        said = self._said.get(name)
        if said is None:
            fields |= constants(next(one for one in known.consumers if one.id == name))
        elif said[:2] == (drawn, wanted) and second < said[2] + _ALIVE:
            return
        self._said[name] = (drawn, wanted, second)
        for field, value in fields.items():
            self.say(f"Requests/{name}/{field}", value)

    async def quiet(self) -> None:
        """Wait until everything that was said has been heard, decided about and answered."""
        with anyio.fail_after(_LIMIT):
            passed = [self._fences[name].send(self._link.connection) for name in _CHAIN]
            for event in passed:
                await event.wait()
            for sender, receiver in itertools.pairwise((*_CHAIN, "us")):
                actor = self._actor(sender)
                while actor.bus.waiting or not self.clock.resting:
                    await anyio.lowlevel.checkpoint()
                await self._fences[receiver].send(actor.bus.connection).wait()
        self._read()

    def _read(self) -> None:
        for message in self._link.got:
            if message.topic == "fence/us" or not message.payload:
                continue
            name = message.topic.split("/")[2]
            self.allowances[name] = float(message.payload)
            self.heard.setdefault(name, []).append(self.clock.moment - self.begin)
        self._link.got.clear()

    def hear_fence(self) -> None:
        """Let our own fence be told at once, the messages before it waiting in the link."""
        receive = self._link.got.append

        def take(message: Incoming) -> None:
            receive(message)
            if message.topic == "fence/us":
                self._fences["us"].hear(message)

        self._link.connection._receive = take


@contextlib.asynccontextmanager
async def live_house(config: Config, port: int) -> AsyncIterator[LiveHouse]:
    """The bridge of a configuration in this process, on the broker at `port`."""
    clock = ByHand()
    supervisor = Supervisor(config, endpoint(port), load_contract(), clock)
    async with (
        link(endpoint(port), "the-house", filters=(_ALLOWANCES, "fence/us")) as mine,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(supervisor.run)
        house = LiveHouse(supervisor, clock, mine)
        house.hear_fence()
        yield house
        supervisor.stop()


@dataclass(slots=True)
class OverMqtt:
    """The policy of a simulated house that asks the live one; called in a thread of its own."""

    house: LiveHouse
    known: Known
    wake: float = 0.0
    decide_calls: int = 0
    decide_s: float = 0.0

    @property
    def reasons(self) -> Mapping[str, str]:
        """Told elsewhere."""
        return {}

    def step(
        self, second: int, reading: Reading | None, reports: Sequence[Report]
    ) -> Mapping[str, float] | None:
        """Each second, whether anything has become visible or not."""
        self.wake = second + 1
        given: dict[str, float] = anyio.from_thread.run(
            self.house.second, second, reading, reports, self.known
        )
        return given


async def play_live(house: LiveHouse, scenario: Scenario, weather: Weather) -> Record:
    """The scenario with the live bridge as its distributor."""
    await house.start(list(zip(weather.import_price, weather.export_price, strict=True)))
    return await anyio.to_thread.run_sync(
        play, scenario, weather, lambda known: OverMqtt(house, known)
    )
