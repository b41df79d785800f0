"""The charger behind a simulated go-e or Wattpilot: its keys, its contactor, its car. No I/O.

It keeps the keys as the real ones have them (W, V, A, Wh, ct/kWh) and follows those that are
written; `advance` moves its time on. It has no watchdog: `frc` 2 charges until somebody ends it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bridge.charging import goe_keys as goe

if TYPE_CHECKING:
    from bridge.simulators.car import Car

    Keys = dict[str, Any]

_PHASES: Final = 3
_BOUNDS: Final = {
    "amp": (6, 32),
    "amx": (6, 32),
    "frc": (0, 2),
    "psm": (0, 2),
    "lmo": (3, 5),
    "acs": (0, 1),
}
_PLAIN: Final = frozenset({"awp", "fst", "spl3", "dwo", "mptwt", "mpwst", "mcpd", "trx", "fna"})
_FLAGS: Final = frozenset({"ful", "fup"})
PERSISTENT: Final = frozenset({*_BOUNDS, *_PLAIN, *_FLAGS}) - {"amx", "frc", "trx"}
"""What is counted as a write to the EEPROM."""
SWITCH, FORCED_ON, FORCED_OFF, ERROR = 23, 3, 4, 26


class GoeBox:
    """One charger of 11 kW (`variant` 22: 32 A) with `car` at its cable, if that is plugged in.

    volatile: it has `amx`. switch_time: s that changing the phases takes, with the contactor open.
    pause: least s between two changes of phases (`mptwt`), 0 for none. voltage: V of each phase.
    surplus: W that the maker's own control believes to have; cable: A that the cable bears.
    `written` counts what was written to each key, `switches` and `starts` what the contactor did.
    """

    def __init__(
        self,
        car: Car,
        *,
        variant: int = 11,
        volatile: bool = True,
        switch_time: float = 5.0,
        phases: int = _PHASES,
        voltage: float = 230.0,
        **keys: Any,
    ) -> None:
        self.car = car
        self.switch_time = switch_time
        self.voltage = voltage
        self.surplus = 0.0
        self.cable = 32 if variant == 22 else 20  # noqa: PLR2004 - kW
        self.written: dict[str, int] = {}
        self.switches = self.starts = 0
        self._wired = phases
        self._switching = 0.0
        self._charged = False
        self._clock = 0.0
        self.keys: Keys = _factory(variant, phases, volatile=volatile) | keys
        self._single = self._wants_single()
        self.advance(0.0)

    # ---------------------------------------------------------------- hands and cables

    def plug(self, soc: float | None = None) -> None:
        """Put the cable into the car, which has come home with so much charge (%)."""
        self.car.plug(soc)
        self._charged = False
        self.keys["wh"] = 0.0
        self.advance(0.0)

    def unplug(self) -> None:
        """Take the cable out."""
        self.car.unplug()
        self._charged = False
        self.advance(0.0)

    def fail(self, error: int) -> None:
        """Report the error of that number; 0 is over."""
        self.keys["err"] = error
        self.advance(0.0)

    # ---------------------------------------------------------------- keys

    def set(self, key: str, value: Any) -> str | None:
        """Follow a written key; a sentence when it is refused."""
        if (key == "amx" and "amx" not in self.keys) or key not in {*_BOUNDS, *_PLAIN, *_FLAGS}:
            return "unknown key"
        if key in _FLAGS and not isinstance(value, bool):
            return f"value must be boolean {key}"
        if key in _BOUNDS:
            low, high = _BOUNDS[key]
            most = min(high, self.keys["ama"]) if key in {"amp", "amx"} else high
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= most:
                return f"value out of range {key}"
        self.written[key] = self.written.get(key, 0) + 1
        self.keys[key] = value
        if key == "amp" and "amx" in self.keys:
            self.keys["amx"] = value
        self.advance(0.0)
        return None

    @property
    def power(self) -> float:
        """W that the car takes."""
        return float(self.keys["nrg"][11])

    @property
    def current(self) -> float:
        """A per phase that are asked for now."""
        return float(self.keys["amx"] if "amx" in self.keys else self.keys["amp"])

    # ---------------------------------------------------------------- time

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self._clock += seconds
        self._switching = max(0.0, self._switching - seconds)
        self._contactor()
        allowed, state = self._judge()
        if allowed and not self.keys["alw"]:
            self.starts += 1
        self.keys |= {"alw": allowed, "modelStatus": state}
        currents = self._flow(seconds, allowed=allowed)
        self._measure(currents, seconds)
        self.keys["car"] = self._car_state(currents, allowed=allowed)
        self.keys["rbt"] = 1_560_937_433 + round(self._clock * 1000)

    def _wants_single(self) -> bool:
        psm = self.keys["psm"]
        return self._wired == 1 or psm == goe.ONE_PHASE

    def _contactor(self) -> None:
        wanted = self._wants_single()
        if wanted != self._single:
            self._single = wanted
            self.switches += 1
            # Under current it opens, waits and closes on the other phases.
            self._switching = self.switch_time
        if self._switching == 0:
            self.keys["fsp"] = self._single

    def _judge(self) -> tuple[bool, int]:
        """Whether it lets the car charge, and the number of the reason."""
        keys = self.keys
        reasons = (
            (keys["err"] != 0, False, ERROR),
            (not self.car.plugged, False, 0),
            (keys["acs"] == 1 and keys["trx"] is None, False, 2),
            (keys["frc"] == goe.OFF, False, FORCED_OFF),
            (self._switching > 0, False, SWITCH),
            (keys["frc"] == goe.ON, True, FORCED_ON),
            (keys["dwo"] is not None and keys["wh"] >= keys["dwo"], False, 6),
            # From here on its own control: by default it charges, in eco by price or surplus.
            (goe.MODES.get(keys["lmo"]) == "default", True, 15),
            (keys["ful"] and keys["awcp"]["marketprice"] <= keys["awp"], True, 7),
            (keys["fup"] and self.surplus >= keys["fst"], True, 12),
            (keys["ful"], False, 17),
        )
        for holds, allowed, state in reasons:
            if holds:
                return allowed, state
        return False, 18

    def _flow(self, seconds: float, *, allowed: bool) -> tuple[float, float, float]:
        self.keys["cbl"] = self.cable if self.car.plugged else None
        offered = min(self.current, self.cable, self.keys["ama"]) if allowed else 0.0
        self.keys["acu"] = round(offered) or None
        self.car.step(seconds, offered, 1 if self._single else self._wired, self.voltage)
        return self.car.currents

    def _measure(self, currents: tuple[float, float, float], seconds: float) -> None:
        volts = [self.voltage if n < self._wired else 0.0 for n in range(_PHASES)]
        powers = [round(amps * self.voltage) for amps in currents]
        total = sum(powers)
        factors = [99 if amps else 0 for amps in currents]
        amps = [round(each, 2) for each in currents]
        self.keys["nrg"] = [*volts, 1, *amps, *powers, 0, total, *factors, 0]
        drawn = total * seconds / 3600.0
        self.keys["wh"] += drawn
        self.keys["eto"] += drawn
        self._charged = self._charged or total > 0
        closed = self.keys["alw"]
        before = [n < self._wired for n in range(_PHASES)]
        after = [closed and on and (n == 0 or not self._single) for n, on in enumerate(before)]
        self.keys["pha"] = [*before, *after]

    def _car_state(self, currents: tuple[float, float, float], *, allowed: bool) -> int:
        if self.keys["err"]:
            return 5
        if not self.car.plugged:
            return 1
        if any(currents):
            return 2
        # Whoever was stopped after it had charged is called complete, full or not.
        return 4 if self._charged and not (allowed and not self.car.full) else 3


def _factory(variant: int, phases: int, *, volatile: bool) -> Keys:
    most = 32 if variant == 22 else 16  # noqa: PLR2004 - kW
    keys: Keys = json.loads(_NEW)
    keys |= dict.fromkeys(("amp", "ama"), most) | {"var": variant, "pnp": phases}
    return keys | {"amx": most} if volatile else keys


_NEW = """{
  "adi": false, "acu": null, "amt": 32, "alw": false, "car": 1, "frc": 0, "lmo": 4, "psm": 0,
  "fsp": false, "pha": [false, false, false, false, false, false], "acs": 0, "trx": null,
  "err": 0, "ust": 0, "cus": 3, "modelStatus": 0, "dwo": null, "nrg": [0], "wh": 0.0,
  "eto": 1076098.0, "fhz": 49.982, "tma": [26.5, 31.25], "rssi": -66, "rbt": 0, "tpa": 0.0,
  "awc": 0, "awp": 12.5, "ful": false, "fup": false, "fst": 99000, "spl3": 4200,
  "mptwt": 600000, "mpwst": 120000, "mcpd": 0, "pgrid": null, "ppv": null, "pakku": null,
  "awcp": {"start": 1795132800, "end": 1795136400, "marketprice": 8.71}
}"""
