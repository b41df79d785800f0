"""The keys of go-e chargers and of the Fronius Wattpilot, which is one. Pure: keys in, values out.

Both give the same names whichever way they are asked (HTTP API v2, MQTT, WebSocket). Sent: W, V, A,
Wh, ct/kWh, ms. Given: W, V, A, kWh, EUR/kWh, °C, dBm; Power + = what the car takes. What is
missing, null, no number or of another type is None. Numbers may come as text.
Source: goecharger/go-eCharger-API-v2, apikeys-en; wattpilot.yaml of wattpilot-api 1.6.0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bridge.charging.model import NO_THREE, Three, VehicleState

if TYPE_CHECKING:
    from collections.abc import Mapping

    Keys = Mapping[str, Any]
    Values = dict[str, float | str | None]

KEYS: Final = (
    *("car", "alw", "acu", "amp", "amx", "ama", "mca", "amt", "cbl", "adi", "var", "acs", "trx"),
    *("frc", "lmo", "psm", "fsp", "pnp", "pha", "nrg", "eto", "wh", "tpa", "fhz", "tma"),
    *("err", "modelStatus", "awcp", "awp", "ful", "fup", "fst", "dwo", "ust", "cus", "rssi"),
    *("sse", "typ", "fna", "fwv"),
)
"""All that `decode` reads, for chargers that are asked for some of their keys only."""

# frc, psm and lmo as they are written.
NEUTRAL, OFF, ON = 0, 1, 2
AUTO_PHASES, ONE_PHASE, THREE_PHASES = 0, 1, 2
PHASE_WORDS: Final = {ONE_PHASE: 1, THREE_PHASES: 3}
MODES: Final = {3: "default", 4: "eco", 5: "next_trip"}

LEAST_CURRENT: Final = 6.0
_PHASES = 3
_LONGEST = 64

_CARS: Final[dict[int, VehicleState]] = {
    1: "disconnected",
    2: "charging",
    3: "waiting",
    4: "complete",
    5: "fault",
}
STATES: Final = {
    0: "no_data",
    1: "overtemperature",
    2: "access_wait",
    3: "forced_on",
    4: "forced_off",
    5: "schedule",
    6: "energy_limit",
    7: "cheap_price",
    **dict.fromkeys((8, 9, 10, 11), "automatic_stop"),
    12: "surplus",
    13: "default",
    14: "schedule",
    15: "fallback",
    **dict.fromkeys((16, 17), "expensive_price"),
    18: "automatic_wait",
    19: "keep_alive",
    20: "no_pause",
    22: "pause",
    23: "phase_switch",
    24: "pause",
    26: "error",
    27: "load_management",
    28: "ocpp",
    29: "pause",
    30: "adapter",
    31: "under_frequency",
    32: "unbalanced_load",
    33: "home_battery",
}
"""Why a charger charges or does not, by the number of `modelStatus`; others are `other`."""

ERRORS: Final = {
    0: "none",
    1: "residual_current_ac",
    2: "residual_current_dc",
    3: "phase",
    4: "overvoltage",
    5: "overcurrent",
    6: "diode",
    7: "cable_coding",
    8: "ground",
    9: "contactor_stuck",
    10: "contactor_missing",
    11: "residual_current_unknown",
    12: "unknown",
    13: "overtemperature",
    14: "no_communication",
    15: "lock_stuck_open",
    16: "lock_stuck_locked",
}
"""What is wrong with a charger, by the number of `err`; others are `other`."""

_SENTENCES = {
    1: "the residual current device tripped on alternating current",
    2: "the residual current device tripped on direct current",
    3: "a phase is missing or wrong",
    4: "the mains voltage is too high",
    5: "the car draws more current than it may",
    6: "the car's side of the signal is wrong (diode)",
    7: "the cable's coding cannot be read",
    8: "the protective earth is missing",
    9: "a contactor sticks",
    10: "a contactor does not close",
    11: "the residual current device reports an unknown fault",
    12: "an unknown fault",
    13: "it is too hot",
    14: "its parts do not talk to each other",
    15: "the cable's lock sticks open",
    16: "the cable's lock sticks closed",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the keys of one moment say.

    car: a word of VehicleState; `charging` while the car takes power. allowed: the charger lets it.
    force, psm: as written (NEUTRAL …, AUTO_PHASES …); mode_number: `lmo`.
    current: A per phase it was told, `amx` where the charger has it; volatile: it has `amx`.
    stored: `amp`, A per phase. given: `acu`, A per phase it gives now.
    least_current: A per phase that the owner set it to. most_current: A per phase that
    installation, cable, adapter and temperature leave at most.
    cable: A that the cable bears, None without one. wired: phases of the mains.
    power: W of all; powers, voltages, currents, factors: L1 to L3.
    energy: kWh ever; session: kWh since the car came; limit: kWh it may take, None without one.
    error: number of `err`; state: number of `modelStatus`. price, price_limit: EUR/kWh.
    surplus, prices: its own control by surplus or price is on.
    """

    car: VehicleState | None = None
    allowed: bool | None = None
    force: int | None = None
    mode_number: int | None = None
    psm: int | None = None
    current: float | None = None
    volatile: bool = False
    stored: float | None = None
    given: float | None = None
    least_current: float | None = None
    most_current: float | None = None
    cable: float | None = None
    wired: int | None = None
    single: bool | None = None
    power: float | None = None
    powers: Three = NO_THREE
    voltages: Three = NO_THREE
    currents: Three = NO_THREE
    factors: Three = NO_THREE
    frequency: float | None = None
    energy: float | None = None
    session: float | None = None
    limit: float | None = None
    error: int | None = None
    state: int | None = None
    price: float | None = None
    price_limit: float | None = None
    surplus: bool | None = None
    prices: bool | None = None
    temperature: float | None = None
    signal: float | None = None
    serial: str | None = None
    model: str | None = None
    name: str | None = None
    firmware: str | None = None

    @property
    def mode(self) -> str | None:
        """`mode_number` as a word of MODES, or `other`."""
        return None if self.mode_number is None else MODES.get(self.mode_number, "other")

    @property
    def switching(self) -> bool:
        """True while it changes between one phase and three."""
        return self.state == 23  # noqa: PLR2004 - modelStatus, see STATES

    @property
    def phases(self) -> int | None:
        """Phases the car may use: as forced, else as it was last, else as the house has them."""
        if self.psm is not None and self.psm in PHASE_WORDS:
            return min(PHASE_WORDS[self.psm], self.wired or _PHASES)
        if self.single is not None:
            return 1 if self.single else self.wired
        return self.wired

    @property
    def state_word(self) -> str | None:
        """`state` as a word of STATES."""
        return None if self.state is None else STATES.get(self.state, "other")

    @property
    def error_word(self) -> str | None:
        """`error` as a word of ERRORS."""
        return None if self.error is None else ERRORS.get(self.error, "other")

    @property
    def complaint(self) -> str | None:
        """What is wrong with the charger as half a sentence; None when nothing is known to be."""
        if self.error:
            return _SENTENCES.get(self.error, f"it reports the error {self.error}")
        return "it reports a fault" if self.car == "fault" else None


