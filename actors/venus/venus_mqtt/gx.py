"""The connection to a GX's broker: finds its portal id, keeps it publishing, reads and writes.

Nothing is subscribed to but what is used. Writes are answered by nobody: each is followed by a
question for the value, and what comes then is the read-back.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Final

import anyio
import msgspec

from actors.venus.venus_mqtt.decode import Gone, number
from actors.venus.venus_mqtt.heard import Heard
from actors.venus.venus_mqtt.keepalive import Keepalive
from actors.venus.venus_mqtt.paths import POWERS, SERIAL
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.mqtt import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from structlog.typing import FilteringBoundLogger

    from actors.venus.venus_mqtt.decode import Found
    from bridge.clock import Clock
    from bridge.http.pin import Pin
    from bridge.mqtt import Endpoint, Incoming

FRESH: Final = 4.5
"""s: a heartbeat comes every 3 s; without one for longer, what was heard may not be true now."""
_PING: Final = 3.5
# A GX delays the refusal of a wrong password by up to 6 s.
_LOGIN_PATIENCE: Final = 8.0
_SERIALS: Final = f"N/+/{SERIAL}"
_ASK_AGAIN: Final = 1.0
_LOOK: Final = 0.05


class Quiet(DeviceTimeout):
    """No sign of life for a moment; it may be nothing."""


class Gx:
    """One GX. `paths`: what is wanted of it, behind `N/{portal id}/`; `+` is any level.

    `heard(path, payload)` is told of every message; it must not wait. Values are those of the
    present session: nothing that was heard before a reconnect counts.
    """

    def __init__(  # noqa: PLR0913 - one place where it is put together
        self,
        endpoint: Endpoint,
        client_id: str,
        *,
        clock: Clock,
        log: FilteringBoundLogger,
        timeout: float,
        silence: float,
        paths: Sequence[str],
        portal: str | None = None,
        pin: Pin | None = None,
        heard: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self.name = f"the GX at {endpoint.host}"
        self.timeout, self.silence = timeout, silence
        self.keepalive = Keepalive(silence=silence)
        self._said = Heard(self.keepalive, portal)
        self._wanted, self._heard = tuple(paths), heard
        self._given = portal is not None
        self._clock, self._log, self._pin = clock, log, pin
        self._endpoint = endpoint
        self._connection = Connection(
            endpoint,
            client_id,
            log=log,
            receive=self._on_message,
            announce=self._connected,
            patience=max(timeout, _LOGIN_PATIENCE),
        )
        self._running = False
        self._why: str | None = None
        self._since = 0.0
        self._news = anyio.Event()
        self._writing = anyio.Lock()

    @property
    def portal(self) -> str | None:
        """Its portal id, once that is known."""
        return self._said.portal

    @property
    def values(self) -> Mapping[str, Found]:
        """What was heard in this session, by path."""
        return self._said.values

    # ---------------------------------------------------------------- life

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Be connected inside the block; a block inside another, or beside it, shares its link.

        The outer block must be the last to end.
        """
        if self._running:
            yield
            return
        failed: DeviceError | None = None
        self._running = True
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._live)
                try:
                    yield
                except DeviceError as error:
                    failed = error  # not as part of a group
                tasks.cancel_scope.cancel()
        finally:
            self._running = False
        if failed is not None:
            raise failed

    async def _live(self) -> None:
        await self._trust()
        await self._connection.subscribe([(_SERIALS, 0)])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._connection.run)
            tasks.start_soon(self._keep)

    async def _trust(self) -> None:
        """Learn which certificate counts, however long it takes."""
        while self._pin is not None and self._endpoint.pin is None:
            try:
                self._endpoint.pin = await self._pin.digest()
            except DeviceError as error:
                self._why = str(error)
                self._tell()
                await self._clock.sleep(self.timeout)
            else:
                self._why = None
                if self._pin.new:
                    self._log.info(f"{self.name}: its certificate counts now")

    async def _connected(self) -> None:
        """A new session: what was heard before may have changed, and the GX may be another."""
        self._said.begin()
        self._since = self._clock.now()
        self.keepalive.connected(self._since)
        self._tell()

    async def _keep(self) -> None:
        """Subscribe once the portal id is known, and send keepalives."""
        subscribed: str | None = None
        asked = 0.0
        while True:
            if self.portal is not None and self._connection.is_connected:
                if subscribed != self.portal:
                    subscribed = self.portal
                    await self._connection.subscribe(self._filters(subscribed))
                now = self._clock.now()
                payload = self.keepalive.due(now)
                if payload is not None:
                    self._connection.send(f"R/{self.portal}/keepalive", payload)
                if now >= asked + _PING and self.keepalive.age(now) >= _PING:
                    # dbus-mqtt has no heartbeat: an answer is a sign of life too.
                    asked = now
                    self.ask(SERIAL)
                counts = next((p for p in POWERS if number(self.values.get(p)) is not None), None)
                if counts is not None and self.keepalive.question_due(now):
                    # Heartbeats come from another program on the GX than the values do.
                    self.ask(counts)
            with anyio.move_on_after(0.2):
                await self._news.wait()

    def _filters(self, portal: str) -> list[tuple[str, int]]:
        extra = ("heartbeat", "keepalive", "full_publish_completed")
        return [(f"N/{portal}/{path}", 0) for path in dict.fromkeys((*extra, *self._wanted))]

    # ---------------------------------------------------------------- what comes

    def _on_message(self, message: Incoming) -> None:
        topic, payload = message.topic, message.payload
        path = self._said.take(topic, payload, self._clock.now(), retained=message.retained)
        if path is not None and self._heard is not None:
            self._heard(path, payload)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, anyio.Event()
        news.set()

    # ---------------------------------------------------------------- reading

    async def reading(self) -> Mapping[str, Found]:
        """All values as they are now. Raises DeviceError, Quiet among them."""
        with anyio.move_on_after(self.timeout):
            asked = False
            while not self._ready() and self._promising:
                waited = self._clock.now() - self._since
                if self._askable and not asked and waited > self.timeout / 3:
                    # Full publishes are limited to three in a second, single answers are not.
                    asked = True
                    for path in POWERS:
                        self.ask(path)
                with anyio.move_on_after(_LOOK):
                    await self._news.wait()
        self._check()
        return self.values

    def _ready(self) -> bool:
        if not self._connection.is_connected or not self._fresh:
            return False
        if self.keepalive.complete:
            return True
        waited = self._clock.now() - self._since
        return waited > self.timeout / 2 and any(path in self.values for path in POWERS)

    @property
    def _promising(self) -> bool:
        """Worth waiting for: the first session, or one that is still young."""
        if self._why is not None or self._refused:
            return False
        if not self._connection.is_connected:
            return self._connection.sessions == 0
        return self._clock.now() - self._since <= self.timeout

    @property
    def silent(self) -> bool:
        """True while it is connected to and has been silent for longer than is borne."""
        now = self._clock.now()
        age = max(self.keepalive.age(now), self.keepalive.mute(now))
        return self._connection.is_connected and self.silence < age < math.inf

    @property
    def _fresh(self) -> bool:
        return self.keepalive.age(self._clock.now()) <= min(FRESH, self.silence)

    @property
    def _refused(self) -> bool:
        return (self._connection.why or "").startswith("it refuses")

    def _check(self) -> None:
        """Raise DeviceError unless there is something to believe."""
        if self._why is not None:
            raise DeviceTimeout(self._why)
        if not self._connection.is_connected:
            why = self._connection.why or "it does not answer"
            refused = self._refused or "certificate" in why
            raise (DeviceRefused if refused else DeviceTimeout)(f"{self.name}: {why}")
        if self.portal is None:
            raise DeviceTimeout(
                f"{self.name} shows no portal id: is MQTT switched on there, and is it a GX?"
            )
        self.check_alone()
        age = self.keepalive.age(self._clock.now())
        if age > self.silence:
            words = f"has given no sign of life for {self.silence:g} s"
            asked = f"is silent about the portal id {self.portal}: is it that of this GX?"
            unheard = age == math.inf and self._given
            raise DeviceTimeout(f"{self.name} {asked if unheard else words}")
        if not self._fresh:
            raise Quiet(f"{self.name} has given no sign of life for {age:.0f} s")
        found = [self.values.get(path) for path in POWERS]
        if any(number(each) is not None for each in found):
            self._check_values()
            return
        if any(each is not None and not isinstance(each, Gone) for each in found):
            raise DeviceGarbled(f"{self.name} sends texts where numbers should be")
        if Gone.GARBLED in found:
            raise DeviceGarbled(f"{self.name} sends what no GX sends")
        if Gone.NULL in found:
            raise DeviceTimeout(f"{self.name} knows nothing of its system yet")
        raise DeviceTimeout(f"{self.name} lives, but publishes no values of its system")

    def _check_values(self) -> None:
        """Raise DeviceError when values have stood still and no question was answered."""
        age = self.keepalive.mute(self._clock.now())
        if age > self.silence:
            raise DeviceTimeout(
                f"{self.name} lives, but has published no value for {self.silence:g} s"
                " and answers no question for one: start it again"
            )
        if age > FRESH:
            raise Quiet(f"{self.name} has published no value for {age:.0f} s")

    def check_alone(self) -> None:
        """Raise DeviceRefused when it is not certain which GX is meant."""
        if self._said.others and self.portal is not None:
            each = ", ".join(sorted({self.portal, *self._said.others}))
            raise DeviceRefused(
                f"several GX meet at the broker {self._endpoint.host}:"
                f" say with `portal_id` which one is meant ({each})"
            )

    async def ready(self) -> None:
        """Wait until it can be asked. Raises DeviceError."""
        with anyio.move_on_after(self.timeout):
            while not self._askable and not self._refused:
                with anyio.move_on_after(_LOOK):
                    await self._news.wait()
        if not self._askable:
            self._check()
            raise DeviceTimeout(f"{self.name} does not answer")

    @property
    def _askable(self) -> bool:
        return self.portal is not None and self._connection.is_connected

    def ask(self, path: str) -> None:
        """Have one value published again."""
        self._connection.send(f"R/{self.portal}/{path}", b"")

    async def read(self, path: str) -> Found:
        """One value, asked for now. Raises DeviceError."""
        await self.ready()
        return await self._answer(path, lambda _: True)

    async def _answer(self, path: str, good: Callable[[Found], bool]) -> Found:
        """What comes on a path from now on; the last that came when none of it is good."""
        before = self._said.counts.get(path, 0)
        found: Found | None = None
        with anyio.move_on_after(self.timeout):
            while True:
                self.ask(path)
                with anyio.move_on_after(_ASK_AGAIN):
                    while True:
                        if self._said.counts.get(path, 0) > before and path in self.values:
                            before, found = self._said.counts[path], self.values[path]
                            if good(found):
                                return found
                        await self._news.wait()
        if found is None:
            raise DeviceTimeout(f"{self.name} does not answer to a question for {path}")
        return found

    # ---------------------------------------------------------------- writing

    async def write(self, path: str, value: float | None, *, whole: bool = False) -> float | None:
        """Write and give what the GX has then; None is null, `whole` an integer to its D-Bus.

        Raises DeviceError.
        """
        async with self._writing:
            await self.ready()
            sent = value if value is None or not whole else round(value)
            payload = msgspec.json.encode({"value": sent})
            if not self._connection.send(f"W/{self.portal}/{path}", payload, qos=1):
                raise DeviceTimeout(f"{self.name} was lost before {path} could be written")

            def good(found: Found) -> bool:
                now = number(found)
                if value is None or now is None:
                    return value is now
                return abs(now - value) < 0.01  # noqa: PLR2004 - a float of 32 bit, rounded

            return number(await self._answer(path, good))
