"""The newer schedule: groups with days, power and level, in one line of text and back. Pure.

`charge 01:00-05:00 mon-fri 3000W 90%; discharge 17:00-21:00 mon-fri 3000W 20%`. Without days a plan
holds every day. At most 6 groups a day and 28 a week, none overlaps another, and there must be one
of each sort: the service takes no empty list.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess.decode import block, number, rows
from actors.devices.alphaess.periods import DAY, Period, clock, period, shown, told_time
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

EXAMPLE: Final = "charge 01:00-05:00 mon-fri 3000W 90%"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NONE: Final = "none"
EVERY_DAY: Final = tuple(range(1, 8))
_A_DAY, _A_WEEK = 6, 28
_LEAST, _MOST = 10, 100
_MOST_POWER = 1_000_000
_SORTS: Final = {"charge": True, "discharge": False}
_GROUP = re.compile(
    r"(?P<sort>\w+)\s+(?P<when>\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2})"
    r"(?:\s+(?P<days>[a-z,\-]+))?(?:\s+(?P<power>\d{1,7})\s*w)?\s+(?P<level>\d+(?:\.\d+)?)\s*%",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Group:
    """One group of the plan.

    charge: else discharge; days: 1 = Monday to 7; power: W, None as the inverter likes; level: %
    where it stops.
    """

    charge: bool
    when: Period
    level: int
    power: int | None = None
    days: tuple[int, ...] = EVERY_DAY


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan.

    weekly: groups have days; charge, discharge: whether each sort counts, None where that is not
    told.
    """

    groups: tuple[Group, ...]
    weekly: bool = False
    charge: bool | None = None
    discharge: bool | None = None

    @property
    def text(self) -> str:
        """The groups in one line, as `parse` reads them."""
        return "; ".join(_text(each, self.weekly) for each in self.groups)

    @property
    def same(self) -> tuple[bool, frozenset[Group]]:
        """What two plans are compared by: the service may turn the order round."""
        return self.weekly, frozenset(self.groups)


def _text(group: Group, weekly: bool) -> str:
    words = ["charge" if group.charge else "discharge", shown(group.when)]
    if weekly:
        words.append(days_text(group.days))
    if group.power is not None:
        words.append(f"{group.power}W")
    return " ".join((*words, f"{group.level}%"))


def days_text(days: Sequence[int]) -> str:
    """`mon-fri,sun`."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    short = [DAYS[run[0] - 1] if len(run) == 1 else _run(run) for run in runs]
    return ",".join(short)


def _run(run: Sequence[int]) -> str:
    return f"{DAYS[run[0] - 1]}-{DAYS[run[-1] - 1]}"


# -------------------------------------------------------------------- of the service


def read(raw: Any) -> Plan | None:
    """What getTimeChargeBySn tells; None where there is nothing. Raises DeviceGarbled."""
    if raw is None or raw in ({}, []):
        return None
    found = block(raw, "its schedule")
    weekly = number(found, "executeCycleType") == 1
    groups = [
        _told(each, charge, weekly)
        for charge, name in ((True, "chargeTimeList"), (False, "dischargeTimeList"))
        for each in rows(found.get(name), "its schedule")
    ]
    flags = [number(found, name) for name in ("gridChargeCycle", "ctrDisCycle")]
    charge, discharge = (None if flag is None else flag != 0 for flag in flags)
    return Plan(tuple(groups), weekly, charge, discharge)


def _told(raw: Mapping[str, Any], charge: bool, weekly: bool) -> Group:
    level, power = number(raw, "chargeLimit"), number(raw, "chargePower")
    try:
        when = told_time(raw, "beginTime"), told_time(raw, "endTime")
    except DeviceGarbled:
        raise DeviceGarbled("has a group without times in its schedule") from None
    if level is None:
        raise DeviceGarbled("has a group without a level in its schedule")
    days: Any = raw.get("weeks") if weekly else EVERY_DAY
    if not isinstance(days, (list, tuple)) or not days or any(d not in EVERY_DAY for d in days):
        raise DeviceGarbled("has a group without days in its schedule")
    return Group(
        charge,
        when,
        round(level),
        None if power is None else round(power),
        tuple(sorted({int(day) for day in days})),
    )


def body(plan: Plan) -> dict[str, Any]:
    """What setTimeChargeBySn takes, without the parts that only reads have."""
    told: dict[str, Any] = {
        "executeCycleType": int(plan.weekly),
        "chargeTimeList": [_sent(each, plan.weekly) for each in plan.groups if each.charge],
        "dischargeTimeList": [_sent(each, plan.weekly) for each in plan.groups if not each.charge],
    }
    for name, flag in (("gridChargeCycle", plan.charge), ("ctrDisCycle", plan.discharge)):
        if flag is not None:
            told[name] = int(flag)
    return told


def _sent(group: Group, weekly: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"beginTime": clock(group.when[0]), "endTime": clock(group.when[1])}
    if weekly:
        told["weeks"] = list(group.days)
    if group.power is not None:
        told["chargePower"] = group.power
    return told | {"chargeLimit": group.level}


# -------------------------------------------------------------------- of the owner


def parse(text: str) -> tuple[tuple[Group, ...], bool]:
    """The groups of a line, and whether they have days. Raises DeviceRefused, one sentence."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    found = [_group(part) for part in parts]
    groups = tuple(group for group, _ in found)
    check(groups)
    return groups, any(named for _, named in found)