def decode(keys: Keys) -> Decoded:
    """Read the keys of one moment. Raises nothing: what cannot be understood is None."""
    nrg = keys.get("nrg")
    nrg = nrg if isinstance(nrg, list) else []
    amx, amp = number(keys.get("amx")), number(keys.get("amp"))
    return Decoded(
        car=_car(keys),
        allowed=flag(keys.get("alw")),
        force=whole(keys.get("frc")),
        mode_number=whole(keys.get("lmo")),
        psm=whole(keys.get("psm")),
        current=amp if amx is None else amx,
        volatile=amx is not None,
        stored=amp,
        given=number(keys.get("acu")),
        least_current=number(keys.get("mca")),
        most_current=_most_current(keys),
        cable=number(keys.get("cbl")),
        wired=_wired(keys),
        single=flag(keys.get("fsp")),
        power=_at(nrg, 11),
        powers=_three(nrg, 7),
        voltages=_three(nrg, 0),
        currents=_three(nrg, 4),
        factors=_three(nrg, 12, 0.01),
        frequency=number(keys.get("fhz")),
        energy=_scaled(number(keys.get("eto")), 0.001),
        session=_scaled(number(keys.get("wh")), 0.001),
        limit=_scaled(number(keys.get("dwo")), 0.001),
        error=whole(keys.get("err")),
        state=whole(keys.get("modelStatus")),
        price=_price(keys.get("awcp")),
        price_limit=_scaled(number(keys.get("awp")), 0.01),
        surplus=flag(keys.get("fup")),
        prices=flag(keys.get("ful")),
        temperature=_hottest(keys.get("tma")),
        signal=number(keys.get("rssi")),
        serial=text(keys.get("sse")),
        model=text(keys.get("typ")),
        name=text(keys.get("fna")),
        firmware=text(keys.get("fwv")),
    )


