"""What the service does with each of its endpoints, once a request was let in."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess.simulator.day import MINUTES
from actors.devices.alphaess.simulator.station import Car, Station, minutes, on_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SERIALS: Final = "AL70110990000"
GET: Final = frozenset(
    {
        *("getEssList", "getLastPowerData", "getOneDayPowerBySn", "getOneDateEnergyBySn"),
        *("getSumDataForCustomer", "getChargeConfigInfo", "getDisChargeConfigInfo"),
        *("getTimeChargeBySn", "getVerificationCode", "getEvChargerConfigList"),
        *("getEvChargerCurrentsBySn", "getEvChargerStatusBySn"),
    }
)
POST: Final = frozenset(
    {
        *("updateChargeConfigInfo", "updateDisChargeConfigInfo", "setTimeChargeBySn", "bindSn"),
        *("unBindSn", "setEvChargerCurrentsBySn", "remoteControlEvCharger"),
    }
)
_SERVED: Final = {
    "getLastPowerData": "_live",
    "getSumDataForCustomer": "_sums",
    "getOneDayPowerBySn": "_day_power",
    "getOneDateEnergyBySn": "_day_energy",
    "getChargeConfigInfo": "_charge",
    "getDisChargeConfigInfo": "_discharge",
    "updateChargeConfigInfo": "_set_charge",
    "updateDisChargeConfigInfo": "_set_discharge",
    "getTimeChargeBySn": "_plan",
    "setTimeChargeBySn": "_set_plan",
    "getEvChargerConfigList": "_cars",
    "getEvChargerCurrentsBySn": "_current",
    "setEvChargerCurrentsBySn": "_set_current",
    "getEvChargerStatusBySn": "_status",
    "remoteControlEvCharger": "_control",
}
_READ_ONLY: Final = frozenset({"executeCycleType", "strategyType", "sort"})
_LISTS: Final = ("chargeTimeList", "dischargeTimeList")


class Refuse(Exception):
    """An answer with a code that is none of success."""

    def __init__(self, code: int, hint: str | None = None) -> None:
        super().__init__(code)
        self.code, self.hint = code, hint


class Account:
    """The systems of the maker, and which of them belong to the account.

    stations: all that were sold; mails: (serial, code) that were sent to owners; writes: (path,
    body) that were taken.
    """

    def __init__(self, systems: int, chargers: int, model: str, *, entitled: bool) -> None:
        newer = model == "scheduled"
        if model not in {"legacy", "scheduled"}:
            raise ValueError(f"model {model} is neither legacy nor scheduled")
        self.stations = {
            f"{SERIALS}{n:02}": Station(
                f"{SERIALS}{n:02}",
                f"CHECK{n:02}",
                scheduled=newer,
                entitled=newer or entitled,
                cars=[Car(f"EVC{n:02}00{k}") for k in range(1, chargers + 1)],
            )
            for n in range(1, systems + 1)
        }
        self.stations[f"{SERIALS}99"] = Station(f"{SERIALS}99", "CHECK99", bound=False)
        self.mails: list[tuple[str, str]] = []
        self.writes: list[tuple[str, dict[str, Any]]] = []

    @property
    def bound(self) -> list[Station]:
        """Those of this account."""
        return [each for each in self.stations.values() if each.bound]

    def answer(self, path: str, given: Mapping[str, Any], now: datetime) -> Any:
        """The data of an answer. Raises Refuse."""
        if path == "getEssList":
            return [self._listed(each) for each in self.bound]
        serial = given.get("sysSn")
        if not serial:
            raise Refuse(6001, "sysSn is null")
        station = self.stations.get(str(serial))
        if station is None:
            raise Refuse(6038)
        if path in {"getVerificationCode", "bindSn"}:
            return self._bind(path, station, given)
        if not station.bound:
            raise Refuse(6005)
        if path == "unBindSn":
            station.bound = False
            self.writes.append((path, dict(given)))
            return None
        if path == "getLastPowerData" and not station.online:
            raise Refuse(6042)
        serve: Callable[[Station, Mapping[str, Any], datetime], Any] = getattr(self, _SERVED[path])
        found = serve(station, given, now)
        if path in POST:
            self.writes.append((path, dict(given)))
        return found

    # ---------------------------------------------------------------- the account

    def _listed(self, station: Station) -> dict[str, Any]:
        return {
            "sysSn": station.serial,
            "popv": 9.0,
            "minv": station.model,
            "poinv": 5.0,
            "cobat": 13.34,
            "mbat": "SMILE-BAT-13.3P",
            "surplusCobat": 13.34,
            "usCapacity": 90.0,
            "emsStatus": "Normal",
        }

    def _bind(self, path: str, station: Station, given: Mapping[str, Any]) -> None:
        if path == "getVerificationCode":
            if given.get("checkCode") != station.check_code:
                raise Refuse(6004)
            self.mails.append((station.serial, f"{1000 + len(self.mails)}"))
            return
        if station.bound:
            raise Refuse(6003)
        sent = [code for serial, code in self.mails if serial == station.serial]
        if not sent or str(given.get("code")) != sent[-1]:
            raise Refuse(6046)
        station.bound = True
        self.writes.append((path, dict(given)))

    # ---------------------------------------------------------------- readings

    def _live(self, station: Station, _: Any, now: datetime) -> Any:
        return station.live(now)

    def _sums(self, station: Station, _: Any, now: datetime) -> Any:
        day = station.energies(now, whole=False)
        own = 1 - day["eOutput"] / day["epv"] if day["epv"] else 0.0
        return {
            "epvtoday": day["epv"],
            "epvtotal": round(4000 + day["epv"], 2),
            "eload": day["load"],
            "eoutput": day["eOutput"],
            "einput": day["eInput"],
            "echarge": day["eCharge"],
            "edischarge": day["eDischarge"],
            "todayIncome": None,
            "totalIncome": None,
            "eselfConsumption": round(max(0.0, own), 2),
            "eselfSufficiency": round(max(0.0, 1 - day["eInput"] / day["load"]), 2),
            "treeNum": None,
            "carbonNum": None,
            "moneyType": "EUR",
        }

    def _day(self, given: Mapping[str, Any], now: datetime) -> tuple[datetime, bool]:
        try:
            asked = datetime.strptime(str(given.get("queryDate")), "%Y-%m-%d")  # noqa: DTZ007 - local
        except ValueError:
            raise Refuse(6001, "queryDate") from None
        here = now.replace(tzinfo=None)
        if asked.date() > here.date():
            raise Refuse(6016)
        if asked.date() == here.date():
            return here, False
        return asked + timedelta(hours=23, minutes=59), True

    def _day_power(self, station: Station, given: Mapping[str, Any], now: datetime) -> Any:
        end, _ = self._day(given, now)
        begin = end.replace(hour=0, minute=0, second=4, microsecond=0)
        found = []
        for number, each in enumerate(station.steps(end)):
            at = begin + timedelta(minutes=number * MINUTES)
            if at > end:
                break
            found.append(
                {
                    "sysSn": station.serial,
                    "uploadTime": f"{at:%Y-%m-%d %H:%M:%S}",
                    "ppv": round(each.pv, 1),
                    "load": round(each.load, 1),
                    "cbat": round(each.soc, 1),
                    "feedIn": round(max(0.0, -each.grid), 1),
                    "gridCharge": round(max(0.0, each.grid), 1),
                    "pchargingPile": round(each.car, 1),
                }
            )
        return found

    def _day_energy(self, station: Station, given: Mapping[str, Any], now: datetime) -> Any:
        end, whole = self._day(given, now)
        told = station.energies(end, whole=whole)
        told.pop("load")
        return {"sysSn": station.serial, "theDate": f"{end:%Y-%m-%d}", **told}

    # ---------------------------------------------------------------- settings

    def _charge(self, station: Station, *_: Any) -> Any:
        return dict.fromkeys(station.charge) if station.scheduled else dict(station.charge)

    def _discharge(self, station: Station, *_: Any) -> Any:
        return dict.fromkeys(station.discharge) if station.scheduled else dict(station.discharge)

    def _set_charge(self, station: Station, given: Mapping[str, Any], _: Any) -> None:
        self._update(station.charge, given, "batHighCap")

    def _set_discharge(self, station: Station, given: Mapping[str, Any], _: Any) -> None:
        self._update(station.discharge, given, "batUseCap")

    def _update(self, kept: dict[str, Any], given: Mapping[str, Any], level: str) -> None:
        for name in kept:
            if given.get(name) is None:
                raise Refuse(6001, f"{name} is null")
        if not isinstance(given[level], (int, float)) or not 0 <= given[level] <= 100:
            raise Refuse(6001, level)
        times = [name for name in kept if name.startswith("time")]
        try:
            spans = sorted((minutes(given[f]), minutes(given[e])) for f, e in _pairs(times))
            quarters = all(on_grid(given[name]) for name in times)
        except (TypeError, ValueError):
            raise Refuse(6001, "time") from None
        (_, end), (start, last) = spans
        if start < end and start != last:
            raise Refuse(6008)
        if quarters:
            # Other times are taken with a yes, and the inverter ignores them.
            kept.update({name: given[name] for name in kept})

    def _plan(self, station: Station, *_: Any) -> Any:
        if not station.entitled:
            raise Refuse(6017)
        told = {"sysSn": station.serial, **station.plan}
        for sort, name in enumerate(_LISTS):
            told[name] = [
                {
                    **each,
                    "executeCycleType": station.plan["executeCycleType"],
                    "strategyType": sort,
                    "sort": number,
                }
                for number, each in enumerate(station.plan[name], 1)
            ]
        return told

    def _set_plan(self, station: Station, given: Mapping[str, Any], _: Any) -> None:
        if any(name not in given for name in _LISTS):
            raise Refuse(10001)
        for name in _LISTS:
            if not given[name]:
                raise Refuse(6001, "time list is null")
            for each in given[name]:
                _check_group(each, weekly=given.get("executeCycleType") == 1)
        _check_overlap([each for name in _LISTS for each in given[name]])
        # Values are looked at before it is asked whether the account may do this at all.
        if not station.entitled:
            raise Refuse(6017)
        station.plan = station.plan | {k: v for k, v in given.items() if k != "sysSn"}

    # ---------------------------------------------------------------- chargers

    def _cars(self, station: Station, *_: Any) -> Any:
        return [
            {"evchargerSn": each.serial, "evchargerModel": "SMILE-EVCT11"} for each in station.cars
        ]

    def _current(self, station: Station, *_: Any) -> Any:
        return {"currentsetting": station.current}

    def _set_current(self, station: Station, given: Mapping[str, Any], _: Any) -> None:
        current = given.get("currentsetting")
        if not isinstance(current, (int, float)) or not 0 < current <= 80:
            raise Refuse(6001, "currentsetting")
        station.current = float(current)

    def _car(self, station: Station, given: Mapping[str, Any]) -> Car:
        for each in station.cars:
            if each.serial == given.get("evchargerSn"):
                return each
        raise Refuse(6001, "evchargerSn")

    def _status(self, station: Station, given: Mapping[str, Any], _: Any) -> Any:
        return {"evchargerStatus": self._car(station, given).status}

    def _control(self, station: Station, given: Mapping[str, Any], _: Any) -> None:
        car, mode = self._car(station, given), given.get("controlMode")
        if mode not in {0, 1}:
            raise Refuse(6001, "controlMode")
        if car.status in {2, 3, 4, 5, 6}:
            car.status = 3 if mode == 1 else 6


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """(from, end) of the two periods."""
    return [(name, name[:-2] + "e" + name[-1]) for name in names if name[-2] == "f"]


def _check_group(each: Any, *, weekly: bool) -> None:
    try:
        fine = on_grid(each["beginTime"]) and on_grid(each["endTime"])
        fine = fine and 10 <= each["chargeLimit"] <= 100
        fine = fine and (
            not weekly or (bool(each["weeks"]) and set(each["weeks"]) <= set(range(1, 8)))
        )
    except (KeyError, TypeError, ValueError):
        raise Refuse(6001, "time list") from None
    if not fine or _READ_ONLY & set(each):
        raise Refuse(6001, "time list")


def _check_overlap(groups: list[dict[str, Any]]) -> None:
    for day in range(1, 8):
        spans = sorted(
            (minutes(each["beginTime"]), minutes(each["endTime"]))
            for each in groups
            if day in each.get("weeks", range(1, 8))
        )
        if len(spans) > 6:
            raise Refuse(6001, "more than 6")
        if any(after[0] < before[1] for before, after in itertools.pairwise(spans)):
            raise Refuse(6008)