def _group(text: str) -> tuple[Group, bool]:
    found = _GROUP.fullmatch(text)
    if found is None or found["sort"].lower() not in _SORTS:
        raise DeviceRefused(f"'{text[:60]}' is no group of a schedule: write it like '{EXAMPLE}'")
    level = float(found["level"])
    if level != round(level) or not _LEAST <= level <= _MOST:
        raise DeviceRefused(f"'{text}': the level is a whole number from {_LEAST} to {_MOST} %")
    power = None if found["power"] is None else int(found["power"])
    if power is not None and not 0 < power <= _MOST_POWER:
        raise DeviceRefused(f"'{text}': the power is 1 W at least and {_MOST_POWER} W at most")
    when = period(found["when"])
    if when[0] == when[1]:
        raise DeviceRefused(f"'{text}': it ends when it begins")
    days = EVERY_DAY if found["days"] is None else _days(found["days"].lower(), text)
    group = Group(_SORTS[found["sort"].lower()], when, round(level), power, days)
    return group, found["days"] is not None


def _days(text: str, group: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise DeviceRefused(f"'{group}': {part} is none of {', '.join(DAYS)}")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {day % 7 + 1 for day in range(start, end + 1 if end >= start else end + 8)}
    return tuple(sorted(found))


def check(groups: Sequence[Group]) -> None:
    """Raise DeviceRefused for a plan that the service would not take."""
    for sort, charge in _SORTS.items():
        if not any(each.charge is charge for each in groups):
            raise DeviceRefused(
                f"a schedule needs a group with '{sort}': switch it off by the control beside it"
            )
    if len(groups) > _A_WEEK:
        raise DeviceRefused(f"a schedule has {_A_WEEK} groups at most, not {len(groups)}")
    for day in EVERY_DAY:
        if (count := sum(day in each.days for each in groups)) > _A_DAY:
            raise DeviceRefused(f"a day has {_A_DAY} groups at most, {DAYS[day - 1]} has {count}")
    spans = sorted((*piece, number) for number, each in enumerate(groups) for piece in _week(each))
    for (_, end, one), (start, _, other) in itertools.pairwise(spans):
        if start < end:
            raise DeviceRefused(f"the groups {one + 1} and {other + 1} of the schedule overlap")


def _week(group: Group) -> Iterable[Period]:
    """The minutes of the week that a group covers; the night from Sunday on is cut in two."""
    start, end = group.when
    length = (end - start) % DAY
    for day in group.days:
        begin = (day - 1) * DAY + start
        if begin + length <= 7 * DAY:
            yield begin, begin + length
        else:
            yield begin, 7 * DAY
            yield 0, begin + length - 7 * DAY
