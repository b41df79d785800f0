"""The thin shell around the core, beside the actor of any device that is on or off.

It hears the allowance and the device, decides once a second and on every news, asks for power and
switches. The actor hands in what it reads (`take`) and what people command (`by_control`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio

from bridge.consuming.hearing import Hearing
from bridge.consuming.report import Reporter
from bridge.errors import DeviceError, DeviceRefused
from bridge.switching.core import State, contradicts, decide, given_back, person
from bridge.switching.errand import Errand
from bridge.switching.model import Inputs

if TYPE_CHECKING:
    from bridge.bus import Message
    from bridge.device import Device
    from bridge.switching.model import Decision, Plan, Relay, Seen
    from bridge.switching.settings import SwitchSettings

_REQUEST = "Requests/{consumer}"
_OWNER = "Requests/{consumer}/{Field}/Set"
_BEAT = 1.0
_SILENT, _INTERVALS = 30.0, 3


def switching(
    actor: Device, relay: Relay, settings: SwitchSettings, *, interval: float
) -> Switching | None:
    """What takes part in the sharing for an actor; None where its settings ask for no power."""
    plan = settings.plan()
    if plan is None:
        return None
    consumer = settings.consumer or actor.id
    name = settings.name or consumer
    return Switching(actor, relay, plan, consumer=consumer, name=name, interval=interval)


class Switching:
    """One on/off consumer. `consumer`: the id of its request; `name`: what people read."""

    def __init__(
        self, actor: Device, relay: Relay, plan: Plan, *, consumer: str, name: str, interval: float
    ) -> None:
        rule = actor.config.consumers.get(consumer)
        if rule is not None and rule.min_off is not None:
            # The owner's word is for both, or it would be allowed what it may not take yet.
            plan = replace(plan, min_off=rule.min_off)
        self._actor, self._relay, self._plan = actor, relay, plan
        self.consumer = consumer
        self._clock = actor.clock
        self.errand = Errand(actor, relay)
        self._reporter = Reporter(name)
        self.hearing = Hearing(consumer, self._reporter, self._news)
        self._silent_after = max(_SILENT, _INTERVALS * interval)
        self._begun_at = self._clock.now()
        self.state = self._at_start()
        self.decision: Decision | None = None
        self.seen: Seen | None = None
        self._rests_since: float | None = None
        self._gone = False
        self._released = False
        self._stopping = False
        self._lock = anyio.Lock()
        self._wake = anyio.Event()
        actor.bus.announcers.append(self._say_all_again)

    def _at_start(self) -> State:
        now, journal = self._clock.now(), self.errand.journal
        # Where nothing is known of the time before, the minimum time off begins anew.
        off_for = None if journal.held else journal.off_for(self._clock.utc())
        state = State(off_at=now - (off_for or 0.0))
        if journal.by_hand is None:
            return state
        wanted = journal.by_hand == "off" if journal.wanted is None else journal.wanted
        return replace(state, begun=True, by_hand=journal.by_hand, by_hand_at=now, wanted=wanted)

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Decide until cancelled."""
        await self.hearing.listen(self._actor)
        await self._actor.subscribe(
            _OWNER, self._on_owner, command=True, consumer=self.consumer, Field="IsAutomatic"
        )
        while True:
            self._wake = anyio.Event()
            async with self._lock:
                await self.step()
            with anyio.move_on_after(_BEAT):
                await self._wake.wait()

    async def safe(self) -> None:
        """Switch off what is on by our word, and ask for nothing any more."""
        self._stopping = True
        await self.errand.off_at_once()
        # What may go on drawing, by a person's hand or because it was not reached, is not 0.
        goes_on = self.state.by_hand is not None or self.errand.journal.held
        drawn = None if goes_on else 0
        note = "the bridge has let go of it"
        silence = {"IsAutomatic": False, "Request": 0, "Consumption": drawn, "Note": note}
        await self._actor.publish(_REQUEST, silence, consumer=self.consumer)

    # ---------------------------------------------------------------- what it hears

    def take(self, seen: Seen) -> None:
        """A reading, pushed or asked for."""
        self.seen = seen
        self._news()

    def lose(self) -> None:
        """It is known not to be there: it is promised nothing, at once."""
        self.seen, self._gone = None, True
        self._news()

    def await_anew(self) -> None:
        """It is back, and has said nothing yet: what waits to be told is told now."""
        self.seen, self._gone = None, False
        self.errand.forgive()
        self._news()

    def _news(self) -> None:
        self._wake.set()

    async def _say_all_again(self) -> None:
        """A consumer that is new on the broker says everything again."""
        self._reporter.repeat()

    def _on_owner(self, message: Message) -> None:
        """The owner's word that it is automatic gives it back."""
        if not message.retained and message.error is None and message.value is True:
            self._released = True
            self._news()

    async def by_control(self, value: bool | None) -> bool | None:
        """A person switches it by its control, or (None) gives it back; as read back then."""
        async with self._lock:
            if self._stopping:
                raise DeviceRefused(f"{self._actor.id} stops: nothing was switched")
            if value is None:
                return await self._give_back()
            found = await self.errand.by_person(value)
            if found is value:
                self.state = person(self.state, value, self._clock.now())
                self.errand.leftover = False
                if not value:
                    self._note_rest(self.state.off_at)
                self.errand.let_go(self.state.by_hand, self.state.wanted)
                self._news()
            return found

    async def _give_back(self) -> bool | None:
        self._released = True
        on = self.seen.on if self.seen is not None else None
        if self._alone:
            # Nobody is there to allow anything: off is what the automatic has without a lease.
            if on is not False:
                on = await self.errand.by_person(wish=False)
            if on is not False:
                raise DeviceRefused(f"{self._actor.id} was told to be off and is not")
            self.state = given_back(self.state, self._clock.now(), on=False)
            self.errand.journal.note(held=False, by_hand=None)
        else:
            self._news()
        return on

    # ---------------------------------------------------------------- deciding

    @property
    def released(self) -> bool:
        """A person has given it back, and nothing was heard of it since."""
        return self._released

    @property
    def _alone(self) -> bool:
        """No broker yet, or none at all (`heliograph set`), and nothing to be taken back."""
        return not self._actor.bus.connection.connected.is_set() and not self.errand.journal.held

    @property
    def _must_speak(self) -> bool:
        """Also without a reading: by a person's say, or where one is overdue or cannot come."""
        late = self._clock.now() > self._begun_at + self._silent_after
        return late or self._gone or self.errand.stuck or self.state.by_hand is not None

    async def step(self) -> None:
        """Decide once, say what is new, and switch."""
        left = self.errand.leftover
        if self._stopping or not await self.errand.return_leftover():
            return
        if left:
            self.state = replace(self.state, off_at=self._clock.now())
        if self._alone or (self.seen is None and not self._must_speak):
            return
        if contradicts(self._inputs()) and self.state.by_hand is None:
            # What was pushed may be old: the device itself is asked before a person is believed in.
            await self._look()
        decision = self._decide()
        if decision.on and self.errand.needed(decision.on, self.seen):
            # Nobody's hand is overwritten: a person may have switched it a moment ago.
            why = await self._look()
            if why is not None:
                await self._say(decision)
                await self.errand.failed(decision.on, why)
                return
            decision = self._decide()
        await self._say(decision)
        if decision.on is not None and self.errand.needed(decision.on, self.seen):
            await self.errand.run(decision.on)

    async def _look(self) -> str | None:
        """Ask the device itself; the sentence when that failed."""
        try:
            self.seen = await self._relay.read()
        except DeviceError as error:
            return str(error)
        return None

    def _decide(self) -> Decision:
        if self._released:
            self.errand.forgive()
        self.state, decision = decide(self.state, self._inputs(), self._clock.now())
        self._released = False
        self.errand.let_go(self.state.by_hand, self.state.wanted)
        self._note_rest(decision.request.off_since)
        return decision

    def _note_rest(self, since: float | None) -> None:
        """Keep when it was switched off: a start must not begin its rest anew."""
        if since is not None and since != self._rests_since:
            self._rests_since = since
            age = timedelta(seconds=self._clock.now() - since)
            self.errand.journal.off(self._clock.utc() - age)

    async def _say(self, decision: Decision) -> None:
        before, self.decision = self.decision, decision
        if before is None or before.code != decision.code:
            await self._actor.message("Operational", decision.sentence)
        said = self._reporter.due(decision.request, self._clock.now())
        if said:
            await self._actor.publish(_REQUEST, said, consumer=self.consumer)

    def _inputs(self) -> Inputs:
        errand = self.errand
        return Inputs(
            plan=self._plan,
            seen=self.seen,
            allowance=self.hearing.allowance,
            distributor=self.hearing.distributor,
            told=errand.told,
            tried=errand.tried,
            misses=errand.misses,
            missed_at=errand.missed_at,
            stuck=errand.stuck,
            gone=self._gone,
            released=self._released,
            silent_after=self._silent_after,
        )
