"""The actor: what the table does not say, which here is only what there may be."""

from __future__ import annotations

from typing import ClassVar

from bridge.register_device import RegisterDevice, RegisterSettings


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every device made of registers takes."""


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
