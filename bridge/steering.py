"""What services that steer a battery share: fresh inputs, the owner's switch, sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.actor import Actor
    from bridge.bus import Message
    from bridge.ports import Input

_SAY_EVERY = 60.0
_NO_CAR = 180.0


class Balance:
    """`Site/Balance`: one coherent measurement of the house, at most 8 s old."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._port: Input | None = None

    async def start(self) -> None:
        """Listen."""
        self._port = await self._actor.input("Site/Balance")

    @property
    def age(self) -> float:
        """Seconds that the grid meter's reading in it is old; infinite before the first."""
        reading = self._port.read() if self._port else None
        if reading is None or not isinstance(reading.value, dict):
            return math.inf
        return reading.age + float(reading.value.get("age") or 0.0)

    def read(self, *names: str) -> tuple[dict[str, float], str | None]:
        """The known ones of `names`, and one sentence when one of them is not known."""
        if self._port is None:
            return {}, "the site was not heard yet"
        reading = self._port.read()
        if not isinstance(reading.value, dict):
            return {}, "the site has not told its balance yet"
        if not reading.age <= reading.max_age:
            return {}, f"the site has told no balance for {_seconds(reading.age)}"
        if not (age := self.age) <= reading.max_age:
            # The site speaks, but what it knows of the grid is old: it says itself why.
            return {}, reading.value.get("why") or f"the grid's value is {_seconds(age)} old"
        found = {name: reading.value[name] for name in names if reading.value[name] is not None}
        if len(found) == len(names):
            return found, None
        missing = ", ".join(name for name in names if name not in found)
        return found, reading.value.get("why") or f"the site does not know {missing}"


class DeviceValue:
    """One quantity of a device, out of its `State`; unknown once its max age has passed."""

    def __init__(self, actor: Actor, device: str, quantity: str) -> None:
        self._actor, self.device, self.quantity = actor, device, quantity
        self._max_age = actor.contract.quantity(quantity).max_age or math.inf
        self._value: float | None = None
        self._at: float | None = None
        self._status: str | None = None

    async def start(self) -> None:
        """Listen."""
        subscribe = self._actor.subscribe
        await subscribe("Devices/{device}/State", self._on_state, device=self.device)
        await subscribe("Devices/{device}/Status", self._on_status, device=self.device)
        # An external device may have plain topics alone.
        pattern = "Devices/{device}/{Quantity}"
        await subscribe(pattern, self._on_plain, device=self.device, Quantity=self.quantity)

    def read(self) -> tuple[float | None, str | None]:
        """The value, or None and one sentence why it is not known."""
        if self._status == "offline":
            return None, f"{self.device} is offline"
        if self._at is None:
            return None, f"{self.device} has not told its {self.quantity} yet"
        age = self._actor.clock.now() - self._at
        if age > self._max_age:
            return None, f"{self.device} is silent for {_seconds(age)}"
        if self._value is None:
            return None, f"{self.device} does not know its {self.quantity}"
        return self._value, None

    def _on_state(self, message: Message) -> None:
        if message.retained or message.error is not None or not isinstance(message.value, dict):
            return
        if self.quantity in message.value:
            self._take(message.value[self.quantity], message.at)

    def _on_plain(self, message: Message) -> None:
        if not message.retained and message.error is None:
            self._take(message.value, message.at)

    def _take(self, value: Any, at: float) -> None:
        self._value = float(value) if isinstance(value, (int, float)) else None
        self._at = at
        # A live reading is newer than any `offline` heard before it.
        self._status = None

    def _on_status(self, message: Message) -> None:
        if isinstance(message.value, str):
            self._status = message.value


class Car(DeviceValue):
    """The power of a charger, W; 0 for three minutes after it said that no car is there.

    A charger that hibernates is silent meanwhile, and looks for a car once a minute.
    """

    _gone_at: float | None = None

    def __init__(self, actor: Actor, device: str) -> None:
        super().__init__(actor, device, "Power")

    def read(self) -> tuple[float | None, str | None]:
        """The power, or None and one sentence why it is not known."""
        value, why = super().read()
        gone = self._gone_at
        if value is not None or gone is None or self._status == "offline":
            return value, why
        return (0.0, None) if self._actor.clock.now() - gone <= _NO_CAR else (None, why)

    def _on_state(self, message: Message) -> None:
        super()._on_state(message)
        if message.retained or message.error is not None or not isinstance(message.value, dict):
            return
        if "VehicleState" in message.value:
            gone = message.value["VehicleState"] == "disconnected"
            self._gone_at = message.at if gone else None


class Owner:
    """A relay, `Devices/{id}/Switch`, by which the owner turns a service off."""

    def __init__(self, actor: Actor, device: str | None) -> None:
        self._actor, self._device = actor, device
        self._on: bool | None = None
        self._status: str | None = None

    async def start(self) -> None:
        """Listen; its state is told once and stands, so a retained one counts."""
        if self._device is None:
            return
        subscribe, device = self._actor.subscribe, self._device
        await subscribe("Devices/{device}/Status", self._on_status, device=device)
        pattern = "Devices/{device}/{Control}"
        await subscribe(pattern, self._on_switch, device=device, Control="Switch")

    def read(self) -> tuple[bool | None, str | None]:
        """True without a switch; None and one sentence while it is not known."""
        if self._device is None:
            return True, None
        if self._status == "offline":
            return None, f"the switch {self._device} is offline"
        if self._on is None:
            return None, f"the state of the switch {self._device} is not known"
        return self._on, None

    def _on_switch(self, message: Message) -> None:
        if message.error is None:
            self._on = message.value if isinstance(message.value, bool) else None

    def _on_status(self, message: Message) -> None:
        if isinstance(message.value, str):
            self._status = message.value


class Speaker:
    """Says what a service does and what is wrong, without filling the broker with numbers."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._code: str | None = None
        self._text: str | None = None
        self._at = -math.inf
        self._trouble: str | None = None

    async def say(
        self, sentence: str, code: str, trouble: str | None, *, why: str | None = None
    ) -> None:
        """`sentence` at once when `code` is new, else once a minute; `trouble` into the health.

        why: what keeps the control from being what it should; it is said instead.
        """
        if why is not None:
            sentence, code, trouble = why, f"not held: {_subject(why)}", trouble or why
        now = self._actor.clock.now()
        late = now - self._at >= _SAY_EVERY
        if code != self._code or (sentence != self._text and late):
            self._code, self._text, self._at = code, sentence, now
            await self._actor.message("Operational", sentence)
        # The seconds in a sentence count on; the news is what is silent, not for how long.
        subject = _subject(trouble) if trouble else None
        if subject != self._trouble:
            self._trouble = subject
            await self._actor.message("Warning", trouble)
            await self._actor.health(trouble)


def _subject(sentence: str) -> str:
    return sentence.partition(" for ")[0]


def _seconds(age: float) -> str:
    return f"{age:.0f} s" if math.isfinite(age) else "an unknown time"
