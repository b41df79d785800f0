"""The controls of a GX that have conditions: what they write, when they refuse, how they end.

Pure, as every recipe: fresh rows in, steps or one sentence out. docs/decisions/0010 says why it is
done this way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from actors.devices.victron_modbus.recipes import (
    REPEAT,
    Guards,
    Powers,
    allowed_by_bms,
    both,
    feed_in_objection,
    input_setpoints,
    objection,
    setpoints_objection,
)
from bridge.control_entry import Mismatch
from bridge.errors import DeviceError
from bridge.registers.controls import ControlTable, Recipe, Step, TableRecipe
from bridge.victron import NO_GRID_SETPOINT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.registers.controls import Asked
    from bridge.registers.model import RegisterMap, Value

    Seen = Mapping[str, Value | None]

MODE: Final = "settings_settings_cgwacs_hub4_mode"
EXTERNAL: Final = "external_control"
GRID_SETPOINT: Final = "settings_settings_cgwacs_ac_power_set_point"
_SYSTEM_POWERS: Final = (
    "system_dc_battery_power",
    "system_dc_battery_voltage",
    "system_dc_battery_soc",
    "system_dc_pv_power",
    "system_dc_system_power",
)
_MIN_SOC: Final = "settings_settings_cgwacs_battery_life_minimum_soc_limit"
_SOC_LIMIT: Final = "settings_settings_cgwacs_battery_life_soc_limit"
_LIFE: Final = "settings_settings_cgwacs_battery_life_state"
_MAX_DISCHARGE: Final = (
    "settings_settings_cgwacs_max_discharge_power_32",
    "settings_settings_cgwacs_max_discharge_power",
)
NOMINAL: Final = "vebus_ac_out_nominal_inverter_power"
# The largest systems have 60 kVA a phase; the 16-bit registers take less.
_WIDE, _NARROW = 60_000.0, 32_000.0
# An inverter's peak power is twice its nominal one.
_PEAK: Final = 2.0
_VEBUS: Final = (
    "vebus_ac_active_in_active_input",
    "vebus_mode",
    "vebus_hub4_disable_charge",
    "vebus_hub4_disable_feed_in",
    "vebus_bms_allow_to_charge",
    "vebus_bms_allow_to_discharge",
)
_BMS: Final = (
    "battery_io_allow_to_charge",
    "battery_io_allow_to_discharge",
    "battery_info_max_charge_current",
    "battery_info_max_discharge_current",
    "battery_info_max_charge_voltage",
)
# A read-back needs the GX to have passed the setpoint on and back again.
_SETTLE: Final = 0.3


class Objection(DeviceError):
    """Something speaks against moving the battery now."""


class Ended(Mismatch):
    """What is being held must not be held any longer: it is given back at once."""


def battery_prefix(number: int) -> str:
    """What stands before the rows of the first, second … battery in the table of the system."""
    return "" if number == 1 else f"other{number}_"


class GridSetpoint(TableRecipe):
    """The target at the grid meter, which the GX follows in its modes 1 and 2."""

    def __init__(self, table: RegisterMap) -> None:
        super().__init__(ControlTable("GridSetpoint", register=GRID_SETPOINT), table)
        self.needs |= {MODE}

    def steps(self, value: Asked, seen: Seen) -> list[Step]:
        """See Recipe."""
        if seen.get(MODE) == EXTERNAL:
            raise DeviceError(
                f"{NO_GRID_SETPOINT}: set EssMode to phase_compensation or individual_phases first"
            )
        return super().steps(value, seen)


class Flag(TableRecipe):
    """A switch on a row whose codes are 0 and 1."""

    def __init__(self, entry: ControlTable, table: RegisterMap) -> None:
        super().__init__(entry, table)
        self.options = ()

    def state(self, seen: Seen) -> bool | None:
        """See Recipe."""
        row = self.table[self.entry.register or ""]
        codes = {word: code for code, word in row.enum.items()}
        code = codes.get(str(seen.get(row.name)))
        return None if code is None else bool(code)


class Relay(Flag):
    """A relay of the GX. Modbus does not tell what it is for: `manual` is the owner's word."""

    def __init__(self, table: RegisterMap, number: int, *, manual: bool) -> None:
        super().__init__(ControlTable("Switch", register=table.registers[0].name), table)
        self.number, self.manual = number, manual

    def steps(self, value: Asked, seen: Seen) -> list[Step]:
        """See Recipe. Raises DeviceError for a relay that may be for something else."""
        if not self.manual:
            raise DeviceError(
                f"relay {self.number} is only read: where its function on the GX is Manual,"
                " name it in `manual_relays`"
            )
        return super().steps(value, seen)


