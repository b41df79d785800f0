"""The actor of a switch behind MQTT topics: hears it and switches it. It decides nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from actors.consumers.mqtt_switch.hearing import Told
from actors.consumers.mqtt_switch.settings import Settings
from bridge.device import Device
from bridge.errors import DeviceError, DeviceRefused, DeviceTimeout
from bridge.needs import Word
from bridge.switching.companion import switching

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.actor import Context
    from bridge.config import SiteSettings
    from bridge.mqtt import Incoming
    from bridge.needs import Need
    from bridge.switching.model import Seen

_BEAT = 0.2
_AGAIN = 10.0


class MqttSwitch(Device):
    """Anything that is switched by one message and tells its state in another, on our broker.

    Power is what it draws, W, + = consumption.
    """

    kind = "mqtt_switch"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = ("Power",)
    controls = ("Switch",)
    writes: ClassVar[tuple[str, ...]] = (*Device.writes, "Requests/{consumer}")
    reads_directly = False

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Its topics, and somebody who shares the surplus."""
        told = Told(settings)

        def status(payload: bytes) -> str | None:
            told.status(payload, retained=False, at=0.0)
            return told.garbled

        def power(payload: bytes) -> str | None:
            told.power(payload, retained=False, at=0.0)
            return told.power_garbled

        yield Word(settings.status_topic, every=settings.silence or None, kept=True, refuse=status)
        if settings.power_topic is not None:
            yield Word(settings.power_topic, refuse=power)
        if settings.online_topic is not None:
            yield Word(settings.online_topic, kept=True, refuse=told.refused_will)
        yield from settings.shares(id)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.told = Told(settings)
        self._news = anyio.Event()
        self._published_at = -math.inf
        self._asked_at = -math.inf
        self._connected_at: float | None = None
        self._forgets = False
        self.consumer = switching(self, OwnSwitch(self), settings, interval=_BEAT)
        if self.consumer is not None:
            self.companions.append(self.consumer)

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Hear it for ever."""
        settings: Settings = self.settings
        if settings.online_topic is not None:
            # First: a status that a gone device has left on the broker tells of nothing.
            await self.bus.listen(settings.online_topic, self._on_online)
        await self.bus.listen(settings.status_topic, self._on_status)
        if settings.power_topic is not None:
            await self.bus.listen(settings.power_topic, self._on_power)
        async for _ in self.every(_BEAT):
            await self._look()

    async def on_connect(self) -> None:
        """What it said meanwhile was not heard: ask it."""
        self._asked_at = -math.inf

    def _on_status(self, message: Incoming) -> None:
        self.told.status(message.payload, retained=message.retained, at=self.clock.now())
        self._wake()

    def _on_power(self, message: Incoming) -> None:
        self.told.power(message.payload, retained=message.retained, at=self.clock.now())
        self._wake()

    def _on_online(self, message: Incoming) -> None:
        told, heard = self.told, self.told.live is not None
        if told.online(message.payload, at=self.clock.now()):
            self._forgets = told.gone and heard
            self._asked_at = -math.inf
            if self.consumer is not None and told.gone:
                self.consumer.lose()
            elif self.consumer is not None:
                self.consumer.await_anew()
        self._wake()

    def _wake(self) -> None:
        self._published_at = -math.inf
        news, self._news = self._news, anyio.Event()
        news.set()

    async def _look(self) -> None:
        """Tell what is known now, and ask where nothing is."""
        now = self.clock.now()
        if not self.bus.connection.connected.is_set():
            self._connected_at = None
            return
        if self._connected_at is None:
            self._connected_at = now
        if not self.told.gone:
            self._ask_when_due(now)
        await self.warn("online", self.told.online_garbled)
        seen = self.told.seen(now)
        if seen is None:
            await self._unknown(now)
            return
        if self.consumer is not None:
            self.consumer.take(seen)
        if now < self._published_at + _AGAIN:
            return
        self._published_at = now
        await self.warn("power", self.told.power_garbled)
        await self.warn("old", None if self.told.live is not None else self._old())
        await self.health(None)
        if self.told.live is not None:
            await self.control_state("Switch", seen.on)
            power = {} if self.settings.power_topic is None else {"Power": seen.power}
            await self.reading(power)

    def _old(self) -> str:
        if self.told.old is None:
            return f"{self.told.name} has never said whether it is on: it was told to be off"
        word = "on" if self.told.old else "off"
        return f"{self.told.name} is {word} by a retained message, whose age is not known"

    async def _unknown(self, now: float) -> None:
        settings: Settings = self.settings
        if self.told.gone:
            why = self.told.absence
        elif self.told.garbled is not None:
            why = self.told.garbled
        elif self.told.live is not None:
            why = f"{self.told.name} has not said for {now - self.told.heard_at:.0f} s if it is on"
        else:
            why = f"{self.told.name} has not said yet whether it is on{self._left_so()}"
            if now < max(self._connected_at or now, self.told.back_at) + settings.timeout:
                return
            self._tell_first()
        await self.health(why)
        if self._forgets:
            self._forgets = False
            await self.control_state("Switch", None)
            await self.reading({} if settings.power_topic is None else {"Power": None})
        # Where nobody can be asked, one that has not spoken yet may be well: it is not lost.
        told = self.told
        mute = told.live is None and not told.garbled and not told.gone
        waits = settings.ask_topic is None and mute
        if waits and self.status_of() != "offline":
            self.log.info(why)
        await self.device_status("offline", why, lost=not waits)

    def _left_so(self) -> str:
        """What a silent device was left as, and what can be done about its silence."""
        by_hand = None if self.consumer is None else self.consumer.errand.journal.by_hand
        if by_hand is None or self.settings.ask_topic is not None:
            return ""
        hint = "set `ask_topic` if it can be asked, or switch it once"
        return f"; it was switched {by_hand} by hand and is left so: {hint}"

    def _tell_first(self) -> None:
        """One that only tells changes has nothing to tell: off is safe, and makes it speak."""
        consumer, settings = self.consumer, self.settings
        if consumer is None or settings.ask_topic is not None:
            return
        if consumer.errand.journal.by_hand is None or consumer.released:
            self._send(settings.off_topic, settings.off_value)
            self.told.taken = True

    def _ask_when_due(self, now: float) -> None:
        settings: Settings = self.settings
        if settings.ask_topic is not None and now >= self._asked_at + settings.interval:
            self._asked_at = now
            self._send(settings.ask_topic, settings.ask_value)

    def _send(self, topic: str, value: str) -> None:
        self.bus.publish_raw(topic, value.encode(), qos=1, retain=False)

    async def read_once(self) -> Mapping[str, float | str | None]:
        """Only the broker knows; `doctor` and `read` say so."""
        raise DeviceError(f"{self.told.name} is on MQTT: look at its topics instead")

    # ---------------------------------------------------------------- control

    def may_return(self, control: str, device: str) -> bool:
        """The switch of a consumer can be given back to the sun."""
        return self.consumer is not None and control == "Switch" and device == self.id

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Switch it and wait until it says so. Raises DeviceError when it does not."""
        returns = self.may_return(control, device)
        if control != "Switch" or not (isinstance(value, bool) or (value is None and returns)):
            return await super().write_control(control, value, device=device)
        if self.consumer is not None:
            return await self.consumer.by_control(value)
        return await self.switch(on=value is True)

    async def switch(self, *, on: bool) -> bool:
        """Tell it, and wait until it says so; one that was so already may keep silent."""
        settings: Settings = self.settings
        with anyio.move_on_after(settings.timeout):
            await self.bus.connection.connected.wait()
        if not self.bus.connection.connected.is_set():
            raise DeviceTimeout("the broker cannot be reached: nothing was switched")
        told, sent = self.told, self.clock.now()
        for _ in range(2):
            # (Off also to one that is gone: a last will may be wrong, and off is safe.)
            if on and told.gone:
                break
            self._send_switch(on=on)
            if await self._hears(sent, on=on):
                return on
            if told.gone or told.heard_at >= sent or told.garbled is not None or told.live is on:
                break
        return self._followed(sent, on=on)

    def _send_switch(self, *, on: bool) -> None:
        settings: Settings = self.settings
        if on:
            self._send(settings.on_topic, settings.on_value)
        else:
            self._send(settings.off_topic, settings.off_value)

    def _followed(self, sent: float, *, on: bool) -> bool:
        """What it is although it has not said that it followed. Raises DeviceError."""
        told, settings = self.told, self.settings
        if told.gone:
            raise DeviceTimeout(told.absence)
        if told.garbled is not None:
            raise DeviceRefused(told.garbled)
        if told.live is None or told.seen(self.clock.now()) is None:
            words = f"did not say within {settings.timeout:g} s whether it is on"
            raise DeviceTimeout(f"{told.name} {words}")
        if told.heard_at < sent and told.live is not on:
            word = "on" if told.live else "off"
            words = f"did not answer within {settings.timeout:g} s: it said last that it is {word}"
            raise DeviceTimeout(f"{told.name} {words}")
        return told.live

    async def _hears(self, since: float, *, on: bool | None) -> bool:
        """Wait for a live status from then on: `on` (None: any). False when none came in time."""
        with anyio.move_on_after(self.settings.timeout):
            while not self.told.gone:
                news = self._news
                if self.told.heard_at >= since and on in (None, self.told.live):
                    return True
                await news.wait()
        return False

    async def newest(self) -> Seen:
        """What it says now, if it can be asked, else what it said last. Raises DeviceTimeout."""
        settings: Settings = self.settings
        if settings.ask_topic is not None and not self.told.gone:
            self._asked_at = sent = self.clock.now()
            self._send(settings.ask_topic, settings.ask_value)
            if not await self._hears(sent, on=None) and not self.told.gone:
                words = f"did not answer on its status topic within {settings.timeout:g} s"
                raise DeviceTimeout(f"{self.told.name} {words}")
        if self.told.gone:
            raise DeviceTimeout(self.told.absence)
        seen = self.told.seen(self.clock.now())
        if seen is None:
            raise DeviceTimeout(self.told.garbled or f"{self.told.name} is silent")
        return seen


class OwnSwitch:
    """What the core of on/off consumers reads and switches."""

    timer = None

    def __init__(self, actor: MqttSwitch) -> None:
        self._actor = actor

    async def read(self) -> Seen:
        """Ask it, where it can be asked. Raises DeviceError."""
        return await self._actor.newest()

    async def switch(self, *, on: bool, timer: float | None) -> bool:  # noqa: ARG002 - has none
        """Switch it, hear that it followed, and show it. Raises DeviceError."""
        state = await self._actor.switch(on=on)
        await self._actor.control_state("Switch", state)
        return state
