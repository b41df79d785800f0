"""Answers of the AlphaESS Open API in our quantities. Pure.

Signs are the same on both sides: `pgrid` + = import, `pbat` + = discharge. `soc` is in %. Powers in
W, energies in kWh. What is left out or null is None; what is no number raises DeviceGarbled.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = dict[str, float | str | None]

_LIVE: Final = {
    "PvPower": "ppv",
    "LoadPower": "pload",
    "GridPower": "pgrid",
    "BatteryPower": "pbat",
    "BatterySoc": "soc",
}
_ALSO: Final = {"ChargerPower": "pev"} | {f"InverterPowerL{n}": f"prealL{n}" for n in (1, 2, 3)}
_STRINGS: Final = {f"PvString{n}Power": f"ppv{n}" for n in (1, 2, 3, 4)}
_PHASES: Final = {f"GridPowerL{n}": f"pmeterL{n}" for n in (1, 2, 3)}
_SUMS: Final = {
    "PvEnergyToday": "epvtoday",
    "PvEnergy": "epvtotal",
    "LoadEnergyToday": "eload",
    "GridExportEnergyToday": "eoutput",
    "GridImportEnergyToday": "einput",
    "BatteryChargeEnergyToday": "echarge",
    "BatteryDischargeEnergyToday": "edischarge",
}
_SHARES: Final = {
    "SelfConsumptionToday": "eselfConsumption",
    "SelfSufficiencyToday": "eselfSufficiency",
}
_MONEY_AND_NATURE: Final = ("todayIncome", "totalIncome", "treeNum", "carbonNum")
_VEHICLE: Final = {
    1: "disconnected",
    2: "connected",
    3: "charging",
    4: "waiting",
    5: "connected",
    6: "complete",
    9: "fault",
}
_STARTED: Final = frozenset({3, 4, 5})
_DAY: Final = ("ppv", "load", "feedIn", "gridCharge", "cbat", "pchargingPile")
_DAY_OLD: Final = {"cbat": "cobat", "pchargingPile": "pChargingPile"}
ENERGIES: Final = ("epv", "eInput", "eOutput", "eCharge", "eDischarge", "eGridCharge")
CHARGED: Final = "eChargingPile"
_NORMAL: Final = "normal"
_SERIAL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class System:
    """One system of an account.

    capacity: Wh that can be used when full; pv, power: nominal kW of the PV and the inverter;
    status: the maker's word when it is not the normal one.
    """

    serial: str
    inverter: str | None = None
    battery: str | None = None
    capacity: float | None = None
    status: str | None = None
    pv: float | None = None
    power: float | None = None

    @property
    def model(self) -> str | None:
        """Inverter and battery, as far as they are known."""
        return " with ".join(filter(None, (self.inverter, self.battery))) or None


@dataclass(frozen=True, slots=True)
class Charger:
    """One EV charger of a system."""

    serial: str
    model: str | None = None


def number(found: Mapping[str, Any], field: str) -> float | None:
    """A number, also one that comes as text; None for null, an empty text or a missing field."""
    raw = found.get(field)
    if raw is None or raw == "":
        return None
    try:
        value = math.nan if isinstance(raw, bool) else float(raw)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise DeviceGarbled(f"has something else than a number in {field}")
    return value


def block(raw: Any, what: str) -> Mapping[str, Any]:
    """An object. Raises DeviceGarbled for anything else, null included."""
    if not isinstance(raw, dict):
        raise DeviceGarbled(f"does not tell {what}")
    return raw


def rows(raw: Any, what: str) -> list[Mapping[str, Any]]:
    """A list of objects; one object alone and null are taken too."""
    if raw is None:
        return []
    found = raw if isinstance(raw, list) else [raw]
    return [block(each, what) for each in found]


def _inner(found: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    return {} if found.get(field) is None else block(found[field], field)


def systems(raw: Any) -> tuple[System, ...]:
    """Of getEssList, by serial number. Raises DeviceGarbled."""
    found: dict[str, System] = {}
    for each in rows(raw, "its systems"):
        serial = _serial(each.get("sysSn"), "a system")
        whole, share = number(each, "cobat"), number(each, "usCapacity")
        status = _word(each, "emsStatus")
        found[serial] = System(
            serial,
            _word(each, "minv"),
            _word(each, "mbat"),
            None if not whole else whole * 1000 * (1 if not share else share / 100),
            None if status is None or status.lower() == _NORMAL else status,
            number(each, "popv"),
            number(each, "poinv"),
        )
    return tuple(found[serial] for serial in sorted(found))


def chargers(raw: Any) -> tuple[Charger, ...]:
    """Of getEvChargerConfigList, in its order. Raises DeviceGarbled."""
    return tuple(
        Charger(_serial(each.get("evchargerSn"), "a charger"), _word(each, "evchargerModel"))
        for each in rows(raw, "its chargers")
    )


def live(raw: Any) -> Values:
    """Of getLastPowerData. Raises DeviceGarbled, also when it tells nothing at all."""
    found = block(raw, "its powers")
    values: Values = {name: number(found, field) for name, field in (_LIVE | _ALSO).items()}
    for names, detail in ((_STRINGS, "ppvDetail"), (_PHASES, "pgridDetail")):
        inner = _inner(found, detail)
        values |= {name: number(inner, field) for name, field in names.items()}
    if all(values[name] is None for name in _LIVE):
        raise DeviceGarbled("does not tell its powers")
    return values


def sums(raw: Any) -> Values:
    """Of getSumDataForCustomer: energies in kWh, shares in %. Raises DeviceGarbled."""
    found = block(raw, "its sums")
    values: Values = {name: number(found, field) for name, field in _SUMS.items()}
    values |= {name: percent(number(found, field)) for name, field in _SHARES.items()}
    return values


def nothing_summed() -> Values:
    """As `sums`, before they are known."""
    return dict.fromkeys((*_SUMS, *_SHARES))


def percent(share: float | None) -> float | None:
    """A share that is told as 0 to 1, or, by some, in %."""
    return share * 100 if share is not None and share <= 1 else share


def summary(raw: Any) -> dict[str, float | str | None]:
    """All of getSumDataForCustomer under its own names, with shares in %. Raises DeviceGarbled."""
    found = block(raw, "its sums")
    fields = (*_SUMS.values(), *_MONEY_AND_NATURE)
    told: dict[str, float | str | None] = {field: number(found, field) for field in fields}
    told |= {field: percent(number(found, field)) for field in _SHARES.values()}
    return told | {"moneyType": _word(found, "moneyType")}


def day_power(raw: Any) -> list[dict[str, float | str | None]]:
    """Of getOneDayPowerBySn: rows by time (the system's local time); a time twice: the later row.

    Two fields have another name in the maker's document than in its answers. Raises DeviceGarbled.
    """
    told: dict[str, dict[str, float | str | None]] = {}
    for each in rows(raw, "its powers of that day"):
        at = _word(each, "uploadTime")
        if at is None:
            raise DeviceGarbled("does not tell the time of a row")
        row: dict[str, float | str | None] = {"uploadTime": at}
        for field in _DAY:
            name = field if field in each else _DAY_OLD.get(field, field)
            row[field] = number(each, name)
        told[at] = row
    return [told[at] for at in sorted(told)]


def day_energy(raw: Any) -> dict[str, float | None]:
    """Of getOneDateEnergyBySn: kWh under its own names. Raises DeviceGarbled."""
    found = block(raw, "its energies of that day")
    return {field: number(found, field) for field in (*ENERGIES, CHARGED)}


def current(raw: Any) -> float | None:
    """Of getEvChargerCurrentsBySn: A. Raises DeviceGarbled."""
    return number(block(raw, "the current of its charger"), "currentsetting")


def charger_status(raw: Any) -> int | None:
    """Of getEvChargerStatusBySn: an object, or a list of one. Raises DeviceGarbled."""
    found = rows(raw, "the state of its charger")
    status = number(found[0], "evchargerStatus") if found else None
    return None if status is None else int(status)


def vehicle(status: int | None) -> str | None:
    """What the car does; None for a number that is not documented (7, 8)."""
    return None if status is None else _VEHICLE.get(status)


def started(status: int | None) -> bool | None:
    """True while a charger charges, or would if it or the car had not paused it.

    None for a number that is not documented.
    """
    return None if vehicle(status) is None else status in _STARTED


def _word(found: Mapping[str, Any], field: str) -> str | None:
    raw = found.get(field)
    return raw.strip() or None if isinstance(raw, str) else None


def _serial(raw: Any, what: str) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    if not _SERIAL.match(text):
        raise DeviceGarbled(f"names {what} without a serial number")
    return text
