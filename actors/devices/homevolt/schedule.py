"""The device's schedule: what `/schedule.json` says, and the console words that would make it.

Pure. Powers are W and never negative: the mode gives the direction. Times are unix seconds here;
the console takes the local time of the device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from actors.devices.homevolt.values import flag, number, part, parts, word
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

MANUAL: Final = "Manual Schedule"
MODES: Final = {
    0: "idle",
    1: "charge",
    2: "discharge",
    3: "grid_charge",
    4: "grid_discharge",
    5: "grid_charge_discharge",
    6: "frequency_reserve",
    7: "solar_charge",
    8: "solar_charge_discharge",
    9: "full_solar_export",
}
MODE_OF: Final = {name: mode for mode, name in MODES.items()}

MOST_POWER: Final = 11_000
_MOST_SOC = 100
_MOST = 10_000_000
# Parameter -> the console's option, its largest value. `offline` is a flag without a value.
OPTIONS: Final[Mapping[str, tuple[str, int]]] = {
    "min": ("--min", _MOST_SOC),
    "max": ("--max", _MOST_SOC),
    "setpoint": ("-s", MOST_POWER),
    "max_charge": ("-c", MOST_POWER),
    "max_discharge": ("-d", MOST_POWER),
    "import_limit": ("-l", _MOST),
    "export_limit": ("-x", _MOST),
    "fcr_n_power": ("-n", MOST_POWER),
    "fcr_d_up_power": ("-u", MOST_POWER),
    "fcr_d_down_power": ("-w", MOST_POWER),
    "ffr_power": ("-f", MOST_POWER),
    "idle_threshold_power": ("-i", MOST_POWER),
    "discharge_threshold_power": ("-r", MOST_POWER),
    "main_fuse": ("--main_fuse", _MOST),
    "charge_ramp_up": ("--charge_ramp_up", _MOST),
    "discharge_ramp_up": ("--discharge_ramp_up", _MOST),
    "import_energy_limit": ("--import_energy_limit", _MOST),
    "import_energy_max_compensation": ("--import_energy_max_compensation", _MOST),
    "export_energy_limit": ("--export_energy_limit", _MOST),
    "export_energy_max_compensation": ("--export_energy_max_compensation", _MOST),
}
OFFLINE: Final = "offline"
_OTHER_NAMES = {
    "min_soc": "min",
    "max_soc": "max",
    "grid_import_limit": "import_limit",
    "grid_export_limit": "export_limit",
}
_STRANGE = "?"
_AT_ENTRY = ("min", "max", "setpoint", "max_charge", "max_discharge")
# Some devices may keep whole minutes.
_SLACK = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the schedule. start, end: unix s, None when open; id: the device's number.

    params: name -> value. strange: what the console could not say, so it cannot be made again.
    """

    mode: int
    params: Mapping[str, int | bool] = field(default_factory=dict)
    start: int | None = None
    end: int | None = None
    id: int | None = None
    strange: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The mode in our words."""
        return MODES.get(self.mode, str(self.mode))

    @property
    def setpoint(self) -> float | None:
        """W, + = discharge, where the mode is one of a plain set-point; None elsewhere."""
        if self.mode == MODE_OF["idle"]:
            return 0.0
        watts = self.params.get("setpoint")
        if watts is None or self.mode not in (MODE_OF["charge"], MODE_OF["discharge"]):
            return None
        return float(watts) if self.mode == MODE_OF["discharge"] else 0.0 - float(watts)


@dataclass(frozen=True, slots=True)
class Schedule:
    """local: the device listens to nobody but its owner; name: who made it; entries in order."""

    local: bool | None
    name: str | None
    entries: tuple[Entry, ...]

    @property
    def manual(self) -> bool:
        """True when it was made by console commands."""
        return self.name == MANUAL

    def current(self, now: float) -> Entry | None:
        """The entry that holds at unix second `now`."""
        for entry in self.entries:
            begun = entry.start is None or entry.start <= now
            if begun and (entry.end is None or now < entry.end):
                return entry
        return None

    def to_come(self, now: float) -> tuple[Entry, ...]:
        """The entries that are not over."""
        return tuple(each for each in self.entries if each.end is None or each.end > now)


# -------------------------------------------------------------------------------- reading


def parse(found: Any) -> Schedule:
    """Read `/schedule.json`. Raises DeviceGarbled when it is none."""
    if not isinstance(found, dict) or "local_mode" not in found:
        raise DeviceGarbled("answers with something else than its schedule")
    entries = tuple(_entry(each) for each in parts(found, "schedule"))
    return Schedule(flag(found["local_mode"]), word(found, "schedule_id"), entries)


def _entry(found: dict[str, Any]) -> Entry:
    mode = number(found.get("type"))
    if mode is None:
        raise DeviceGarbled("has an entry without a type in its schedule")
    given = {key: found[key] for key in (*_AT_ENTRY, *_OTHER_NAMES) if key in found}
    given |= part(found, "params")
    params: dict[str, int | bool] = {}
    strange: list[str] = []
    for key, value in given.items():
        name = _OTHER_NAMES.get(key, key)
        if value is None:
            continue
        if name == OFFLINE:
            if flag(value):
                params[name] = True
        elif name in OPTIONS and (watts := number(value)) is not None:
            params[name] = round(watts)
        else:
            strange.append(key)
    if int(mode) not in MODES:
        strange.append("type")
    return Entry(
        int(mode),
        params,
        _seconds(found, "from"),
        _seconds(found, "to"),
        _seconds(found, "id"),
        tuple(strange),
    )


def _seconds(found: dict[str, Any], key: str) -> int | None:
    value = number(found.get(key))
    return None if value is None else int(value)


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry as the device writes it, for the journal: `parse` reads the same again."""
    own = {"id": entry.id, "from": entry.start, "to": entry.end}
    told = {key: value for key, value in own.items() if value is not None}
    params: dict[str, Any] = {**dict.fromkeys(entry.strange, _STRANGE), **entry.params}
    return {**told, "type": entry.mode, "params": params}


