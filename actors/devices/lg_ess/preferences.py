"""What `setting/batt` means, and how to change it: each of our controls in the device's own keys.

Pure. The keys for reading and for writing differ (`winter_setting` and `wintermode`), and so do
the values (`auto_charge` "on" and `autocharge` "1").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from actors.devices.lg_ess.fields import flag, number, word
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Callable

Value = float | str | bool
Found = dict[str, Any]

# The charging algorithm: as a switch in Home 5, as a word that is written as a number later.
_SWITCH: Final = {"off": "normal", "on": "fast_charge"}
_WORDS: Final = ("battery_care", "fast_charge", "weather_forecast")
_PERIOD = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def read(found: Found) -> dict[str, Value]:
    """The controls that this device has, and how they are set now."""
    values = {name: reader(found) for name, (reader, _) in _CONTROLS.items()}
    return {name: value for name, value in values.items() if value is not None}


def body(control: str, value: Value, found: Found) -> dict[str, str]:
    """What to write for a control, given what the device has now. Raises DeviceRefused."""
    if control not in _CONTROLS or read(found).get(control) is None:
        raise DeviceRefused(f"does not have {control}")
    return _CONTROLS[control][1](value, found)


def strategies(found: Found) -> tuple[str, ...]:
    """The words of ChargeStrategy that this device takes."""
    return tuple(_SWITCH.values()) if word(found, "alg_setting") in _SWITCH else _WORDS


# ---------------------------------------------------------------------------- one by one


def _read_winter(found: Found) -> Value | None:
    return flag(found, "winter_setting")


def _write_winter(value: Value, _: Found) -> dict[str, str]:
    return {"wintermode": "on" if value else "off"}


def _read_period(found: Found) -> Value | None:
    first, last = word(found, "startdate"), word(found, "stopdate")
    days = [_day(each) for each in (first, last)]
    return None if None in days else f"{days[0]}/{days[1]}"


def _day(text: str | None) -> str | None:
    """MMDD as MM-DD; None for what is no day of any year."""
    day = f"{text[:2]}-{text[2:]}" if text is not None else ""
    found = _PERIOD.fullmatch(day)
    return day if found and int(found[2]) <= _DAYS[int(found[1]) - 1] else None


def _write_period(value: Value, _: Found) -> dict[str, str]:
    first, _slash, last = str(value).replace(" ", "").partition("/")
    start, stop = first.replace("-", ""), last.replace("-", "")
    if _day(start) != first or _day(stop) != last:
        raise DeviceRefused(f"takes a period like 11-01/02-28, not {value}")
    return {"startdate": start, "stopdate": stop}


def _read_strategy(found: Found) -> Value | None:
    told = word(found, "alg_setting") or ""
    return _SWITCH.get(told) or (told if told in _WORDS else None)


def _write_strategy(value: Value, found: Found) -> dict[str, str]:
    if value not in strategies(found):
        raise DeviceRefused(f"knows {', '.join(strategies(found))}, not {value}")
    if word(found, "alg_setting") in _SWITCH:
        return {"alg_setting": "on" if value == "fast_charge" else "off"}
    return {"alg_setting": str(_WORDS.index(str(value)))}


def _read_backup(found: Found) -> Value | None:
    told = word(found, "backup_setting")
    return told if told in {"on", "off", "simple"} else None


def _write_backup(value: Value, _: Found) -> dict[str, str]:
    return {"backupmode": str(value)}


def _read_reserve(found: Found) -> Value | None:
    return number(found, "backup_soc")


def _write_reserve(value: Value, _: Found) -> dict[str, str]:
    if isinstance(value, (bool, str)) or value != int(value):
        raise DeviceRefused(f"takes whole percent, not {value}")
    return {"backup_soc": str(int(value))}


def _read_grid_charge(found: Found) -> Value | None:
    return flag(found, "auto_charge")


def _write_grid_charge(value: Value, _: Found) -> dict[str, str]:
    return {"autocharge": "1" if value else "0"}


_CONTROLS: Final[
    dict[str, tuple[Callable[[Found], Value | None], Callable[[Value, Found], dict[str, str]]]]
] = {
    "WinterMode": (_read_winter, _write_winter),
    "WinterPeriod": (_read_period, _write_period),
    "ChargeStrategy": (_read_strategy, _write_strategy),
    "BackupMode": (_read_backup, _write_backup),
    "BackupReserve": (_read_reserve, _write_reserve),
    "GridCharge": (_read_grid_charge, _write_grid_charge),
}
NAMES: Final = tuple(_CONTROLS)
RESERVE_NAMES: Final = ("BackupMode", "BackupReserve", "GridCharge")
"""The three that hold and charge are made of."""
