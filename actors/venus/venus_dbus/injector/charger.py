"""The buttons of a charger on the GX, turned into leases on the controls of our device. Pure.

Mode automatic: nobody holds the charger, it follows the sun. Mode manual: this side holds
`ChargeEnable`, and StartStop says its value. SetCurrent holds `ChargeCurrent`. A lease ends when
its holder falls silent, so nothing that was pressed outlives the GX, the injector or the charger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .figures import current, number_of, vehicle
from .house import source
from .values import legible

if TYPE_CHECKING:
    from .house import House
    from .plan import Entry
    from .values import Value

TTL = 60.0
"""S that a lease is good for; it is renewed at a third of that."""
ANSWER = 15.0
"""S after which a command without an answer has failed."""
ACCEPTED, REFUSED = 0, 2
_MANUAL, _AUTOMATIC, _SCHEDULED = 0, 1, 2
_ENABLE, _CURRENT, _MODE = "ChargeEnable", "ChargeCurrent", "ChargeMode"
_SUN_MODE, _SCHEDULE_MODE = "eco", "next_trip"


@dataclass
class Held:
    """One control that we hold: its value, when it was said last, the answer that is due."""

    value: bool | float | str
    said_at: float
    id: str
    due: float | None


@dataclass
class Buttons:
    """What was pressed on one charger. `outbox` holds (topic, payload) that must be published."""

    entry: Entry
    owner: str
    held: dict[str, Held] = field(default_factory=dict)
    outbox: list[tuple[str, bytes]] = field(default_factory=list)
    why: str | None = None
    _count: int = 0

    # ---------------------------------------------------------------- what is shown

    def figures(self, house: House, now: float) -> dict[str, Value]:
        """The paths that can be written, and the state of the car."""
        topic = source(self.entry)
        mode = self._mode(house, now)
        return {
            "/Mode": mode,
            "/StartStop": self._running(house),
            "/SetCurrent": self._set_current(house),
            "/Current": current(self.entry, house),
            "/Status": vehicle(self.entry, house, automatic=mode == _AUTOMATIC),
            "/Session/Energy": house.number(topic, "SessionEnergy"),
        }

    def _mode(self, house: House, now: float) -> int | None:
        if _MODE in self.held:
            return _SCHEDULED if self.held[_MODE].value == _SCHEDULE_MODE else _AUTOMATIC
        if _ENABLE in self.held:
            return _MANUAL
        mode = house.words.get(self._topic(_MODE))
        if mode == _SCHEDULE_MODE:
            return _SCHEDULED
        request = f"Requests/{self.entry.consumer or self.entry.id}/Grant"
        heard = house.heard.get(request)
        automatic = house.flag(request, "automatic")
        if heard is not None and now - heard.at <= self.entry.silence and automatic is not None:
            return _AUTOMATIC if automatic else _MANUAL
        return None if not mode else _AUTOMATIC if mode == _SUN_MODE else _MANUAL

    def _running(self, house: House) -> int | None:
        if _ENABLE in self.held:
            return int(bool(self.held[_ENABLE].value))
        state = house.word(source(self.entry), "VehicleState")
        return None if state is None else int(state == "charging")

    def _set_current(self, house: House) -> float | None:
        if _CURRENT in self.held:
            return float(self.held[_CURRENT].value)
        lent = number_of(house.words.get(self._topic(_CURRENT)))
        return lent if lent is not None else house.number(source(self.entry), "ChargingCurrent")

    # ---------------------------------------------------------------- what is pressed

    def press(self, path: str, value: Value, house: House, now: float) -> int:
        """Follow a SetValue of a value in the type of its path; 0 accepted, 2 refused."""
        if not isinstance(value, (int, float)):
            return REFUSED
        if path == "/SetCurrent":
            if not self.entry.min_current <= value <= self.entry.max_current:
                return REFUSED
            self._hold(_CURRENT, float(value), now)
            return ACCEPTED
        if path == "/StartStop" and value in {0, 1}:
            self._hold(_ENABLE, value == 1, now)
            return ACCEPTED
        return self._press_mode(value, house, now) if path == "/Mode" else REFUSED

    def _press_mode(self, value: float, house: House, now: float) -> int:
        known = house.words.get(self._topic(_MODE))
        if value == _AUTOMATIC:
            # The bare word ends what somebody else, or a person at the charger, has pressed, too.
            self.held.pop(_ENABLE, None)
            self.outbox.append((f"{self._topic(_ENABLE)}/Set", b""))
            self._release(_CURRENT)
            if known and known != _SUN_MODE:
                self._hold(_MODE, _SUN_MODE, now)
            elif _MODE in self.held and self.held[_MODE].value != _SUN_MODE:
                self._release(_MODE)
            return ACCEPTED
        if value == _MANUAL:
            self._release(_MODE)
            state = house.word(source(self.entry), "VehicleState")
            self._hold(_ENABLE, state == "charging", now)
            return ACCEPTED
        if value == _SCHEDULED and known:
            self._release(_ENABLE)
            self._hold(_MODE, _SCHEDULE_MODE, now)
            return ACCEPTED
        return REFUSED

    # ---------------------------------------------------------------- leases

    def tick(self, now: float) -> None:
        """Renew what is held, and let go of what nobody has answered."""
        for control, held in list(self.held.items()):
            if held.due is not None and now >= held.due:
                self.why = f"{self.entry.device} did not answer to {control}"
                self._release(control)
            elif now - held.said_at >= TTL / 3:
                self._say(control, held.value, now)

    def answer(self, control: str, result: dict[str, object]) -> None:
        """A `Result` of our device: ours when it carries our mark."""
        held = self.held.get(control)
        if held is None or result.get("id") != held.id:
            return
        if result.get("ok") is True:
            held.due = None
            self.why = None
            return
        # Refused, or taken over by somebody: what is not ours is not given back either.
        del self.held[control]
        error = legible(str(result.get("error") or "it was refused"))
        self.why = f"{control} of {self.entry.device}: {error}"

    def let_go(self) -> None:
        """Give back all that is held."""
        for control in list(self.held):
            self._release(control)

    def _hold(self, control: str, value: bool | float | str, now: float) -> None:
        self._say(control, value, now)
        self.held[control].due = now + ANSWER

    def _say(self, control: str, value: bool | float | str, now: float) -> None:
        before = self.held.get(control)
        self._count += 1
        mark = f"{self.owner}-{self._count}"
        due = now + ANSWER if before is None or before.due is None else before.due
        self.held[control] = Held(value, now, mark, due)
        said = {"value": value, "ttl": TTL, "id": mark, "by": self.owner}
        self.outbox.append((f"{self._topic(control)}/Set", json.dumps(said).encode()))

    def _release(self, control: str) -> None:
        if self.held.pop(control, None) is not None:
            said = {"value": None, "by": self.owner}
            self.outbox.append((f"{self._topic(control)}/Set", json.dumps(said).encode()))

    def _topic(self, control: str) -> str:
        return f"Devices/{self.entry.device}/{control}"


@dataclass
class Session:
    """S that a car has been charged since it was connected; unknown until one was seen to come."""

    seconds: float | None = None
    _at: float | None = None
    _charging: bool = False

    def see(self, state: str | None, now: float) -> None:
        """Take the state of the car; time in which nothing was known does not count."""
        if self._charging and self._at is not None and self.seconds is not None:
            self.seconds += now - self._at
        if state == "disconnected":
            self.seconds = 0.0
        self._charging, self._at = state == "charging", now
