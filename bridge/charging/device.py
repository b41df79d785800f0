"""ChargerDevice: what the author of a charger must know is here.

A kind implements `read_charger` and `obey` (and, where its charger has them, `set_mode` and
`rest`). The shell publishes the reading, serves the controls, asks the distributor as any consumer
does and obeys its allowance; what is decided about that is in `bridge/charging/core.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import anyio
import msgspec

from bridge.charging.core import State, decide
from bridge.charging.errand import Errand
from bridge.charging.model import BOTH, Inputs, Owner
from bridge.charging.report import quantities
from bridge.charging.settings import ChargerSettings
from bridge.consuming.hearing import Hearing
from bridge.consuming.report import Reporter
from bridge.device import Device
from bridge.errors import DeviceError, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.charging.model import ChargerReading, ChargerWish, Decision
    from bridge.contract import Control
    from bridge.ports import Input

    Values = Mapping[str, float | str | None]

_REQUEST = "Requests/{consumer}"
_STOPS = "the charger's actor has stopped"
_BEAT = 1.0
_RESTING = 60.0
_SILENT, _INTERVALS = 30.0, 3
_ENABLE, _CURRENT, _PHASES, _MODE = "ChargeEnable", "ChargeCurrent", "ChargePhases", "ChargeMode"


class ChargerDevice(Device):
    """A charger of any make. `manual_modes`: its modes in which a person decides, not the sun.

    A kind that needs a task of its own (a connection that pushes) puts it into `companions`. Its
    `safe` closes its connection after calling this one's, which still needs it.
    """

    Settings = ChargerSettings
    quantities: ClassVar[tuple[str, ...]] = (
        *("VehicleState", "Power", "PowerL{phase}", "VoltageL{phase}", "CurrentL{phase}"),
        *("ChargingCurrent", "ChargingPhases", "SessionEnergy", "Energy"),
    )
    controls: ClassVar[tuple[str, ...]] = (_ENABLE, _CURRENT, _PHASES, _MODE)
    manual_modes: ClassVar[frozenset[str]] = frozenset()
    writes: ClassVar[tuple[str, ...]] = (*Device.writes, _REQUEST)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: ChargerSettings = context.settings
        self.consumer = settings.consumer or self.id
        self.decision: Decision | None = None
        self.charger: ChargerReading | None = None
        self._plan = settings.plan(self.manual_modes)
        self._errand = Errand(self)
        self.charge = State(by_hand=self._errand.by_hand)
        if self._errand.leftover or context.restarts:
            # When the life before switched last is not known: its minimum times begin anew.
            at = self.clock.now()
            self.charge = replace(self.charge, off_at=at, switched_at=at)
        self._reporter = Reporter(settings.name or "EV charger")
        self._owner = Owner()
        self._price: Input | None = None
        self._read_at = -float("inf")
        self._released = False
        self._ousting = False
        self._stopping = False
        self._lock = anyio.Lock()
        self._wake = anyio.Event()
        self._noticed = anyio.Event()
        self._hearing = Hearing(self.consumer, self._reporter, self._news)

    # ---------------------------------------------------------------- to implement

    async def read_charger(self) -> ChargerReading:
        """One reading straight from the charger. Raises DeviceError with one plain sentence."""
        raise NotImplementedError

    async def obey(self, wish: ChargerWish) -> None:
        """Write what differs and read it back. Raises DeviceError when the charger has not got it.

        `wish.on` None gives the charger back to its own control. Never called twice at a time.
        """
        raise NotImplementedError

    async def set_mode(self, mode: str | None) -> str | None:
        """Set the charger's mode (None = the one it had before) and return it as read back."""
        sentence = f"{self.id} has no modes that could be set to {mode}"
        raise DeviceError(sentence)

    async def rest(self) -> None:
        """No car is there: close what need not be open. `read_charger` and `obey` open it again."""

    # ---------------------------------------------------------------- to use

    async def pushed(self, reading: ChargerReading) -> None:
        """Take a reading that the charger sent by itself, beside those that are polled."""
        self._take(reading)
        await self.reading(quantities(reading))
        await self.health(None)

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Poll the charger and decide, until stopped."""
        await self._listen()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._decide_for_ever)
            await self.poll(self._read, interval=self.settings.interval)

    async def make_safe(self) -> None:
        """As every device; from here on nothing is decided any more."""
        self._stopping = True
        await super().make_safe()

    async def safe(self) -> None:
        """Give the charger back, and ask for nothing any more."""
        self._stopping = True
        await self._errand.give_back_at_once()
        silence = {"IsAutomatic": False, "Request": 0, "Consumption": 0, "Note": _STOPS}
        await self.publish(_REQUEST, silence, consumer=self.consumer)

    async def on_connect(self) -> None:
        """A consumer that is new on the broker says everything again."""
        self._reporter.repeat()

    async def read_once(self) -> Values:
        """One reading straight from the charger, in the contract's names."""
        return quantities(await self.read_charger())

    async def _read(self) -> Values:
        if self.decision is not None and self.decision.rest:
            await self.rest()
            # Longer than an interval, on purpose: the supervisor must not take it for hung.
            self.beat_due = None
            self._noticed = anyio.Event()
            with anyio.move_on_after(_RESTING):
                await self._noticed.wait()
        reading = await self.read_charger()
        self._take(reading)
        return quantities(reading)

    def _take(self, reading: ChargerReading) -> None:
        self.charger, self._read_at = reading, self.clock.now()
        self._wake.set()

    # ---------------------------------------------------------------- what it hears

    async def _listen(self) -> None:
        await self._hearing.listen(self)
        # The very filter of the control desk: a broker delivers it once.
        pattern = "Devices/{device}/{Control}/Set"
        await self.subscribe(pattern, self._on_set, command=True, device=self.id)
        settings: ChargerSettings = self.settings
        if settings.tariff is not None:
            value = "Tariffs/{tariff}/{Value}"
            self._price = await self.input(value, tariff=settings.tariff, Value="ImportPrice")

    def _news(self) -> None:
        self._wake.set()

    def _on_set(self, message: Message) -> None:
        """An empty word on ChargeEnable ends what a person at the charger pressed, too."""
        empty = not message.payload and not message.retained
        if empty and message.params["Control"] == _ENABLE:
            self._released = True
            self._wake.set()

    # ---------------------------------------------------------------- deciding

    async def _decide_for_ever(self) -> None:
        while True:
            self._wake = anyio.Event()
            async with self._lock:
                await self._step()
            if self.charge.by_hand is not None and self.desk.lease(_ENABLE) is not None:
                await self._oust()
            with anyio.move_on_after(_BEAT):
                await self._wake.wait()

    async def _step(self, *, strict: bool = False) -> None:
        """Decide and do it. `strict` raises DeviceError when the charger does not follow."""
        if self._stopping:
            return
        if not await self._errand.return_leftover():
            if strict:
                raise DeviceRefused(f"{self.id} must be given back from the last run first")
            return
        now = self.clock.now()
        unread = self.charger is None and not strict
        if unread or (self._alone and self._owner == Owner()):
            return
        if self._released:
            # Whatever was pressed meanwhile: the charger is to be told anew, at once.
            self._errand.told = None
        inputs = self._inputs()
        self._released = False
        self.charge, decision = decide(self.charge, inputs, now)
        before, self.decision = self.decision, decision
        if before is None or before.code != decision.code:
            await self.message("Operational", decision.sentence)
        said = self._reporter.due(decision.request, now)
        if said:
            await self.publish(_REQUEST, said, consumer=self.consumer)
        if not decision.rest:
            self._noticed.set()
        self._errand.let_go(self.charge.by_hand)
        await self._errand.run(decision.wish, self.charger, self._read_at, strict=strict)

    def _inputs(self) -> Inputs:
        settings: ChargerSettings = self.settings
        reading, plan = self.charger, self._plan
        price = reading.price if reading is not None else None
        if self._price is not None:
            seen = self._price.read()
            price = float(seen.value) if seen.fresh else None
        limit = settings.price_limit
        if limit is None and reading is not None:
            limit = reading.price_limit
        if self._alone:
            plan = replace(plan, automatic=False)
        return Inputs(
            plan=plan,
            reading=reading,
            read_at=self._read_at,
            allowance=self._hearing.allowance,
            distributor=self._hearing.distributor,
            owner=self._owner,
            price=price,
            price_limit=limit,
            told=self._errand.told,
            tried=self._errand.tried,
            astray=self._errand.astray,
            released=self._released,
            silent_after=max(_SILENT, _INTERVALS * settings.interval),
        )

    @property
    def _alone(self) -> bool:
        """No broker yet, or none at all (`heliograph set`): only the controls act.

        Nobody can be asked, and the charger was not told anything that has to be taken back.
        """
        return not self.bus.connection.connected.is_set() and not self._errand.held

    async def _oust(self) -> None:
        """A person at the charger has spoken after whoever lent it: that lease is over."""
        self._ousting = True
        try:
            await self.desk.submit(_ENABLE, b"")
        finally:
            self._ousting = False

    # ---------------------------------------------------------------- controls

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """All that the kind declares."""
        return {self.id: self.controls}

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry within the owner's limits."""
        entry = super().control_entry(control, device)
        if control == _CURRENT:
            settings: ChargerSettings = self.settings
            return msgspec.structs.replace(
                entry, min=settings.min_current, max=settings.max_current
            )
        return entry

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Lend (None: give back) a control, decide anew, and return what is in force then."""
        if control == _MODE and (value is None or isinstance(value, str)):
            return await self.set_mode(value)
        async with self._lock:
            before = self._owner
            self._owner = self._lent(control, value, device)
            if control == _ENABLE and value is None and not self._ousting:
                self._released = True
            try:
                await self._step(strict=True)
                self._check_followed(control, value)
            except DeviceError:
                if value is not None:
                    self._owner = before
                raise
        return value

    def _lent(self, control: str, value: float | str | bool | None, device: str) -> Owner:
        """What is lent out from now on. Raises DeviceRefused for what cannot be."""
        if control == _ENABLE and (value is None or isinstance(value, bool)):
            return replace(self._owner, enable=value)
        if not isinstance(value, bool | str):
            if control == _CURRENT:
                return replace(self._owner, current=value)
            if control == _PHASES:
                self._check_phases(value)
                return replace(self._owner, phases=None if value is None else int(value))
        raise DeviceRefused(f"{device} has no control {control} that could be set to {value}")

    def _check_phases(self, value: float | None) -> None:
        if value is None:
            return
        possible = self.charger.phases_possible if self.charger is not None else BOTH
        if value not in possible:
            words = " or ".join(str(each) for each in sorted(possible))
            raise DeviceRefused(f"ChargePhases {value:g} is not possible here, only {words}")
        left = self.charge.switched_at + self._plan.phase_pause - self.clock.now()
        if left > 0 and value != (self.charge.switching or self.charge.phases):
            raise DeviceRefused(f"the phases may be changed again in {left:.0f} s")

    def _check_followed(self, control: str, value: float | str | bool | None) -> None:
        """Raise DeviceRefused where the charger cannot do what a control says, and say why."""
        decision = self.decision
        if decision is None or value is None or self._stopping:
            return
        gone = decision.wish is None or decision.wish.on is None
        if control == _ENABLE:
            on = decision.wish is not None and decision.wish.on
            if on is not value and self.charge.switching is None:
                raise DeviceRefused(f"ChargeEnable was not followed: {decision.sentence}")
        elif decision.by_hand or (control == _PHASES and gone):
            raise DeviceRefused(f"{control} was not followed: {decision.sentence}")
