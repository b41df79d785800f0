"""The console of a simulated Homevolt: `sched_*` and `param_*` lines, answered in plain text."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

MANUAL = "Manual Schedule"
_AT_ENTRY = {"--min": "min", "--max": "max"}
_NUMBERS = {
    "-s": "setpoint",
    "--setpoint": "setpoint",
    "-c": "max_charge",
    "--max_charge": "max_charge",
    "-d": "max_discharge",
    "--max_discharge": "max_discharge",
    "-l": "import_limit",
    "--import_limit": "import_limit",
    "-x": "export_limit",
    "--export_limit": "export_limit",
    "-n": "fcr_n_power",
    "-u": "fcr_d_up_power",
    "-w": "fcr_d_down_power",
    "-f": "ffr_power",
    "-i": "idle_threshold_power",
    "-r": "discharge_threshold_power",
    "--main_fuse": "main_fuse",
    "--charge_ramp_up": "charge_ramp_up",
    "--discharge_ramp_up": "discharge_ramp_up",
    "--import_energy_limit": "import_energy_limit",
    "--export_energy_limit": "export_energy_limit",
    "--import_energy_max_compensation": "import_energy_max_compensation",
    "--export_energy_max_compensation": "export_energy_max_compensation",
}
_TIMES = {"--from": "from", "--to": "to"}
_LAST_TYPE = 9
_MOST_POWER = 11_000
_TYPE_NAMES = {0: "Idle", 1: "Inverter charge", 2: "Inverter discharge", 3: "Grid charge"}


class BadLine(Exception):
    """The console says this instead of doing anything."""


class Console:
    """The schedule, and what lines make of it. zone: the device's own; None: this machine's.

    `ignored`: types that are answered with success and change nothing, as current firmware does.
    `keeps_end` false: `--from` and `--to` are taken and forgotten.
    """

    def __init__(self, zone: tzinfo | None, ignored: frozenset[int]) -> None:
        self.zone, self.ignored = zone, ignored
        self.keeps_end = True
        self.local_mode = False
        self.schedule_id = "6a4ee454-0000-4000-8000-2da6d4e50001"
        self.entries: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._next = 1
        self._verbs: dict[str, Callable[[list[str]], list[str]]] = {
            "sched_set": self._set,
            "sched_add": self._add,
            "sched_del": self._del,
            "sched_clear": self._clear,
            "sched_list": self._list,
        }

    def page(self) -> dict[str, Any]:
        """`/schedule.json`."""
        return {
            "local_mode": self.local_mode,
            "schedule_id": self.schedule_id,
            "schedule": self.entries,
        }

    def current(self, now: float) -> dict[str, Any] | None:
        """The entry in force at unix second `now`."""
        for each in self.entries:
            if each.get("from", 0) <= now < each.get("to", now + 1):
                return each
        return None

    def run(self, line: str) -> str:
        """Do one line; the text that the device answers."""
        self.lines.append(line)
        try:
            words = shlex.split(line)
        except ValueError:
            words = [""]
        verb = self._verbs.get(words[0]) if words else None
        if verb is None:
            return f"esp32> {line}\nUnknown command: {words[0] if words else ''}"
        try:
            said = verb(words[1:])
        except BadLine as bad:
            return f"esp32> {line}\n{bad}"
        return "\n".join([f"esp32> {line}", *said, f"Command '{line}' executed successfully"])

    # ---------------------------------------------------------------- verbs

    def _set(self, words: list[str]) -> list[str]:
        entry = self._parse(words)
        if entry["type"] not in self.ignored:
            self.entries = [entry]
            self.schedule_id = MANUAL
        return []

    def _add(self, words: list[str]) -> list[str]:
        entry = self._parse(words)
        if entry["type"] not in self.ignored:
            self.entries = [*self.entries, entry]
            self.schedule_id = MANUAL
        return []

    def _del(self, words: list[str]) -> list[str]:
        left = [each for each in self.entries if [str(each["id"])] != words]
        if len(left) == len(self.entries):
            raise BadLine("Error: no such schedule entry")
        self.entries = left
        return []

    def _clear(self, words: list[str]) -> list[str]:
        if words:
            raise BadLine("Invalid arguments")
        self.entries, self.schedule_id = [], MANUAL
        return []

    def _list(self, _: list[str]) -> list[str]:
        head = f"Schedule get: {len(self.entries)} schedules. Current ID: '{self.schedule_id}'"
        return [head, *(f"id: {each['id']}, type: {self._name(each)}" for each in self.entries)]

    def _name(self, entry: dict[str, Any]) -> str:
        return f"{_TYPE_NAMES.get(entry['type'], entry['type'])} schedule"

    # ---------------------------------------------------------------- words

    def _parse(self, words: list[str]) -> dict[str, Any]:
        if not words or not words[0].isdecimal() or int(words[0]) > _LAST_TYPE:
            raise BadLine("Invalid arguments")
        entry: dict[str, Any] = {"id": self._next, "type": int(words[0]), "params": {}}
        rest = iter(words[1:])
        for option in rest:
            if option in {"-o", "--offline"}:
                entry["params"]["offline"] = True
                continue
            self._option(entry, option, next(rest, ""))
        self._next += 1
        return entry

    def _option(self, entry: dict[str, Any], option: str, value: str) -> None:
        if option in _TIMES:
            try:
                moment = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - below
            except ValueError:
                raise BadLine("Invalid arguments") from None
            zoned = moment.astimezone() if self.zone is None else moment.replace(tzinfo=self.zone)
            if self.keeps_end:
                entry[_TIMES[option]] = int(zoned.timestamp())
            return
        where = entry if option in _AT_ENTRY else entry["params"]
        name = _AT_ENTRY.get(option) or _NUMBERS.get(option)
        if name is None or not value.isdecimal():
            raise BadLine("Invalid arguments")
        if name in {"setpoint", "max_charge", "max_discharge"} and int(value) > _MOST_POWER:
            raise BadLine("Error: value out of range")
        where[name] = int(value)
