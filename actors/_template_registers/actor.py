"""The actor: what the table does not say, which here is only what there may be."""

from __future__ import annotations

from typing import ClassVar, Final

from bridge.modbus.identity import identity
from bridge.register_device import RegisterDevice, RegisterSettings

_UNIT: Final = 1


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every device made of registers takes."""

    def identity(self) -> str:
        """Where it is, and which unit; equal for one device. See bridge/config/twins.py."""
        return identity(self, _UNIT, self.port)


class TemplateRegisters(RegisterDevice):
    """An imaginary hybrid inverter over Modbus: its power, its battery, and a setpoint."""

    kind = "_template_registers"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        "PvPower",
        "PvEnergy",
        "BatteryPower",
        "BatterySoc",
        "InverterTemperature",
        "InverterState",
    )
    controls: ClassVar[tuple[str, ...]] = ("BatterySetpoint",)
