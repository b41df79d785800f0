"""What a simulated GX holds: the values of its services, and what a write to them does. Pure."""

from __future__ import annotations

from typing import Any, Final

PORTAL: Final = "c0619ab2d3e4"
_CG: Final = "settings/0/Settings/CGwacs"
# D-Bus types of what can be written: a setting takes an int for a double and the reverse.
TYPES: Final = {
    f"{_CG}/AcPowerSetPoint": float,
    f"{_CG}/MaxFeedInPower": float,
    f"{_CG}/MaxDischargePower": float,
    f"{_CG}/Hub4Mode": int,
    f"{_CG}/BatteryLife/MinimumSocLimit": float,
    "settings/0/Settings/SystemSetup/MaxChargeCurrent": int,
    "hub4/0/Overrides/Setpoint": float,
    "system/0/Relay/0/State": int,
    "system/0/Relay/1/State": int,
}


class Plant:
    """A three-phase ESS: `sun`, `load` (W) and `soc` (%) may be set; the grid does the rest.

    The battery covers what the house lacks, as far as the grid setpoint wants it. `values` holds
    all other values, by path; a path that is not in it does not exist.
    """

    def __init__(self, phases: int = 3) -> None:
        self.phases = phases
        self.sun, self.load, self.soc = 3000.0, 1200.0, 60.0
        self.limit = 5000.0
        self.extra: dict[str, Any] = {}
        self.settings: dict[str, Any] = {
            f"{_CG}/AcPowerSetPoint": 50.0,
            f"{_CG}/MaxFeedInPower": -1.0,
            f"{_CG}/MaxDischargePower": -1.0,
            f"{_CG}/Hub4Mode": 1,
            f"{_CG}/BatteryLife/MinimumSocLimit": 10.0,
            "settings/0/Settings/SystemSetup/MaxChargeCurrent": -1,
            "hub4/0/Overrides/Setpoint": None,
            # 0 alarms, 2 manual; the relays are called 1 and 2 on its screen.
            "settings/0/Settings/Relay/Function": 0,
            "settings/0/Settings/Relay/1/Function": 2,
            "system/0/Relay/0/State": 0,
            "system/0/Relay/1/State": 0,
        }

    @property
    def setpoint(self) -> float:
        """W at the grid meter that are aimed at."""
        override = self.settings["hub4/0/Overrides/Setpoint"]
        return float(self.settings[f"{_CG}/AcPowerSetPoint"] if override is None else override)

    @property
    def battery(self) -> float:
        """W, + = charging, as a GX counts."""
        wanted = self.sun + self.setpoint - self.load
        low = (
            0.0 if self.soc <= self.settings[f"{_CG}/BatteryLife/MinimumSocLimit"] else -self.limit
        )
        high = 0.0 if self.soc >= 100 else self.limit
        return min(max(wanted, low), high)

    @property
    def grid(self) -> float:
        """W, + = import."""
        return self.load + self.battery - self.sun

    def values(self) -> dict[str, Any]:
        """Every value by its path; None is the GX's null."""
        on_grid, on_output, on_dc = self.sun * 0.25, self.sun * 0.25, self.sun * 0.5
        found: dict[str, Any] = {
            "system/0/Serial": PORTAL,
            "system/0/Ac/ActiveIn/Source": 1,
            "system/0/Ac/Grid/NumberOfPhases": self.phases,
            "system/0/Ac/Consumption/NumberOfPhases": self.phases,
            "system/0/Dc/Pv/Power": on_dc,
            "system/0/Dc/System/Power": 0,
            "system/0/Dc/Battery/Soc": self.soc,
            "system/0/Dc/Battery/Power": round(self.battery),
            "system/0/Dc/Battery/Current": round(self.battery / 52, 1),
            "system/0/Dc/Battery/Voltage": 52.0,
            "system/0/Dc/Battery/State": (self.battery > 30) + 2 * (self.battery < -30),
            "system/0/Dc/Battery/Temperature": 21.5,
            "system/0/Dc/Battery/TimeToGo": 28800 if self.battery < 0 else None,
            "system/0/Control/ActiveSocLimit": self.settings[f"{_CG}/BatteryLife/MinimumSocLimit"],
            "system/0/DynamicEss/Active": 0,
            "battery/512/Soc": self.soc,
            "battery/512/Dc/0/Voltage": 52.0,
            "battery/lynx_a/Soc": 59,
            "vebus/276/Ac/Out/L1/P": 400,
        }
        for n in (1, 2, 3):
            there = n <= self.phases
            parts = {
                "Grid": self.grid / self.phases,
                "Genset": None,
                "PvOnGrid": on_grid / self.phases,
                "PvOnOutput": on_output / self.phases,
                "PvOnGenset": None,
                "Consumption": self.load / self.phases,
            }
            for what, power in parts.items():
                path = f"system/0/Ac/{what}/L{n}/Power"
                found[path] = None if power is None or not there else round(power, 1)
        return {**found, **self.settings, **self.extra}

    def write(self, path: str, value: Any) -> bool:
        """Take what was written; false for what cannot be, which a GX says to nobody."""
        kind = TYPES.get(path)
        if kind is None:
            return False
        if value is None:
            if not path.startswith("hub4/"):
                return False
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        self.settings[path] = None if value is None else kind(value)
        return True