def relay_table(system: RegisterMap, number: int) -> RegisterMap:
    """The one row of a relay, read with each reading."""
    only = replace(system[f"system_relay_{number - 1}_state"], poll="fast")
    return replace(system, registers=(only,), quantities={}, controls={})


class _Mode3(Recipe):
    """What the controls of ESS mode 3 share: the setpoints, and what is known of the battery."""

    watchdog = 2 * REPEAT
    settle = _SETTLE
    atomic = True

    def __init__(self, setpoints: Sequence[str], batteries: int) -> None:
        # One row for each phase, in order.
        self.setpoints = tuple(setpoints)
        self.phases = range(1, len(self.setpoints) + 1)
        self.batteries = batteries
        powers = {f"vebus_ac_{side}_l{n}_p" for side in ("active_in", "out") for n in self.phases}
        bms = {battery_prefix(n) + row for n in range(1, batteries + 1) for row in _BMS}
        limits = {MODE, _MIN_SOC, _SOC_LIMIT, _LIFE, *_MAX_DISCHARGE}
        self.needs = frozenset({*powers, *bms, *limits, *_SYSTEM_POWERS, *_VEBUS, *self.setpoints})
        self.triggers = self.taken_over = frozenset(self.setpoints)

    def _powers(self, seen: Seen) -> Powers:
        def watt(name: str) -> float:
            value = seen.get(name)
            if not isinstance(value, (int, float)):
                raise DeviceError(f"{name} cannot be read, so the battery cannot be set")
            return float(value)

        watt("system_dc_battery_voltage")
        return Powers(
            inputs=tuple(watt(f"vebus_ac_active_in_l{n}_p") for n in self.phases),
            outputs=tuple(watt(f"vebus_ac_out_l{n}_p") for n in self.phases),
            battery=-watt("system_dc_battery_power"),
            solar=watt("system_dc_pv_power"),
            dc_load=watt("system_dc_system_power"),
        )

    def _guards(self, seen: Seen) -> Guards:
        charge, discharge = _bms(seen, "", vebus=True)
        for number in range(1, self.batteries + 1):
            found = _bms(seen, battery_prefix(number))
            charge, discharge = both(charge, found[0]), both(discharge, found[1])
        return Guards(
            soc=_number(seen, "system_dc_battery_soc"),
            min_soc=_number(seen, _MIN_SOC),
            soc_limit=_number(seen, _SOC_LIMIT),
            battery_life=_word(seen, _LIFE),
            allow_charge=charge,
            allow_discharge=discharge,
            charge_disabled=seen.get("vebus_hub4_disable_charge") == "disabled",
            feed_in_disabled=seen.get("vebus_hub4_disable_feed_in") == "disabled",
            input=_word(seen, "vebus_ac_active_in_active_input"),
            switch=_word(seen, "vebus_mode"),
            max_discharge=next(
                (w for name in _MAX_DISCHARGE if (w := _number(seen, name)) is not None), None
            ),
        )


