"""Holding a control of another actor's device, for as long as there is a reason, and no longer.

A service says with `want` at every tick what it wants of a control, or None. `Lent` asks for it by
MQTT, refreshes it, listens to what became of it, and gives it back. A lease ends by itself when
nobody refreshes it; a control that keeps its value gets back what it had, which is in a journal
before the first write.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Any

import anyio

from bridge.contract import Command
from bridge.control.entry import default_tolerance, text_of
from bridge.control.lease import HELD_BY, same
from bridge.control.teller import GAVE_BACK, PUT_BACK
from bridge.errors import PayloadError, one_line

if TYPE_CHECKING:
    from bridge.actor import Actor
    from bridge.bus import Message
    from bridge.control.lease import Value

SET = "Devices/{device}/{Control}/Set"
JOURNAL = "lent-"
"""How the name of a journal of these begins."""
_STATE = "Devices/{device}/{Control}"
_UNLIMITED = "Devices/{device}/{Control}/Unlimited"
_RESULT = "Devices/{device}/{Control}/Result"
_STATUS = "Devices/{device}/Status"
_ANSWER = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
_HANDS_OFF = 600.0
_LAST_WORD = 1.5
_TRIES = 6


class Lent:
    """One control of one device that an actor may hold; only one owner ever has a lease.

    ttl: s that a lease outlives its last refresh. restore: what a control that keeps its value
    gets back when the device tells neither what it has nor that it has none. The
    actor's `writes` must name `SET`.
    """

    def __init__(
        self,
        actor: Actor,
        device: str,
        control: str,
        ttl: float = 60.0,
        *,
        restore: Value | None = None,
    ) -> None:
        self.why: str | None = None
        self.held: Value | None = None
        self._actor, self.device, self.control, self.ttl = actor, device, control, ttl
        self._entry = actor.contract.control(control)
        self._restore = restore
        self._clock = actor.clock
        self._params = {"device": device, "Control": control}
        self._wanted: Value | None = None
        self._asked: Value | None = None  # what the newest command asks for; None: to give back
        self._asked_at, self._again_at = -math.inf, -math.inf
        self._back_again_at = -math.inf  # giving back is said again then, if nobody answers
        self._id: str | None = None
        # What an earlier life asked for is not mistaken for what this one has.
        self._life, self._number = secrets.token_hex(2), 0
        self._pending, self._silent_since = False, 0.0
        self._failures = 0
        self._ours = False  # the device may have a value of ours
        self._foreign = False
        self._state: Value | None = None
        self._status: str | None = None
        self._changed = anyio.Event()
        self._journal = f"{JOURNAL}{device}-{control}"
        self._original: Value | None = None
        self._had = False  # something of ours was in force since the reason began
        self._unlimited = False  # the device says that it has no limit
        self._none = False  # no limit is what it gets back
        self._restored = False  # the original is the owner's word, not the device's
        self._wrote: list[Value] = []  # the last one that was confirmed, and those tried since
        self._accepted = False  # one of them was confirmed
        self._doubted = False  # asked for by an earlier life that heard no answer

    @property
    def leased(self) -> bool:
        """True for a control that the device takes back by itself when the lease lapses."""
        return self._entry.lease

    @property
    def owed(self) -> bool:
        """True while the device may have a value of ours."""
        return self._ours

    @property
    def refused(self) -> bool:
        """True while nothing that was wanted has come to the device, for the reason in `why`."""
        return self.why is not None and not self._ours and not self._had

    # ---------------------------------------------------------------- to use

    async def start(self) -> None:
        """Listen to the device; find out what an earlier life left in it."""
        found = None if self.leased else self._actor.state.load(self._journal)
        found = found or {}
        none = found.get("unlimited") is True and found.get("original") is None
        if none or self._can_be(found.get("original")):
            wrote = found.get("wrote")
            self._original, self._restored = found["original"], found.get("restored") is True
            self._none = none
            known = wrote if isinstance(wrote, list) else []
            self._wrote = [each for each in known if self._can_be(each)]
            self._ours, self._accepted = True, found.get("accepted") is not False
            self._doubted = not self._accepted and not self._restored
        subscribe, device, control = self._actor.subscribe, self.device, self.control
        await subscribe(_STATUS, self._on_status, device=device)
        await subscribe(_STATE, self._on_state, device=device, Control=control)
        if not self.leased:
            await subscribe(_UNLIMITED, self._on_unlimited, device=device, Control=control)
        await subscribe(_RESULT, self._on_result, command=True, device=device, Control=control)

    def _can_be(self, value: Any) -> bool:
        """True for what the control can have: a journal on disk may hold anything."""
        if not isinstance(value, (int, float, str)):
            return False
        try:
            self._actor.contract.channel(SET, **self._params).encode(Command(value=value))
        except PayloadError:
            return False
        return True

    async def want(self, value: Value | None) -> None:
        """Say what the control shall be now, None for nothing; call it at every tick.

        What came of it stands in `held` and, in one sentence, in `why`.
        """
        self._wanted = value
        if value is None:
            self._foreign = False
            await self._give_back()
        else:
            await self._ask(value)

    async def release(self) -> None:
        """Give back now and wait for the answer, 1.5 s at most; used on every stop and crash."""
        self._wanted = None
        with anyio.move_on_after(_LAST_WORD):
            self._again_at = self._back_again_at = -math.inf
            while self._ours:
                self._changed = anyio.Event()
                await self._give_back()
                await self._changed.wait()

    # ---------------------------------------------------------------- asking

    async def _ask(self, value: Value) -> None:
        now = self._clock.now()
        if self._status == "offline":
            self.held, self.why = None, f"{self.device} is offline"
            return
        if self._foreign or now < self._again_at:
            return
        if self._doubted:
            self.why = f"{self.device} has not told its {self.control} yet"
            return
        if self._pending and now >= self._silent_since + _ANSWER:
            self.why = f"{self.device} does not answer"
        after = self.ttl / 3 if self.leased else _ANSWER if self._pending else math.inf
        renew = now >= self._asked_at + after
        if self._asked is None or self._asked != value or renew:
            if not self.leased and not self._remember(value):
                return
            await self._send(value)

    def _remember(self, value: Value) -> bool:
        """Keep what the control has before it is written for the first time."""
        if not self._ours:
            self._accepted = False
            self._none = self._state is None and self._unlimited
            if self._state is None and not self._none and self._restore is None:
                self.why = (
                    f"{self.device} does not tell its {self.control}, so that it could not be put"
                    " back: set 'restore'"
                )
                return False
            self._restored = self._state is None and not self._none
            self._original = self._restore if self._restored else self._state
        if value not in self._wrote:
            self._wrote = [*self._wrote[:1], *self._wrote[1:][-_TRIES:], value]
        if self._note():
            return True
        self.why = f"what {self.control} was cannot be kept on disk, so it is left alone"
        return False

    def _note(self) -> bool:
        content: dict[str, Any] = {
            "original": self._original,
            "wrote": self._wrote,
            "accepted": self._accepted,
        }
        if self._none:
            content["unlimited"] = True
        if self._restored:
            # The device cannot know it: see bridge/control/leftovers.py.
            content |= {"restored": True, "device": self.device, "control": self.control}
        return self._actor.state.save(self._journal, content)

    async def _give_back(self) -> None:
        now = self._clock.now()
        if not self._ours:
            self._asked, self._pending, self.why = None, False, None
            self.held, self._had = None, False
            return
        soon = now < max(self._again_at, self._back_again_at)
        if self._asked is None and self._id is not None and soon:
            return
        if not self.leased and (self._status in {None, "offline"} or self._doubted):
            return
        await self._send(None)
        self._back_again_at = now + _FIRST_PAUSE

    async def _send(self, value: Value | None) -> None:
        self._number += 1
        self._id = f"{self._actor.id}-{self._life}-{self._number}"
        if not self._pending:
            self._silent_since = self._clock.now()
        self._asked, self._asked_at, self._pending = value, self._clock.now(), True
        ttl = None
        if self.leased:
            ttl = None if value is None else self.ttl
        elif value is None:
            value = self._original
        self._ours = True
        command = Command(value=value, ttl=ttl, id=self._id, by=self._actor.id)
        await self._actor.publish(SET, command, **self._params)

    # ---------------------------------------------------------------- what comes of it

    def _on_status(self, message: Message) -> None:
        if isinstance(message.value, str):
            self._status = message.value

    async def _on_result(self, message: Message) -> None:
        found = message.value
        if message.error is not None or not isinstance(found, dict) or message.retained:
            return
        if found.get("id") != self._id or self._id is None:
            return
        self._status = self._status or "online"  # an external device may have no such topic
        was_pending, self._pending = self._pending, False
        error = None if found["ok"] else one_line(found.get("error") or "it was refused")
        if self._asked is None:
            self._came_back(error)
        elif error is None:
            self._stands(found)
        elif was_pending:
            await self._was_refused(error)
        else:
            self._was_ousted(error)
        self._changed.set()

    def _stands(self, found: dict[str, Any]) -> None:
        self.held, self.why, self._failures, self._had = self._asked, None, 0, True
        self._state = value = found.get("value")
        if self.leased:
            return
        if "was" in found and not self._restored:
            # The device knows it for certain: what it told before may have been another's value.
            self._original, self._none = found["was"], found["was"] is None
        if value is not None:
            self._wrote, self._accepted, self._doubted = [value], True, False
            self._note()

    def _came_back(self, error: str | None) -> None:
        # What is another's by now needs no giving back.
        if error is None or error.startswith(HELD_BY):
            self._forget()
        else:
            self.why = error
            self._pause()

    async def _was_refused(self, error: str) -> None:
        """A new value that is refused may leave the one before it in force: give that back."""
        self.why, self.held = error, None
        if error.startswith(HELD_BY):
            self._forget()
        else:
            await self._send(None)
        self._pause()

    def _was_ousted(self, error: str) -> None:
        """The lease ended by another's hand, or the device did not keep it."""
        self.why = f"{self.control} of {self.device}: {error}"
        self._forget()
        if error.endswith(PUT_BACK):
            self._pause()  # nobody wants anything else: it is asked for again once it is there
            return
        pause = _HANDS_OFF if error.endswith(GAVE_BACK) else _LONGEST_PAUSE
        self._again_at = self._clock.now() + pause

    def _on_state(self, message: Message) -> None:
        if message.error is not None:
            return
        value = message.value
        self._status = self._status or "online"  # as above
        before, self._state = self._state, value
        if value is not None:
            self._unlimited = False
        if self._pending:
            return
        if self.leased:
            if value is None and self.held is not None and not message.retained:
                # The device's actor let go, for instance because it starts again.
                self.held, self._asked = None, None
                self._again_at = self._clock.now() + _FIRST_PAUSE
            return
        if not self._ours or value is None or before == value:
            return
        tolerance = 2 * default_tolerance(self._entry)
        if self._doubted:
            # Where it was refused, what it had then may have been another's, and is not put back.
            self._doubted = False
            if not any(same(each, value, tolerance) for each in self._wrote):
                self._forget()
            return
        ours = [*self._wrote, *([] if self._original is None else [self._original])]
        if not any(same(each, value, tolerance) for each in ours):
            self._is_foreign(f"was set to {text_of(value)}")

    def _on_unlimited(self, message: Message) -> None:
        if message.error is not None:
            return
        self._unlimited = message.value is True
        if not self._unlimited or not self._ours or self._pending:
            return
        if self._doubted:
            self._forget()  # there is none, so nothing of ours came to it
        elif not self._none:
            self._is_foreign("was taken away")

    def _is_foreign(self, what: str) -> None:
        self._forget()
        self._foreign = True
        self.why = f"{self.control} of {self.device} {what} by somebody else and is left so"

    def _forget(self) -> None:
        """The device has nothing of ours any more."""
        self.held, self._asked, self._ours, self._pending = None, None, False, False
        self._doubted = False
        if not self.leased:
            self._original, self._wrote, self._none = None, [], False
            self._actor.state.save(self._journal, {})
        self._changed.set()

    def _pause(self) -> None:
        pause = min(_FIRST_PAUSE * 2.0**self._failures, _LONGEST_PAUSE)
        self._failures = min(self._failures + 1, 10)
        self._again_at = self._clock.now() + pause
