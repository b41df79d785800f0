"""How a Deye is told what its battery shall do, by its own time-of-use slots. Pure.

It has no setpoint. All six slots are made alike, so that the one of the moment says it whatever the
clock: to discharge with P is `P W down to the floor, no source`, to charge with P is `up to 100 %
from the grid` with the charge current that makes P at the battery's voltage. While it discharges,
the charge current is 0; while it charges, a target of 100 % leaves nothing to discharge. 0 W sets
both currents to 0 and leaves the schedule alone. Everything touched is given back as it was found.
Why: docs/decisions/0009-deye-setpoint.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.devices.deye.schedule import SLOTS, parse, rows_of, show, slots_in
from bridge.errors import DeviceError
from bridge.registers.controls import ORIGINAL, Recipe, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.registers.controls import Asked
    from bridge.registers.model import RegisterMap, Value

CHARGE: Final = "battery_max_charge_current"
DISCHARGE: Final = "battery_max_discharge_current"
GRID_CURRENT: Final = "grid_charge_current"
GRID_CHARGE: Final = "grid_charge_enable"
DAYS: Final = "tou_enable_days"
SWITCH: Final = "tou_enable"
_EVERY_DAY: Final = (0xFF,)
_ALL_DAYS: Final = "enabled mon tue wed thu fri sat sun"
_FULL: Final = 100.0
_NUMBERS: Final = range(1, SLOTS + 1)
POWERS: Final = tuple(f"tou{number}_power" for number in _NUMBERS)
SOCS: Final = tuple(f"tou{number}_soc" for number in _NUMBERS)
SOURCES: Final = tuple(f"tou{number}_charge_source" for number in _NUMBERS)
_WRITTEN: Final = (CHARGE, DISCHARGE, GRID_CURRENT, GRID_CHARGE, DAYS, *POWERS, *SOCS, *SOURCES)

Target = dict[str, "Asked"]


class BatteryRecipe(Recipe):
    """What the setpoint and the mode share: the rows they touch, and three things to do."""

    control = ""

    def __init__(self, table: RegisterMap) -> None:
        self.table = table
        self.atomic = True
        # The switch is a part of DAYS: naming it keeps TimeOfUse from being set meanwhile.
        self.touches = frozenset((*_WRITTEN, SWITCH))
        wanted = ("rated_power", "battery_voltage", "battery_low_soc", "battery_shutdown_soc")
        self.needs = frozenset(
            name for name in (*wanted, "battery_mode", "battery_soc") if name in table
        )

    # ---------------------------------------------------------------- what to do

    def rest(self) -> Target:
        """Neither charge nor discharge."""
        return {CHARGE: 0.0, DISCHARGE: 0.0}

    def discharge(self, power: float, seen: Mapping[str, Value | None]) -> Target:
        """Deliver `power` W, and take nothing from the sun meanwhile."""
        floors = [seen.get("battery_low_soc"), seen.get("battery_shutdown_soc")]
        known = [floor for floor in floors if isinstance(floor, (int, float))]
        if not known:
            raise DeviceError(f"{self.control} cannot be set: the lowest charge is unknown")
        self._within(power, DISCHARGE, "discharge", seen)
        return {CHARGE: 0.0} | _slots(power, max(known), "none")

    def charge(self, power: float, seen: Mapping[str, Value | None]) -> Target:
        """Take `power` W, from the sun and the grid."""
        amperes = self._within(power, CHARGE, "charge", seen)
        grid: Target = {GRID_CURRENT: amperes, GRID_CHARGE: "on"}
        return {CHARGE: amperes} | grid | _slots(power, _FULL, "grid")

    def _within(self, power: float, row: str, verb: str, seen: Mapping[str, Value | None]) -> float:
        """The current (A) that makes `power`. Raises DeviceError beyond what the owner allows."""
        voltage, limit = seen.get("battery_voltage"), seen.get(f"{ORIGINAL}_{row}")
        if not isinstance(voltage, (int, float)) or voltage <= 0:
            raise DeviceError(f"{self.control} cannot be set: the battery's voltage is unknown")
        if not isinstance(limit, (int, float)):
            raise DeviceError(f"{self.control} cannot be set: {row} is unknown")
        amperes = float(round(power / voltage))
        if amperes > limit:
            sentence = f"{self.control} of {power:g} W takes {amperes:g} A, and the battery may"
            raise DeviceError(f"{sentence} {verb} with {limit:g} A at most ({row})")
        return amperes

    # ---------------------------------------------------------------- as steps

    def fill(self, target: Target) -> list[Step]:
        """Every row that is written, by address; what the target leaves out is as it was found."""
        steps = []
        for name in sorted(_WRITTEN, key=self._address):
            if name == DAYS and POWERS[0] in target:
                steps.append(Step(DAYS, words=_EVERY_DAY))
            else:
                steps.append(Step(name, target.get(name, ORIGINAL)))
        return steps

    def back(
        self,
        originals: Mapping[str, tuple[int, ...]],
        seen: Mapping[str, Value | None],  # noqa: ARG002 - as Recipe
    ) -> list[Step]:
        """The owner's schedule first, then the currents: nothing runs freely in between."""
        currents = (CHARGE, DISCHARGE, GRID_CURRENT, GRID_CHARGE)
        given = sorted(
            (name for name in originals if name in _WRITTEN),
            key=lambda name: (name in currents, self._address(name)),
        )
        return [Step(name, words=originals[name]) for name in given]

    def _address(self, name: str) -> int:
        return self.table[name].address

    def check(self, seen: Mapping[str, Value | None]) -> float:
        """Raise DeviceError when this battery cannot be told; the inverter's rated power (W)."""
        mode, rated = seen.get("battery_mode"), seen.get("rated_power")
        if mode == "none":
            raise DeviceError(f"{self.control} cannot be set: the inverter has no battery")
        if mode == "voltage":
            sentence = "the inverter runs the battery by its voltage, and slots go by its charge"
            raise DeviceError(f"{self.control} cannot be set: {sentence}")
        if not isinstance(rated, (int, float)) or rated <= 0:
            raise DeviceError(f"{self.control} cannot be set: the rated power is unknown")
        return rated


