"""The shell of `mirror`: what es-ESS's flows read besides allowances and calculations."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from actors.compat.es_ess.core import ROOT
from actors.compat.es_ess.mirror import ALL_SERVICES, Ring, Tally, local, service, text, wattpilot
from bridge import __version__

if TYPE_CHECKING:
    from datetime import datetime

    from actors.compat.es_ess.actor import EsEss
    from bridge.bus import Message

BASE: Final = "es-ESS"
_SYS: Final = f"{BASE}/$SYS"
_EVERY_MINUTE: Final = 60.0
_SAVE_EVERY: Final = 60.0
_CAR_EVERY: Final = 5.0
_MOST_ECHOES: Final = 50
_ECHO_LASTS: Final = 10.0
_FIELDS: Final = f"{ROOT}/Requests/"
_MOST_CONSUMERS: Final = 200
_COUNTED_SAVE: Final = 10.0
_WARNING_STANDS: Final = 10.0
"""S after which a warning goes to es-ESS's places, which keep it for ever: a start has many that
are over at once, of what has only not been heard yet."""
_DRAWS_FOR: Final = 180.0
"""S for which a consumer of our tree draws what it said last; es-ESS's have their own time."""
_DAY: Final = "%Y-%m-%d"


class Serving:
    """Everything that only goes out. It says nothing while a real es-ESS speaks on the tree."""

    def __init__(self, actor: EsEss) -> None:
        self._actor = actor
        self._tree = actor.tree
        self._clock = actor.clock
        self._tallies: dict[str, Tally] = {}
        self._drawing: dict[str, float] = {}
        self._own: dict[str, dict[str, Any]] = {}
        self._echoes: dict[str, deque[tuple[bytes, float]]] = {}
        self._stamps: deque[bytes] = deque(maxlen=_MOST_ECHOES)
        self._ring = Ring()
        self._session = 0
        self._ticked = self._clock.now()
        self._minute = self._saved = self._car_at = float("-inf")
        self._mode: str | None = None
        self._messages: dict[tuple[str, str], str] = {}
        # By actor: service, line, when it came (UTC, and monotonic s).
        self._warnings: dict[str, tuple[str, str, datetime, float]] = {}
        self._counted = False

    @property
    def charger(self) -> str | None:
        """The one Wattpilot of the house; None without one, and with several."""
        found = [id_ for id_, each in self._actor.config.actors.items() if each.kind == "wattpilot"]
        return found[0] if len(found) == 1 else None

    @property
    def _teller(self) -> str | None:
        """The device that tells `BatteryTimeToGo`: the service, else the house's one battery."""
        for id_, each in self._actor.config.actors.items():
            if each.kind == "time_to_go":
                return id_
        site = self._actor.config.site
        return site.battery[0] if site is not None and len(site.battery) == 1 else None

    async def start(self) -> None:
        """Restore the counters and listen."""
        found = self._actor.state.load("energies") or {}
        self._tallies = {
            name: Tally.restored(each)
            for name, each in list(found.items())[:_MOST_CONSUMERS]
            if self._actor.contract.is_id(name)
        }
        subscribe = self._actor.subscribe
        await subscribe("Requests/{consumer}", self._on_request)
        await subscribe("Requests/{consumer}/Energy", self._on_energy)
        await subscribe("Actors/{actor}/Messages/{Level}", self._on_message)
        if self.charger is not None:
            pattern = "Devices/{device}/{Control}"
            await subscribe("Devices/{device}/State", self._on_car, device=self.charger)
            await subscribe(pattern, self._on_mode, device=self.charger, Control="ChargeMode")
        if self._teller is not None:
            await subscribe("Devices/{device}/State", self._on_battery, device=self._teller)

    # ---------------------------------------------------------------- in

    def _on_request(self, message: Message) -> None:
        """A consumer of our own tree; those of es-ESS's speak for themselves there."""
        consumer = message.params["consumer"]
        if message.retained or not isinstance(message.value, dict):
            return
        if consumer in self._actor.ledger.consumers and not self._configured(consumer):
            self._own.pop(consumer, None)
            return
        known = {**self._own.get(consumer, {}), **message.value}
        known = {name: value for name, value in known.items() if value is not None}
        self._draws(consumer, known.get("Consumption"))
        if not known:
            self._own.pop(consumer, None)
        elif consumer in self._own or len(self._own) < _MOST_CONSUMERS:
            self._own[consumer] = known
        for name, value in message.value.items():
            if value is not None:
                self.send(f"{ROOT}/Requests/{consumer}/{name}", text(value), qos=1)

    def _draws(self, consumer: str, watts: Any) -> None:
        if isinstance(watts, (int, float)) and watts > 0:
            self._drawing[consumer] = self._clock.now()
        else:
            self._drawing.pop(consumer, None)

    def _on_energy(self, message: Message) -> None:
        consumer = message.params["consumer"]
        if message.value is None or message.error is not None:
            return
        if consumer in self._tallies or len(self._tallies) < _MOST_CONSUMERS:
            tally = self._tally(consumer)
            before = tally.counter
            tally.energy(message.value, self._today)
            self._counted |= tally.counter != before

    def _tally(self, consumer: str) -> Tally:
        return self._tallies.setdefault(consumer, Tally())

    def _on_message(self, message: Message) -> None:
        """`2026-11-21T21:14:03Z one line` of ours is `time | one line` there."""
        actor, level = message.params["actor"], message.params["Level"]
        line = message.payload.decode(errors="replace")
        made = self._actor.config.actors.get(actor)
        kind = made.kind if made is not None else actor
        role = getattr(made.settings, "role", None) if made is not None else None
        name = service(kind, role)
        if not line and level == "Warning":
            self._warnings.pop(actor, None)
        if not line or name is None or self._messages.get((actor, level)) == line:
            return
        self._messages[actor, level] = line
        if level == "Warning":
            # One that only changes its words stands since the first of them.
            _, _, moment, at = self._warnings.get(
                actor, (name, line, self._clock.utc(), self._clock.now())
            )
            self._warnings[actor] = (name, line, moment, at)
        else:
            self._put(name, level, line, self._clock.utc())

    def _put(self, name: str, level: str, line: str, moment: datetime) -> None:
        _, _, words = line.partition(" ")
        shown = f"{local(moment)} | {words}"
        self.send(f"{BASE}/{self._ring.place(name, level)}", shown.encode(), retain=True)

    def _put_warnings(self, now: float) -> None:
        for actor, (name, line, moment, at) in list(self._warnings.items()):
            if now - at >= _WARNING_STANDS:
                del self._warnings[actor]
                self._put(name, "Warning", line, moment)

    def _on_mode(self, message: Message) -> None:
        self._mode = message.value if isinstance(message.value, str) else None

    def _on_car(self, message: Message) -> None:
        now = self._clock.now()
        if message.retained or not isinstance(message.value, dict):
            return
        if now - self._car_at < _CAR_EVERY:
            return
        self._car_at = now
        for path, payload in wattpilot(message.value, self._mode).items():
            self.send(f"{BASE}/FroniusWattpilot{path}", payload)

    def _on_battery(self, message: Message) -> None:
        if message.retained or not isinstance(message.value, dict):
            return
        # One topic for both directions there.
        told = (message.value.get(name) for name in ("BatteryTimeToGo", "BatteryTimeToFull"))
        seconds = next((each for each in told if each is not None), None)
        if seconds is not None:
            self.send(f"{BASE}/TimeToGoCalculator/TimeToGo", str(int(seconds)).encode())

    # ---------------------------------------------------------------- out

    def send(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """Publish on the tree, and remember it: what we said comes back to us there."""
        if self._actor.held:
            return
        if self._tree.send(topic, payload, qos=qos, retain=retain) and topic.startswith(_FIELDS):
            known = self._echoes.setdefault(topic, deque(maxlen=_MOST_ECHOES))
            known.append((payload, self._clock.now()))

    def is_echo(self, topic: str, payload: bytes) -> bool:
        """True, once, for what we have published there ourselves a moment ago."""
        known = self._echoes.get(topic)
        if not known:
            return False
        oldest = self._clock.now() - _ECHO_LASTS
        while known and known[0][1] < oldest:
            known.popleft()
        if all(said != payload for said, _ in known):
            return False
        # What was said before it has been replaced on its way: the newest of a topic waits alone.
        while known.popleft()[0] != payload:
            pass
        return True

    def is_own_stamp(self, payload: bytes) -> bool:
        """True for a `LastUpdateTime` of ours, however late it comes."""
        return payload in self._stamps

    def owns(self, consumer: str) -> bool:
        """True for a consumer that lives on our tree and is only shown on es-ESS's."""
        return consumer in self._own or self._configured(consumer)

    def _configured(self, consumer: str) -> bool:
        """True for the id of a switch or a charger of ours, which speaks on our tree only."""
        actor = self._actor.config.actors.get(consumer)
        return actor is not None and actor.kind != "external"

    def gave(self, consumer: str, payload: bytes) -> None:
        """An allowance of a consumer of our tree, for whoever watches es-ESS's."""
        if self.owns(consumer):
            self.send(f"{ROOT}/Requests/{consumer}/Allowance", payload, qos=1)
            self.stamped(consumer)

    def stamped(self, consumer: str) -> None:
        """When the last allowance went out."""
        self.send(f"{ROOT}/Requests/{consumer}", local(self._clock.utc()).encode())

    def updated(self) -> None:
        """The figures are new: this is es-ESS's sign of life."""
        moment = self._clock.utc()
        stamp = f"{moment.timestamp():.6f}".encode()
        self._stamps.append(stamp)
        self.send(f"{ROOT}/LastUpdateTime", stamp, qos=1)
        self.send(f"{ROOT}/LastUpdateDateTime", local(moment).encode(), qos=1)

    @property
    def _today(self) -> str:
        return self._clock.utc().strftime(_DAY)

    def tick(self) -> None:
        """Count running time; once a minute and after each connect tell what changes slowly."""
        now = self._clock.now()
        step, self._ticked = now - self._ticked, now
        for consumer, fields in self._actor.ledger.fields().items():
            self._draws(consumer, fields.get("Consumption"))
        for consumer, heard_at in list(self._drawing.items()):
            if now - heard_at > _DRAWS_FOR:
                del self._drawing[consumer]  # who has gone does not run for ever
            else:
                self._tally(consumer).ran(step, self._today)
        self._put_warnings(now)
        if self._tree.sessions != self._session:
            self._session = self._tree.sessions
            self._introduce(self._clock.utc())
            self._minute = float("-inf")
        if now - self._minute >= _EVERY_MINUTE:
            self._minute = now
            self._tell()
        # A crash must not take the time of an energy that the counter brings back.
        if now - self._saved >= (_COUNTED_SAVE if self._counted else _SAVE_EVERY):
            self.save()

    def save(self) -> None:
        """Keep the counters."""
        self._saved, self._counted = self._clock.now(), False
        if self._tallies:
            found = {name: each.saved() for name, each in self._tallies.items()}
            self._actor.state.save("energies", found)

    def _introduce(self, moment: datetime) -> None:
        self.send(f"{_SYS}/Version", f"Heliograph {__version__}".encode(), qos=1, retain=True)
        stamp = f"{moment.timestamp():.3f}".encode()
        self.send(f"{_SYS}/ConnectionTime", stamp, qos=1, retain=True)
        self.send(f"{_SYS}/ConnectionDateTime", local(moment).encode(), qos=1, retain=True)
        actors = self._actor.config.actors.values()
        on = {service(each.kind, getattr(each.settings, "role", None)) for each in actors}
        for name in ALL_SERVICES:
            self.send(f"{BASE}/{name}", b"Enabled" if name in on else b"Disabled")

    def _tell(self) -> None:
        for minutes, load in zip((1, 5, 15), os.getloadavg(), strict=True):
            self.send(f"{_SYS}/Load/{minutes}", f"{load:.2f}".encode())
        self.send(f"{_SYS}/MqttThrottle/Status", b"Disabled")
        for consumer, tally in self._tallies.items():
            for name, value in tally.figures().items():
                topic = f"{ROOT}/Requests/{consumer}/Energy/{name}"
                self.send(topic, f"{value:.1f}".encode(), qos=1, retain=True)
