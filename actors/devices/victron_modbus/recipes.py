"""How the battery behind a GX is told what to do in ESS mode 3, and when it must not be told.

Pure: what was read goes in; setpoints for the AC input, or one sentence why not, come out. In mode
3 ("external control") the inverter/charger holds the power at its AC input, and nothing on the GX
watches the battery any more: the minimum state of charge, the limits of discharge and the BMS's
flags are what the functions here must keep. Powers are W; a battery's are + when it discharges, as
everywhere here; those at the AC input are + when drawn from it, as the inverter has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WATCHDOG: Final = 60.0
"""Seconds after which the inverter/charger, not hearing a setpoint again, goes to passthru."""
REPEAT: Final = 5.0
"""Seconds between two setpoints: house loads move in between, and the battery pays for them."""
HOLD_CHARGE: Final = frozenset(
    {"discharge_disabled", "force_charge", "sustain", "keep_charged", "off_low_soc"}
)
"""States of BatteryLife in which the GX itself would not discharge."""
_BATTERY_LIFE: Final = frozenset({"restarting", "self_consumption"}) | HOLD_CHARGE
# A Multi needs some ten W for itself and loses a few percent; more than this is a reading that
# was taken while the powers moved.
_LOSS_IDLE, _LOSS_SHARE = 100.0, 0.2
# What setpoints lead to is only estimated: losses, rounding, a load that has just moved.
_UNSURE = 100.0


@dataclass(frozen=True, slots=True)
class Powers:
    """One moment of the inverter/charger, W. `inputs` and `outputs` are per phase that it has.

    outputs: drawn by what hangs on the AC output (minus when PV there makes more); battery: + =
    discharge; solar: from chargers on the DC side; dc_load: loads on the DC side.
    """

    inputs: tuple[float, ...]
    outputs: tuple[float, ...]
    battery: float
    solar: float = 0.0
    dc_load: float = 0.0

    @property
    def loss(self) -> float:
        """What goes in and does not come out; 0 when the readings do not belong together."""
        put_in = sum(self.inputs) + self.battery + self.solar
        loss = put_in - sum(self.outputs) - self.dc_load
        moved = max(abs(sum(self.inputs)), abs(sum(self.outputs)), abs(self.battery))
        return loss if 0.0 <= loss <= _LOSS_IDLE + _LOSS_SHARE * moved else 0.0


def input_setpoints(battery: float, now: Powers) -> tuple[int, ...]:
    """Watt to hold at the AC input of each phase so that the battery delivers `battery`.

    Every phase's inverter gets the same share: what its output draws passes through, and the rest
    is divided evenly.
    """
    phases = len(now.outputs)
    converted = (battery + now.solar - now.dc_load - now.loss) / phases
    return tuple(round(load - converted) for load in now.outputs)


def battery_power(setpoints: Sequence[float], now: Powers) -> float:
    """The discharge that these setpoints of the AC input lead to."""
    return sum(now.outputs) + now.dc_load + now.loss - now.solar - sum(setpoints)


@dataclass(frozen=True, slots=True)
class Guards:
    """What speaks for and against moving the battery. None = not known, False = forbidden.

    soc, min_soc, soc_limit (that of BatteryLife): %; battery_life, input and switch are the words
    of the tables; max_discharge: W, the owner's limit, None without one.
    """

    soc: float | None
    min_soc: float | None
    soc_limit: float | None = None
    battery_life: str | None = None
    allow_charge: bool | None = None
    allow_discharge: bool | None = None
    charge_disabled: bool = False
    feed_in_disabled: bool = False
    input: str | None = None
    switch: str | None = None
    max_discharge: float | None = None

    @property
    def floor(self) -> float | None:
        """The state of charge (%) at which discharging ends; BatteryLife may hold it higher."""
        if self.min_soc is None:
            return None
        if self.battery_life in _BATTERY_LIFE and self.soc_limit is not None:
            return max(self.min_soc, self.soc_limit)
        return self.min_soc


def objection(battery: float, guards: Guards, *, slack: float = 0.0) -> str | None:
    """Why the battery must not be set to `battery` W; None when nothing speaks against it."""
    if guards.input == "disconnected":
        return "the grid is away, so the battery has to follow the house"
    if guards.switch == "off":
        return "the inverter/charger is switched off"
    if battery > slack:
        return _against_discharge(battery, guards, slack)
    if battery < -slack:
        return _against_charge(guards)
    return None


def _against_discharge(battery: float, guards: Guards, slack: float) -> str | None:
    floor, found = guards.floor, None
    if guards.soc is None or floor is None:
        found = "the battery's state of charge is not known, so it is not discharged"
    elif guards.soc <= floor:
        found = (
            f"the battery is at {guards.soc:g} %, which is not above its minimum of {floor:g} %,"
            " so it is not discharged"
        )
    elif guards.battery_life in HOLD_CHARGE:
        found = "the GX is holding or raising the battery's charge, so it is not discharged"
    elif guards.allow_discharge is False:
        found = "the battery's BMS does not allow it to be discharged"
    elif guards.switch == "charger_only":
        found = "the inverter/charger is switched to charging only"
    elif guards.max_discharge is not None and battery > guards.max_discharge + slack:
        found = f"{battery:g} W is above MaxDischargePower, which is {guards.max_discharge:g} W"
    return found


def _against_charge(guards: Guards) -> str | None:
    if guards.allow_charge is False:
        return "the battery's BMS does not allow it to be charged"
    if guards.charge_disabled:
        return "charging is disabled in the inverter/charger"
    if guards.switch == "inverter_only":
        return "the inverter/charger is switched to inverting only"
    return None


def feed_in_objection(setpoints: Sequence[float], guards: Guards) -> str | None:
    """Why these setpoints of the AC input must not be written; None when they may."""
    if guards.feed_in_disabled and min(setpoints) < 0:
        return "feeding in is disabled in the inverter/charger, and this would need it"
    return None


def setpoints_objection(setpoints: Sequence[float], now: Powers, guards: Guards) -> str | None:
    """Why an owner who regulates by himself may not have these setpoints of the AC input now."""
    found = objection(battery_power(setpoints, now), guards, slack=_UNSURE)
    return found or feed_in_objection(setpoints, guards)


def allowed_by_bms(
    flag: str | None, other: str | None, limit: float | None, voltage: float | None
) -> bool | None:
    """What a BMS says about charging (or discharging); None without a BMS that says anything.

    The GX shows 0 for what a battery does not have, so a lone "no" proves nothing. flag: this
    direction's word, other: the other direction's; limit: A that the BMS allows in this direction;
    voltage: V up to which it wants to be charged, unknown where there is no such BMS.
    """
    if voltage is not None and limit == 0:
        return False
    if flag == "yes":
        return True
    if flag == "no" and other == "yes":
        return False
    if voltage is not None and limit is not None:
        return True
    return None


def both(first: bool | None, second: bool | None) -> bool | None:
    """What two sources say together: one "no" is enough, nothing known stays unknown."""
    if first is False or second is False:
        return False
    return True if first or second else None