class Setpoint(BatteryRecipe):
    """`BatterySetpoint` (W, + discharge). `step`: a move of less than that is not written (W)."""

    control = "BatterySetpoint"

    def __init__(self, table: RegisterMap, step: float) -> None:
        super().__init__(table)
        self.step = step
        self.tolerance = max(step, 1.0)

    def steps(self, value: Asked, seen: Mapping[str, Value | None]) -> Sequence[Step]:
        """See Recipe."""
        if not isinstance(value, (int, float)):
            raise DeviceError(f"{self.control} takes a number, not {value}")
        rated = self.check(seen)
        if abs(value) > rated:
            sentence = f"{self.control} {value:g} is not between {-rated:g} and {rated:g} W"
            raise DeviceError(sentence)
        held = self.state(seen)
        if held is not None and held * value > 0 and self._near(held, value):
            # Not worth a write: every row stays as it is.
            return self.fill(
                {name: there for name in _WRITTEN if (there := seen.get(name)) is not None}
            )
        power = float(round(value))
        if power > 0:
            return self.fill(self.discharge(power, seen))
        return self.fill(self.charge(-power, seen) if power < 0 else self.rest())

    def _near(self, held: float, value: float) -> bool:
        return abs(held - value) < self.step or held == value

    def state(self, seen: Mapping[str, Value | None]) -> float | None:
        """The setpoint that the rows hold; None when they hold a schedule of the owner's."""
        if seen.get(CHARGE) == 0 == seen.get(DISCHARGE):
            return 0.0
        told = _told(seen)
        if told is None:
            return None
        power, soc, source = told
        if source == "grid" and soc == _FULL and seen.get(GRID_CHARGE) == "on":
            return -power
        return power if source == "none" and seen.get(CHARGE) == 0 else None

    def bounds(self, seen: Mapping[str, Value | None]) -> tuple[float | None, float | None]:
        """The rated power of the inverter in both directions."""
        rated = seen.get("rated_power")
        return (-rated, rated) if isinstance(rated, (int, float)) and rated > 0 else (None, None)


class Mode(BatteryRecipe):
    """`BatteryMode`: hold (the sun may charge), charge and discharge as far as it goes."""

    control = "BatteryMode"
    options = ("hold", "charge", "discharge")

    def steps(self, value: Asked, seen: Mapping[str, Value | None]) -> Sequence[Step]:
        """See Recipe."""
        rated = self.check(seen)
        if value == "hold":
            return self.fill({DISCHARGE: 0.0})
        if value not in self.options:
            raise DeviceError(f"{self.control} {value} is not one of {', '.join(self.options)}")
        row = CHARGE if value == "charge" else DISCHARGE
        most = min(rated, self._most(row, seen))
        act = self.charge if value == "charge" else self.discharge
        return self.fill(act(most, seen))

    def _most(self, row: str, seen: Mapping[str, Value | None]) -> float:
        voltage, limit = seen.get("battery_voltage"), seen.get(f"{ORIGINAL}_{row}")
        if not isinstance(voltage, (int, float)) or not isinstance(limit, (int, float)):
            raise DeviceError(f"{self.control} cannot be set: {row} is unknown")
        return float(int(limit * voltage))


class Schedule(Recipe):
    """`Schedule`: the owner's six slots as one line (`schedule.py`). It keeps its value."""

    def __init__(self, table: RegisterMap) -> None:
        self.table = table
        self.atomic = True
        parts = ("start", "power", "soc", "charge_source")
        self.touches = frozenset(f"tou{number}_{part}" for number in _NUMBERS for part in parts)

    def steps(self, value: Asked, seen: Mapping[str, Value | None]) -> Sequence[Step]:  # noqa: ARG002 - as Recipe
        """See Recipe."""
        rows = rows_of(parse(str(value)))
        return [
            Step(name, rows[name]) for name in sorted(rows, key=lambda n: self.table[n].address)
        ]

    def state(self, seen: Mapping[str, Value | None]) -> str | None:
        """The schedule as text."""
        slots = slots_in(seen)
        return None if slots is None else show(slots)


def why_less(work_mode: str) -> str:
    """What may keep the battery from delivering what it was told; the end of a sentence."""
    if work_mode.startswith("zero_export"):
        return f"in WorkMode {work_mode} it gives no more than the house takes"
    return "it may be full, empty or limited"


def _slots(power: float, soc: float, source: str) -> Target:
    """All six slots alike."""
    return {
        **dict.fromkeys(POWERS, power),
        **dict.fromkeys(SOCS, soc),
        **dict.fromkeys(SOURCES, source),
    }


def _told(seen: Mapping[str, Value | None]) -> tuple[float, float, str] | None:
    """Power, charge and source where all six slots are alike on every day; else None."""
    if seen.get(DAYS) != _ALL_DAYS:
        return None
    found = []
    for rows in (POWERS, SOCS, SOURCES):
        values = {seen.get(name) for name in rows}
        if len(values) != 1:
            return None
        found.append(values.pop())
    power, soc, source = found
    if not isinstance(power, (int, float)) or not isinstance(soc, (int, float)):
        return None
    return (power, soc, source) if isinstance(source, str) else None
