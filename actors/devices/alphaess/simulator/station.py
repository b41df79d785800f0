"""One simulated system: what it is set to, and what it does at some moment of its scripted day."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess.simulator.day import MINUTES, Rules, Step, day, energy

if TYPE_CHECKING:
    from datetime import datetime

_TIME: Final = re.compile(r"(\d\d):(\d\d)\Z")
_VOLTS: Final = 230.0


def minutes(text: str) -> int:
    """Minutes after midnight."""
    found = _TIME.match(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * 60 + int(found[2])


def on_grid(text: str) -> bool:
    """True for a quarter hour."""
    return minutes(text) % 15 == 0


def _charge() -> dict[str, Any]:
    return {
        "gridCharge": 1,
        "timeChaf1": "01:00",
        "timeChae1": "05:15",
        "timeChaf2": "00:00",
        "timeChae2": "00:00",
        "batHighCap": 90,
    }


def _discharge() -> dict[str, Any]:
    return {
        "ctrDis": 0,
        "timeDisf1": "00:00",
        "timeDise1": "00:00",
        "timeDisf2": "00:00",
        "timeDise2": "00:00",
        "batUseCap": 10,
    }


def group(begin: str, end: str, limit: float, weeks: list[int]) -> dict[str, Any]:
    """One group of the newer schedule, as it is written."""
    return {
        "beginTime": begin,
        "endTime": end,
        "weeks": weeks,
        "chargePower": 3000,
        "chargeLimit": limit,
    }


def _plan() -> dict[str, Any]:
    return {
        "executeCycleType": 1,
        "gridChargeCycle": 1,
        "ctrDisCycle": 1,
        "chargeTimeList": [group("01:00", "05:00", 90.0, [1, 2, 3, 4, 5])],
        "dischargeTimeList": [group("17:00", "21:00", 20.0, [1, 2, 3, 4, 5])],
    }


@dataclass(slots=True)
class Car:
    """An EV charger. status: as the service counts."""

    serial: str
    status: int = 3


@dataclass(slots=True)
class Station:
    """A system.

    scheduled: a newer model with empty older settings; entitled: the account may use the newer
    schedule.
    """

    serial: str
    check_code: str
    scheduled: bool = False
    entitled: bool = False
    bound: bool = True
    online: bool = True
    cars: list[Car] = field(default_factory=list)
    current: float = 16.0
    charge: dict[str, Any] = field(default_factory=_charge)
    discharge: dict[str, Any] = field(default_factory=_discharge)
    plan: dict[str, Any] = field(default_factory=_plan)

    @property
    def model(self) -> str:
        """The inverter's name."""
        return "SMILE-G3-S5-INV" if self.scheduled else "SMILE5-INV"

    # ---------------------------------------------------------------- what it does

    def rules(self, weekday: int) -> Rules:
        """As it is set for one day (1 = Monday)."""
        if self.scheduled:
            return self._planned(weekday)
        given = self.charge | self.discharge
        pairs = [
            tuple(minutes(given[name]) for name in names)
            for names in (
                ("timeChaf1", "timeChae1"),
                ("timeChaf2", "timeChae2"),
                ("timeDisf1", "timeDise1"),
                ("timeDisf2", "timeDise2"),
            )
        ]
        return Rules(
            bool(given["gridCharge"]),
            [(a, b) for a, b in pairs[:2]],
            float(given["batHighCap"]),
            bool(given["ctrDis"]),
            [(a, b) for a, b in pairs[2:]],
            float(given["batUseCap"]),
        )

    def _planned(self, weekday: int) -> Rules:
        weekly = self.plan["executeCycleType"] == 1
        lists = [
            [each for each in self.plan[name] if not weekly or weekday in each["weeks"]]
            for name in ("chargeTimeList", "dischargeTimeList")
        ]
        spans = [
            [(minutes(each["beginTime"]), minutes(each["endTime"])) for each in found]
            for found in lists
        ]
        limits = [max((each["chargeLimit"] for each in found), default=10.0) for found in lists]
        return Rules(
            bool(self.plan.get("gridChargeCycle", 1)),
            spans[0],
            limits[0],
            bool(self.plan.get("ctrDisCycle", 1)),
            spans[1],
            limits[1],
        )

    @property
    def car_power(self) -> float:
        """W of all cars that charge."""
        return sum(self.current * _VOLTS for each in self.cars if each.status == 3)

    def steps(self, moment: datetime) -> list[Step]:
        """The day that `moment` (local time of the system) is in, as it is set now."""
        return day(self.rules(moment.isoweekday()), car=self.car_power)

    def live(self, moment: datetime) -> dict[str, Any]:
        """What getLastPowerData tells."""
        now = self.steps(moment)[(moment.hour * 60 + moment.minute) // MINUTES]
        pv, load, battery, car = (
            round(value, 1) for value in (now.pv, now.load, now.battery, now.car)
        )
        # As in real ones the sum is exact.
        grid = round(load - pv - battery, 1)
        return {
            "ppv": pv,
            "ppvDetail": {
                "ppv1": round(pv / 2, 1),
                "ppv2": round(pv - round(pv / 2, 1), 1),
                "ppv3": 0.0,
                "ppv4": 0.0,
                "pmeterDc": 0.0,
            },
            "soc": round(now.soc, 1),
            "pev": car,
            "pevDetail": {
                f"ev{n}Power": car / len(self.cars) if n <= len(self.cars) else None
                for n in (1, 2, 3, 4)
            },
            "prealL1": round(pv + battery, 1),
            "prealL2": 0.0,
            "prealL3": 0.0,
            "pgrid": grid,
            "pgridDetail": {"pmeterL1": grid, "pmeterL2": 0.0, "pmeterL3": 0.0},
            "pload": load,
            "pbat": battery,
        }

    def energies(self, moment: datetime, *, whole: bool) -> dict[str, float]:
        """Energies (kWh) of a day, until `moment` or all of it, as getOneDateEnergyBySn."""
        steps = self.steps(moment)
        if not whole:
            steps = steps[: (moment.hour * 60 + moment.minute) // MINUTES + 1]
        return {
            "epv": energy([each.pv for each in steps]),
            "eCharge": energy([max(0.0, -each.battery) for each in steps]),
            "eDischarge": energy([max(0.0, each.battery) for each in steps]),
            "eGridCharge": energy([each.from_grid for each in steps]),
            "eInput": energy([max(0.0, each.grid) for each in steps]),
            "eOutput": energy([max(0.0, -each.grid) for each in steps]),
            "eChargingPile": energy([each.car for each in steps]),
            "load": energy([each.load for each in steps]),
        }
