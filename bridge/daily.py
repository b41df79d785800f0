"""What the control desk must still know after a crash: what is lent out, and how often it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import DeviceError

if TYPE_CHECKING:
    from bridge.device import Device
    from bridge.state import StateFolder


class Journal:
    """Which controls of which devices hold a value of ours; on disk before the first write."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._held = held_pairs(state.load("leases"))

    def holds(self, device: str, control: str) -> bool:
        """True when a write to this control was not yet followed by giving it back."""
        return (device, control) in self._held

    def lent(self, device: str, control: str) -> None:
        """Note, before the first write, that the control will hold a value of ours."""
        if (device, control) not in self._held:
            self._held.add((device, control))
            self._save()

    def given_back(self, device: str, control: str) -> None:
        """Note that the device has its own control again."""
        if (device, control) in self._held:
            self._held.discard((device, control))
            self._save()

    def _save(self) -> None:
        self._state.save("leases", {"held": sorted(map(list, self._held))})


def held_pairs(content: Any) -> set[tuple[str, str]]:
    """Read (device, control) out of a journal's content; what is no pair is left out."""
    held = content.get("held") if isinstance(content, dict) else None
    return {
        (str(each[0]), str(each[1]))
        for each in (held if isinstance(held, list) else [])
        if isinstance(each, list) and len(each) == 2  # noqa: PLR2004 - device and control
    }


class DailyWrites:
    """Writes per control and UTC day; those that a device keeps in flash have a limit.

    `Device.daily_writes` says which: control -> most writes a day. Giving back is not counted.
    The counts of limited controls survive a restart.
    """

    def __init__(self, actor: Device) -> None:
        self._actor = actor
        self._day = actor.clock.utc().date().isoformat()
        self.counts: dict[str, int] = {}
        found = actor.state.load("writes") if actor.controls else None
        if found and found.get("day") == self._day and isinstance(found.get("counts"), dict):
            self.counts = {
                str(name): count for name, count in found["counts"].items() if type(count) is int
            }

    def limited(self, control: str) -> bool:
        """True for a control that the device keeps in flash."""
        return control in self._actor.daily_writes

    def check(self, control: str) -> None:
        """Raise DeviceError when today's writes are used up."""
        self._turn()
        limit = self._actor.daily_writes.get(control)
        if limit is not None and self.counts.get(control, 0) >= limit:
            raise DeviceError(f"{control} was written {limit} times today, which is its limit")

    def count(self, control: str) -> None:
        """Note one write."""
        self._turn()
        self.counts[control] = self.counts.get(control, 0) + 1
        if self.limited(control):
            self._actor.state.save("writes", {"day": self._day, "counts": self.counts})

    def _turn(self) -> None:
        day = self._actor.clock.utc().date().isoformat()
        if day != self._day:
            self._day, self.counts = day, {}
