"""What comes in: requests as single topics or JSON, overrides, the pause. Bad input is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.log import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.distributor.core import Distributor
    from bridge.actor import Actor
    from bridge.bus import Message

_OUTPUTS = frozenset({"Allowance", "Grant", "Reason", "Energy", "Error"})
_LEFT = frozenset({"Allowance", "Grant", "Reason"})
_OVERRIDES = ("IsAutomatic", "Priority")
_MOST_CONSUMERS = 1000
_MOST_ERRORS = 20


class Intake:
    """Turns messages into calls of the core; a refused field is told to its sender.

    A refused payload changes nothing: the last good value stays and keeps ageing.
    """

    def __init__(self, actor: Actor, core: Distributor, wake: Callable[[], None]) -> None:
        self._actor = actor
        self._core = core
        self._wake = wake
        self._errors: dict[str, dict[str, str]] = {}
        self._seldom = Seldom(actor.log, actor.clock.now)
        self._known: set[str] = set()
        self._warned: dict[str, str] = {}
        self._standing: dict[str, str] = {}
        self._names: dict[str, str | None] = {}
        self._by_json: dict[str, set[str]] = {}
        self._old_errors: set[str] = set()
        self.left: set[str] = set()
        self._pause_heard = False
        self.unsaved = False

    async def start(self) -> None:
        """Subscribe to everything that concerns requests."""
        actor = self._actor
        # One after the other, for each object may carry other fields: the newest is not enough.
        await actor.subscribe("Requests/{consumer}", self._on_json, command=True)
        await actor.subscribe("Requests/{consumer}/{Field}", self._on_field)
        for field in _OVERRIDES:
            await actor.subscribe(
                "Requests/{consumer}/{Field}/Set", self._on_override, command=True, Field=field
            )
        await actor.subscribe("Site/Pause", self._on_old_pause)
        await actor.subscribe("Site/Pause/Set", self._on_pause, command=True)
        await actor.subscribe("Site/Hold", self._on_hold)
        await self.publish_pause()

    # ---------------------------------------------------------------- requests

    async def _on_field(self, message: Message) -> None:
        consumer, name = message.params["consumer"], message.params["Field"]
        if name in _OUTPUTS:
            self._on_own_output(consumer, name, message)
        elif not self._admit(consumer):
            return
        elif message.channel is None:
            if message.payload:
                await self._refuse(consumer, name, f"{name[:40]} is not a field of a request")
            else:
                await self._clear_error(consumer, name)
        elif message.error is not None:
            await self._refuse(consumer, message.channel.params["Field"], message.error)
        else:
            fields = {message.channel.params["Field"]: message.value}
            await self._accept(consumer, fields, message)

    async def _on_json(self, message: Message) -> None:
        consumer = message.params["consumer"]
        if not self._admit(consumer):
            return
        if message.error is not None:
            await self._refuse(consumer, "JSON", message.error)
            return
        await self._clear_error(consumer, "JSON")
        if message.payload:
            fields = message.value
            self._by_json.setdefault(consumer, set()).update(fields)
        else:
            # Taken back: what the objects before said is withdrawn with them.
            fields = dict.fromkeys(self._by_json.pop(consumer, ()))
        if fields:
            await self._accept(consumer, fields, message)

    async def _accept(self, consumer: str, fields: dict[str, Any], message: Message) -> None:
        self._known.add(consumer)
        self._core.request(consumer, fields, message.at, retained=message.retained)
        if "CustomName" in fields:
            self._names[consumer] = fields["CustomName"]
        for name in fields:
            await self._clear_error(consumer, name)
        if consumer in self._old_errors:
            self._old_errors.discard(consumer)
            await self._publish_errors(consumer)
        self._wake()

    def _on_own_output(self, consumer: str, name: str, message: Message) -> None:
        if name == "Error" and message.retained and message.payload and self._admit(consumer):
            self._old_errors.add(consumer)  # of a former run: it goes with the next good word
        if name in _LEFT and message.retained and message.payload and self._admit(consumer):
            # Of a former run: what it said last, such as that it stops, must not stand for ever.
            self._known.add(consumer)
            self.left.add(consumer)
            self._wake()
        # An allowance found at start is what a former run left; it is believed for one ttl at most.
        left = name == "Allowance" and message.retained and message.error is None and message.value
        if left and consumer in self._known:
            self._core.inherit(consumer, float(message.value), message.at)

    def _admit(self, consumer: str) -> bool:
        """Ids are `[A-Za-z0-9_-]{1,32}`; more consumers than any house has are not taken in."""
        if consumer in self._known:
            return True
        return len(self._known) < _MOST_CONSUMERS and self._actor.contract.is_id(consumer)

    def forget(self, consumer: str) -> None:
        """A consumer that is gone frees its place."""
        self._known.discard(consumer)
        self.left.discard(consumer)
        self._errors.pop(consumer, None)
        self._names.pop(consumer, None)
        self._by_json.pop(consumer, None)
        self._old_errors.discard(consumer)

    def name_of(self, consumer: str) -> str | None:
        """What people call it: the owner's word, else its own."""
        rule = self._actor.config.consumers.get(consumer)
        return (rule.name if rule else None) or self._names.get(consumer)

    # ---------------------------------------------------------------- refusals

    async def _refuse(self, consumer: str, name: str, sentence: str) -> None:
        errors = self._errors.get(consumer)
        if errors is None:
            await self._make_room()
            errors = self._errors[consumer] = {}
        if errors.get(name) == sentence:
            return
        if name not in errors and len(errors) >= _MOST_ERRORS:
            del errors[next(iter(errors))]
        errors[name] = sentence
        # Its Error topic has every word; the log need not.
        self._seldom.warning(consumer, f"request of {consumer} refused: {sentence}")
        await self._publish_errors(consumer)

    async def _make_room(self) -> None:
        """Who only ever sent rubbish must not be remembered for ever."""
        if len(self._errors) >= _MOST_CONSUMERS:
            oldest = next(iter(self._errors))
            del self._errors[oldest]
            await self._actor.publish("Requests/{consumer}/Error", None, consumer=oldest)

    async def _clear_error(self, consumer: str, name: str) -> None:
        if self._errors.get(consumer, {}).pop(name, None) is not None:
            await self._publish_errors(consumer)

    async def _publish_errors(self, consumer: str) -> None:
        text = "; ".join(self._errors.get(consumer, {}).values()) or None
        await self._actor.publish("Requests/{consumer}/Error", text, consumer=consumer)

    # ---------------------------------------------------------------- the owner's word

    async def _on_override(self, message: Message) -> None:
        consumer, name = message.params["consumer"], message.params["Field"]
        if not await self._is_live_command(message) or not self._admit(consumer):
            return
        if message.value is not None:
            self._known.add(consumer)
        self._core.override(consumer, name, message.value)
        self.unsaved = True
        self._wake()

    async def _on_pause(self, message: Message) -> None:
        if not await self._is_live_command(message):
            return
        self._core.pause(bool(message.value))
        self._pause_heard = self.unsaved = True
        await self.publish_pause()
        self._wake()

    async def _on_old_pause(self, message: Message) -> None:
        # Our own word of a former run; the state folder knows it too, but may have been deleted.
        # Once the owner has spoken in this run, what a reconnect brings is older than that.
        if self._pause_heard or not message.retained or message.value is not True:
            return
        if not self._core.paused:
            self._core.pause(True)
            await self.publish_pause()
            self._wake()

    async def publish_pause(self) -> None:
        """Tell whether the owner has paused the sharing."""
        await self._actor.publish("Site/Pause", self._core.paused)

    async def _is_live_command(self, message: Message) -> bool:
        sentence = message.error
        if message.retained:
            sentence = f"{message.address} was sent with the retain flag, so it is not obeyed"
        if sentence is None:
            if self._warned.pop(message.address, None) is not None:
                await self._tell_warnings()
            return True
        if message.payload:
            if len(self._warned) >= _MOST_ERRORS:
                del self._warned[next(iter(self._warned))]
            self._warned[message.address] = sentence
            await self._tell_warnings()
        return False

    async def warn(self, subject: str, sentence: str | None) -> None:
        """A warning of another part of this actor, beside our own; None when it is over."""
        if sentence == self._standing.get(subject):
            return
        if sentence is None:
            del self._standing[subject]
        else:
            self._standing[subject] = sentence
        await self._tell_warnings()

    async def _tell_warnings(self) -> None:
        sentences = (*self._standing.values(), *self._warned.values())
        await self._actor.message("Warning", "; ".join(sentences) or None)

    def _on_hold(self, message: Message) -> None:
        if message.retained or message.error is not None:
            return
        self._core.hold(message.value, message.at)
        self._wake()