# -------------------------------------------------------------------------------- writing


def command(verb: str, entry: Entry, zone: tzinfo | None) -> str:
    """The console line of `sched_set` or `sched_add`. zone: the device's; None: this machine's.

    Raises DeviceRefused for what is out of range or cannot be said.
    """
    if entry.strange:
        raise DeviceRefused(f"{', '.join(entry.strange)} of an entry cannot be written")
    if entry.mode not in MODES:
        raise DeviceRefused(f"mode {entry.mode} is not one of 0 to {max(MODES)}")
    if None not in (entry.start, entry.end) and entry.start >= entry.end:  # type: ignore[operator]
        raise DeviceRefused("the entry ends before it begins")
    words = [verb, str(entry.mode)]
    for name, (option, most) in OPTIONS.items():
        value = entry.params.get(name)
        if value is None:
            continue
        if not 0 <= value <= most:
            raise DeviceRefused(f"{name} {value} is not between 0 and {most}")
        words += [option, str(round(value))]
    if entry.params.get(OFFLINE):
        words.append("-o")
    for option, moment in (("--from", entry.start), ("--to", entry.end)):
        if moment is not None:
            words += [option, local(moment, zone)]
    return " ".join(words)


def local(moment: int, zone: tzinfo | None) -> str:
    """A unix second as the console writes times."""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


def differences(wanted: Entry, found: Entry) -> list[str]:
    """What of `wanted` the device has not, in words; empty when all of it is there."""
    if wanted.mode != found.mode:
        return [f"it is in mode {found.name}"]
    wrong = []
    for name, value in wanted.params.items():
        has = found.params.get(name)
        if has is None:
            wrong.append(f"it does not show {name}")
        elif has != value:
            wrong.append(f"{name} is {has}")
    for word_, mine, its in (
        ("begin", wanted.start, found.start),
        ("end", wanted.end, found.end),
    ):
        if mine is not None and its is None:
            wrong.append(f"it does not show the {word_}")
        elif mine is not None and its is not None and abs(mine - its) > _SLACK:
            wrong.append(f"its {word_} is {_apart(its - mine)} {'late' if its > mine else 'early'}")
    return wrong


def _apart(seconds: int) -> str:
    hours = abs(seconds) / 3600
    return f"{hours:g} h" if hours >= 1 else f"{abs(seconds)} s"


def only(schedule: Schedule, wanted: Entry) -> list[str]:
    """As `differences`, for a schedule that should have this one entry and no other."""
    if len(schedule.entries) != 1:
        return [f"it has {len(schedule.entries)} entries in its schedule"]
    return differences(wanted, schedule.entries[0])


def same(wanted: tuple[Entry, ...], found: tuple[Entry, ...]) -> bool:
    """True when the device has just these entries, in whatever order and with whatever ids."""
    left = list(found)
    for entry in wanted:
        match = next((each for each in left if not differences(entry, each)), None)
        if match is None:
            return False
        left.remove(match)
    return not left
