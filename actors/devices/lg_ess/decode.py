"""What `essinfo/home` means: the powers with our signs, the state of charge, today's counters.

Pure. The device gives the battery's and the grid's power as magnitudes; the direction stands in
flags. Home 5, 8 and 10 answer in texts and W, Home 15 in whole numbers of 100 W.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from actors.devices.lg_ess.fields import flag, kilo, magnitude, number, section, word
from bridge.errors import DeviceGarbled

Values = dict[str, float | str | None]

_BATTERY: Final = {"0": "standby", "1": "charging", "2": "discharging", "off": "off"}
_BATTERY_NAMES: Final = ("BatteryPower", "BatterySoc", "BatteryState")
_FINE: Final = "pcs_ok"
_RUNS: Final = {"start": True, "stop": False}
_HUNDRED_WATTS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Home:
    """One answer of `home`.

    values: by quantity; running: the system is started; fault: the device's own word for what is
    wrong, None when nothing is or it does not say.
    """

    values: Values
    running: bool | None
    fault: str | None

    @property
    def soc(self) -> float | None:
        """% as the owner sees it."""
        soc = self.values.get("BatterySoc")
        return soc if isinstance(soc, float) else None


def is_home15(found: Any) -> bool:
    """True when this is the answer of a Home 15."""
    return "pv_total_power_01kW" in section(found, "statistics")


def home(found: Any) -> Home:
    """Read `essinfo/home` of any model. Raises DeviceGarbled when it says nothing at all."""
    statistics = section(found, "statistics")
    running = _RUNS.get(word(section(found, "operation"), "status") or "")
    fault = word(section(found, "pcs_fault"), "pcs_status")
    if fault == _FINE:
        fault = None
    values = _powers(statistics, section(found, "direction"), is_home15(found))
    if all(value is None for value in values.values()):
        raise DeviceGarbled("answers with something else than its powers")
    values["InverterState"] = _state(found, running, fault)
    if not is_home15(found):
        values["PvEnergyToday"] = kilo(statistics, "current_pv_generation_sum")
        values["GridExportEnergyToday"] = kilo(statistics, "current_grid_feed_in_energy")
        values["SelfConsumptionToday"] = number(statistics, "current_day_self_consumption")
    if flag(statistics, "bat_use") is False:
        for name in _BATTERY_NAMES:
            values.pop(name)
    return Home(values, running, fault)


def _powers(statistics: dict[str, Any], direction: dict[str, Any], home15: bool) -> Values:
    scale = _HUNDRED_WATTS if home15 else 1.0

    def watts(text: str, whole: str) -> float | None:
        return magnitude(statistics, whole if home15 else text, scale=scale)

    return {
        "PvPower": watts("pcs_pv_total_power", "pv_total_power_01kW"),
        "GridPower": _grid(watts("grid_power", "grid_power_01kW"), direction),
        "BatteryPower": _battery(watts("batconv_power", "batt_conv_power_01kW"), direction),
        "BatterySoc": number(statistics, "bat_user_soc"),
        "BatteryState": _BATTERY.get((word(statistics, "bat_status") or "").lower()),
        "LoadPower": watts("load_power", "load_power_01kW"),
    }


def _grid(power: float | None, direction: dict[str, Any]) -> float | None:
    """W, + = import. Only the selling flag counts: the buying one stays "0" at small powers."""
    if not power:
        return power
    selling = flag(direction, "is_grid_selling_")
    if selling is None:
        return None
    return -power if selling else power


def _battery(power: float | None, direction: dict[str, Any]) -> float | None:
    """W, + = discharge. What does not discharge charges, as far as the flags agree."""
    if not power:
        return power
    discharging = flag(direction, "is_battery_discharging_")
    if discharging is None or (discharging and flag(direction, "is_battery_charging_")):
        return None
    return power if discharging else -power


def _state(found: Any, running: bool | None, fault: str | None) -> str | None:
    if fault is not None:
        return "fault"
    if running is None:
        return None
    if not running:
        return "off"
    standby = flag(section(found, "operation"), "pcs_standbymode")
    return "standby" if standby else "running"
