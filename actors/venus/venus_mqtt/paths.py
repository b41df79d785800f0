"""Which values of a GX are read and written, by their path behind `N/{portal id}/`. Pure data."""

from __future__ import annotations

from typing import Final

PHASES: Final = (1, 2, 3)
SERIAL: Final = "system/0/Serial"


def by_phase(what: str) -> tuple[str, ...]:
    """The power of each phase of something the GX sums up, such as `Grid`."""
    return tuple(f"system/0/Ac/{what}/L{n}/Power" for n in PHASES)


GRID: Final = by_phase("Grid")
GENSET: Final = by_phase("Genset")
PV_ON_GRID: Final = by_phase("PvOnGrid")
PV_ON_OUTPUT: Final = by_phase("PvOnOutput")
PV_ON_GENSET: Final = by_phase("PvOnGenset")
CONSUMPTION: Final = by_phase("Consumption")
GRID_COUNT: Final = "system/0/Ac/Grid/NumberOfPhases"
CONSUMPTION_COUNT: Final = "system/0/Ac/Consumption/NumberOfPhases"
SOURCE: Final = "system/0/Ac/ActiveIn/Source"
DC_PV: Final = "system/0/Dc/Pv/Power"
DC_SYSTEM: Final = "system/0/Dc/System/Power"
BATTERY: Final = "system/0/Dc/Battery"
ACTIVE_MIN_SOC: Final = "system/0/Control/ActiveSocLimit"
DYNAMIC_ESS: Final = "system/0/DynamicEss/Active"
OPPORTUNITY_LOADS: Final = "platform/0/Services/OpportunityLoads/Mode"

_SETTINGS: Final = "settings/0/Settings"
AC_SETPOINT: Final = f"{_SETTINGS}/CGwacs/AcPowerSetPoint"
OVERRIDE: Final = "hub4/0/Overrides/Setpoint"
HUB4_MODE: Final = f"{_SETTINGS}/CGwacs/Hub4Mode"
MIN_SOC: Final = f"{_SETTINGS}/CGwacs/BatteryLife/MinimumSocLimit"
MAX_FEED_IN: Final = f"{_SETTINGS}/CGwacs/MaxFeedInPower"
MAX_DISCHARGE: Final = f"{_SETTINGS}/CGwacs/MaxDischargePower"
MAX_CHARGE_CURRENT: Final = f"{_SETTINGS}/SystemSetup/MaxChargeCurrent"

RELAY_STATE: Final = "system/0/Relay/+/State"
RELAY_FUNCTION: Final = f"{_SETTINGS}/Relay/+/Function"
_FIRST_FUNCTION: Final = f"{_SETTINGS}/Relay/Function"


def relay_function(relay: int) -> str:
    """What a relay is for; the first one's has no number."""
    return _FIRST_FUNCTION if relay == 1 else RELAY_FUNCTION.replace("+", str(relay - 1))


POWERS: Final = (
    *(*GRID, *GENSET, *PV_ON_GRID, *PV_ON_OUTPUT, *PV_ON_GENSET, *CONSUMPTION),
    *(GRID_COUNT, CONSUMPTION_COUNT, SOURCE, DC_PV, DC_SYSTEM),
    *(f"{BATTERY}/{name}" for name in ("Power", "Current", "Voltage", "Soc")),
    *(f"{BATTERY}/{name}" for name in ("State", "Temperature", "TimeToGo")),
    ACTIVE_MIN_SOC,
)
"""What the readings are made of."""
WANTED: Final = (
    *(SERIAL, *POWERS, DYNAMIC_ESS, OPPORTUNITY_LOADS),
    *(AC_SETPOINT, OVERRIDE, HUB4_MODE),
    *(MIN_SOC, MAX_FEED_IN, MAX_DISCHARGE, MAX_CHARGE_CURRENT),
    *(RELAY_STATE, RELAY_FUNCTION, _FIRST_FUNCTION),
)
"""All that is subscribed to, besides what the owner wants to have exported."""
