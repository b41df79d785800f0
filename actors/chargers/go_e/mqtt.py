"""Hears what a go-e charger publishes on our broker, and writes to it there.

`topic/serial/key`, one key each, retained; older firmware puts a slash in front. A value that the
broker has kept is of unknown age: the status counts only while the charger is heard live, and what
it measures only once that itself was.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.chargers.go_e import decode
from bridge.charging import goe_keys as goe
from bridge.errors import DeviceRefused, DeviceTimeout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.bus import Bus
    from bridge.clock import Clock
    from bridge.mqtt import Incoming

SILENCE: Final = 30.0
_MEASURED: Final = frozenset({"nrg"})
_MOST_KEYS: Final = 1000
_HINT: Final = "is MQTT switched on in the go-e app, with this broker?"


class Mqtt:
    """One charger of that `serial` below `topic`. `changes` counts what was heard live."""

    def __init__(
        self, bus: Bus, clock: Clock, *, serial: str, topic: str, timeout: float, silence: float
    ) -> None:
        self.name = f"the go-e charger {serial}"
        self.timeout, self.silence = timeout, silence
        self.changes = 0
        self._bus, self._clock = bus, clock
        self._own = f"{topic}/{serial}/"
        self._base = self._own
        self._keys: dict[str, Any] = {}
        self._live: set[str] = set()
        self._heard = -math.inf
        self._result: tuple[str, bytes] | None = None
        self._news = anyio.Event()
        self._setting = anyio.Lock()

    async def listen(self) -> None:
        """Hear the charger from now on, with and without the slash of older firmware."""
        for slash in ("", "/"):
            await self._bus.listen(f"{slash}{self._own}#", self._on_message)

    @property
    def known(self) -> Mapping[str, Any]:
        """All keys as they were told last."""
        return self._keys

    async def news(self, after: int) -> int:
        """Wait for something live beyond the number `after`; give the new number."""
        while self.changes <= after:
            await self._news.wait()
        return self.changes

    async def close(self) -> None:
        """Nothing is open: the connection is the bridge's own."""

    # ---------------------------------------------------------------- reading

    async def keys(self) -> Mapping[str, Any]:
        """All keys as they are now. Raises DeviceTimeout."""
        if not self._bus.connection.connected.is_set():
            raise DeviceTimeout(f"{self.name} is heard over the broker, which is not connected")
        with anyio.move_on_after(self.timeout):
            while not self._fresh:
                await self._news.wait()
        if not self._fresh:
            raise DeviceTimeout(f"{self.name} publishes nothing under {self._own}: {_HINT}")
        return self._keys

    @property
    def _fresh(self) -> bool:
        return self._clock.now() - self._heard < self.silence and "car" in self._keys

    def _on_message(self, message: Incoming) -> None:
        base, found, rest = message.topic.partition(self._own)
        if not found or base not in {"", "/"}:
            return
        key, _, what = rest.partition("/")
        if what:
            if what == "result" and not message.retained:
                self._result = (key, message.payload)
                self._tell()
            return
        try:
            value = decode.parse(message.payload)
        except (ValueError, RecursionError):
            return
        if key not in self._keys and len(self._keys) >= _MOST_KEYS:
            return
        if message.retained:
            if key not in _MEASURED:
                self._keys[key] = value
            return
        self._base = message.topic.removesuffix(rest)
        self._keys[key] = value
        self._heard = self._clock.now()
        self.changes += 1
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, anyio.Event()
        news.set()

    # ---------------------------------------------------------------- writing

    async def set(self, key: str, value: int) -> None:
        """Set one key, and wait until the charger publishes it. Raises DeviceError."""
        async with self._setting:
            await self.keys()
            if goe.flag(self._keys.get("mcr")) is True:
                sentence = "takes no commands over MQTT: switch writing on in the go-e app"
                raise DeviceRefused(f"{self.name} {sentence}")
            self._result = None
            topic, payload = f"{self._base}{key}/set", json.dumps(value).encode()
            self._bus.publish_raw(topic, payload, qos=1, retain=False)
            with anyio.move_on_after(self.timeout):
                while not self._done(key, value):
                    await self._news.wait()
                return
        raise DeviceTimeout(
            f"{self.name} did not show {key} {value} within {self.timeout:g} s:"
            " is writing over MQTT switched on in the go-e app?"
        )

    def _done(self, key: str, value: int) -> bool:
        """Whether the charger shows it. Raises DeviceRefused when it says no."""
        if self._result is not None and self._result[0] == key:
            wrong = decode.result(self._result[1])
            if wrong is not None:
                raise DeviceRefused(f"{self.name} refuses to set {key} to {value} ({wrong})")
        return goe.whole(self._keys.get(key)) == value