class BatterySetpoint(_Mode3):
    """The battery's power, by holding the AC input in mode 3 at what leads to it."""

    def __init__(self, setpoints: Sequence[str], batteries: int) -> None:
        super().__init__(setpoints, batteries)
        self.touches = frozenset({MODE, *self.setpoints})
        # W on each phase, whatever the inverter/charger.
        self.most = _WIDE if all(name.endswith("_32") for name in setpoints) else _NARROW

    def bounds(self, seen: Seen) -> tuple[float, float]:
        """Twice the nominal power on every phase, where it is known; else what no system reaches.

        Whether the row counts one inverter or all phases is not documented: no smaller bound is
        certain. What the battery may take at the moment is checked with each setpoint.
        """
        nominal = _number(seen, NOMINAL)
        each = min(self.most, _PEAK * nominal) if nominal else self.most
        return -each * len(self.setpoints), each * len(self.setpoints)

    def steps(self, value: Asked, seen: Seen) -> list[Step]:
        """See Recipe. Raises DeviceError out of bounds, and Objection."""
        battery, (low, high) = float(value), self.bounds(seen)
        if not low <= battery <= high:
            sentence = f"is not between {low:g} and {high:g} W"
            raise DeviceError(f"BatterySetpoint {battery:g} W {sentence}")
        now, guards = self._powers(seen), self._guards(seen)
        setpoints = input_setpoints(battery, now)
        if max(map(abs, setpoints)) > self.most:
            sentence = f"BatterySetpoint {battery:g} W needs more at the AC input of a phase than"
            raise DeviceError(f"{sentence} the {self.most:g} W that can be set there")
        why = objection(battery, guards) or feed_in_objection(setpoints, guards)
        if why is not None:
            raise Objection(why)
        held = zip(self.setpoints, setpoints, strict=True)
        return [Step(MODE, EXTERNAL), *(Step(name, watt) for name, watt in held)]

    def back(self, originals: Mapping[str, tuple[int, ...]], seen: Seen) -> list[Step]:
        """Setpoints 0, then the former mode; nothing where the owner has chosen a mode since."""
        if MODE not in originals or seen.get(MODE) != EXTERNAL:
            return []
        return [*(Step(name, 0.0) for name in self.setpoints), Step(MODE, words=originals[MODE])]


class AcInputSetpoint(_Mode3):
    """One phase's setpoint, for who regulates by himself in mode 3; 60 s after it, passthru."""

    def __init__(self, phase: int, setpoints: Sequence[str], batteries: int) -> None:
        super().__init__(setpoints, batteries)
        self.row = setpoints[phase - 1]
        self.phase = phase
        self.touches = self.triggers = self.taken_over = frozenset({self.row})

    def steps(self, value: Asked, seen: Seen) -> list[Step]:
        """See Recipe. Raises Objection."""
        if seen.get(MODE) != EXTERNAL:
            raise Objection(
                "the GX is not in ESS mode 3 and would overwrite this at once:"
                " set EssMode to external_control first"
            )
        setpoints = [_number(seen, name) or 0.0 for name in self.setpoints]
        setpoints[self.phase - 1] = float(value)
        why = setpoints_objection(setpoints, self._powers(seen), self._guards(seen))
        if why is not None:
            raise Objection(why)
        return [Step(self.row, float(value))]

    def back(self, originals: Mapping[str, tuple[int, ...]], seen: Seen) -> list[Step]:
        """0 W; where the owner has chosen another mode, the GX writes it already."""
        if self.row not in originals or seen.get(MODE) != EXTERNAL:
            return []
        return [Step(self.row, 0.0)]


def narrow_limits(table: RegisterMap) -> RegisterMap:
    """The table for a GX without the 32-bit registers of its limits, which older firmware lacks."""
    return replace(
        table, controls={name: each.renamed(_narrow) for name, each in table.controls.items()}
    )


def narrow_powers(table: RegisterMap) -> RegisterMap:
    """The table for a GX without the 32-bit registers of the powers."""
    return replace(
        table, quantities={name: _narrow(text) for name, text in table.quantities.items()}
    )


def _narrow(text: str) -> str:
    return text.replace("_32", "")


def _bms(seen: Seen, prefix: str, *, vebus: bool = False) -> tuple[bool | None, bool | None]:
    """What a battery's BMS says about charging and discharging, or one on the VE.Bus."""
    word = "vebus_bms" if vebus else f"{prefix}battery_io"
    charge, discharge = (
        _word(seen, f"{word}_allow_to_charge"),
        _word(seen, f"{word}_allow_to_discharge"),
    )
    if vebus:
        return (
            allowed_by_bms(charge, discharge, None, None),
            allowed_by_bms(discharge, charge, None, None),
        )
    into = _number(seen, f"{prefix}battery_info_max_charge_current")
    out = _number(seen, f"{prefix}battery_info_max_discharge_current")
    voltage = _number(seen, f"{prefix}battery_info_max_charge_voltage")
    return (
        allowed_by_bms(charge, discharge, into, voltage),
        allowed_by_bms(discharge, charge, out, voltage),
    )


def _number(seen: Seen, name: str) -> float | None:
    value = seen.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _word(seen: Seen, name: str) -> str | None:
    value = seen.get(name)
    return value if isinstance(value, str) else None