EXTRAS: Final = (
    *("ChargerState", "ChargerError", "Frequency", "PowerFactorL{phase}", "CableCurrent"),
    *("ChargingPrice", "ChargingPriceLimit", "Temperature", "SignalStrength"),
)
"""The quantities that `extras` gives, beside those that every charger has."""


def extras(found: Decoded) -> Values:
    """Give the quantities that only these chargers have; always the same names."""
    values: Values = {
        "ChargerState": found.state_word,
        "ChargerError": found.error_word,
        "Frequency": found.frequency,
        "CableCurrent": found.cable,
        "ChargingPrice": found.price,
        "ChargingPriceLimit": found.price_limit,
        "Temperature": found.temperature,
        "SignalStrength": found.signal,
    }
    return values | {f"PowerFactorL{n}": each for n, each in enumerate(found.factors, 1)}


# -------------------------------------------------------------------------------- single keys


def number(value: Any) -> float | None:
    """Give a finite number, also one that came as text; flags are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    """Give a whole number; 2.5 is none."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def flag(value: Any) -> bool | None:
    """Give a flag, also one that came as 0, 1 or text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return {0: False, 1: True}.get(whole(value))  # type: ignore[arg-type]


def text(value: Any) -> str | None:
    """Give a word for people on one line; numbers become text."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return " ".join(str(value).split())[:_LONGEST] or None


def _car(keys: Keys) -> VehicleState | None:
    """The car as a word of VehicleState.

    A charger that was told to stop calls the car complete, too: only one that lets it charge knows.
    """
    if "car" not in keys:
        return None
    found = whole(keys["car"])
    if found is None and keys["car"] is not None:
        return None
    word: VehicleState = _CARS.get(found or 0, "fault")
    if word in {"waiting", "complete"} and flag(keys.get("alw")) is False:
        return "connected"
    return word


def _wired(keys: Keys) -> int | None:
    """Phases of the mains: what has voltage before the contactor (then after it), else `pnp`."""
    pha = keys.get("pha")
    if isinstance(pha, list) and len(pha) >= 2 * _PHASES and any(map(flag, pha)):
        return sum(bool(flag(pha[n]) or flag(pha[n + _PHASES])) for n in range(_PHASES))
    found = whole(keys.get("pnp"))
    return found if found in {1, 2, 3} else None


def _most_current(keys: Keys) -> float | None:
    """The least of all limits that are known; without any it is unknown."""
    limits = [number(keys.get(name)) for name in ("ama", "cbl", "amt")]
    if flag(keys.get("adi")):
        limits.append(16.0)
    if number(keys.get("var")) == 11:  # noqa: PLR2004 - kW of the smaller variant, 16 A
        limits.append(16.0)
    known = [each for each in limits if each is not None and each > 0]
    return min(known) if known else None


def _price(value: Any) -> float | None:
    if not isinstance(value, dict):
        return None
    return _scaled(number(value.get("marketprice")), 0.01)


def _hottest(value: Any) -> float | None:
    known = [number(each) for each in (value if isinstance(value, list) else [value])]
    return max((each for each in known if each is not None), default=None)


def _at(values: list[Any], index: int) -> float | None:
    return number(values[index]) if index < len(values) else None


def _three(values: list[Any], first: int, factor: float = 1.0) -> Three:
    one, two, three = (_scaled(_at(values, first + n), factor) for n in range(_PHASES))
    return one, two, three


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, 9)
