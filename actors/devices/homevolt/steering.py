"""Makes a Homevolt follow an entry of ours, and gives it its own schedule back.

Every write is confirmed by reading the device; a command that was not answered is looked up, never
sent again blindly. What the device had before (its schedule and local mode) is on disk before the
first write.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from actors.devices.homevolt.client import Unanswered
from actors.devices.homevolt.schedule import (
    Entry,
    Schedule,
    as_json,
    command,
    differences,
    only,
    parse,
    same,
)
from actors.devices.homevolt.values import flag, number
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from actors.devices.homevolt.client import Client
    from bridge.clock import Clock
    from bridge.state import StateFolder

LOCAL_MODE: Final = "settings_local"
_JOURNAL: Final = "schedule"
# s between two looks at what became of a write.
_LOOKS: Final = (0.0, 0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Noted:
    """Which control wrote first, and what the device had before."""

    control: str
    before: Schedule


class Steering:
    """The schedule and parameters of one device. zone: the one its console speaks in.

    `noted`: what the device had before our first write, until it is given back.
    """

    def __init__(
        self, client: Client, state: StateFolder, clock: Clock, zone: tzinfo | None
    ) -> None:
        self._client, self._state, self._clock, self._zone = client, state, clock, zone
        self.noted: Noted | None = None
        self._lost = False
        self._remember()

    # ---------------------------------------------------------------- lent out

    async def lend(self, control: str, mode: int, params: dict[str, int], end: int) -> Schedule:
        """Have the device do this one thing until unix second `end`; the schedule as read back.

        Its entry may lack the end, where a firmware keeps none. Raises DeviceError when the
        device does not show what was asked.
        """
        noted = self.noted
        if noted is not None and noted.control != control:
            raise DeviceRefused(f"{noted.control} holds the battery: give that back first")
        wanted = Entry(mode, params, end=end)
        line = command("sched_set", wanted, self._zone)
        found = await self.read()
        if noted is None:
            self._note(control, found)
        if found.local is not True:
            await self.set_local(on=True)
        return await self._say(line, lambda found: self._unlike(wanted, found))

    def _unlike(self, wanted: Entry, found: Schedule) -> list[str]:
        wrong = only(found, wanted)
        if wrong == ["it does not show the end"]:
            return []
        return wrong if found.manual or wrong else ["it does not call its schedule a manual one"]

    async def give_back(self, control: str, now: float) -> str | None:
        """Put back what the device had before; one sentence about what could not be put back.

        Without a note nothing was written, and nothing is. With one that cannot be read the maker's
        own control is restored: an empty schedule, local mode off. A schedule that somebody else
        has sent meanwhile stays. Raises DeviceError when the device cannot be reached or does not
        leave local mode.
        """
        noted = self.noted
        if noted is None and not self._lost:
            return None
        if noted is not None and noted.control != control:
            return None
        before = noted.before if noted else Schedule(local=False, name=None, entries=())
        found, lost = await self.read(), None
        wanted = before.to_come(now)
        if found.manual and not same(wanted, found.to_come(now)):
            lost = await self._restore(wanted)
        if found.local is not before.local:
            await self.set_local(on=before.local is True)
        self.noted, self._lost = None, False
        self._state.save(_JOURNAL, {})
        if lost is None:
            return None
        after = "set it again" if before.local else "its maker has to send it again"
        return f"{self._client.name} has not taken its former schedule back ({lost}): {after}"

    async def _restore(self, wanted: tuple[Entry, ...]) -> str | None:
        """Write these entries; when that cannot be done, clear the schedule and say why."""
        if not wanted:
            await self.clear()
            return None
        verbs = ("sched_set", *("sched_add" for _ in wanted[1:]))
        try:
            lines = [
                command(verb, entry, self._zone) for verb, entry in zip(verbs, wanted, strict=True)
            ]
            for line in lines[:-1]:
                await self._send(line)
            await self._say(
                lines[-1],
                lambda found: [] if same(wanted, found.entries) else ["it shows another one"],
            )
        except DeviceRefused as error:
            await self.clear()
            return str(error).removeprefix(f"{self._client.name} ")
        return None

    # ---------------------------------------------------------------- by hand

    async def read(self) -> Schedule:
        """The schedule now. Raises DeviceError."""
        found = await self._client.schedule()
        try:
            return parse(found)
        except DeviceGarbled as error:
            raise DeviceGarbled(f"{self._client.name} {error}") from None

    async def replace(self, entry: Entry) -> Schedule:
        """Have this entry and no other."""
        line = command("sched_set", entry, self._zone)
        return await self._say(line, lambda found: only(found, entry))

    async def add(self, entry: Entry) -> Schedule:
        """Append an entry."""
        before = await self.read()
        line = command("sched_add", entry, self._zone)

        def missing(found: Schedule) -> list[str]:
            if len(found.entries) != len(before.entries) + 1:
                return [f"it has {len(found.entries)} entries in its schedule"]
            wrong = [differences(entry, each) for each in found.entries]
            return min(wrong, key=len)

        return await self._say(line, missing)

    async def delete(self, number_: int) -> Schedule:
        """Remove the entry with that id."""
        before = await self.read()
        if all(each.id != number_ for each in before.entries):
            raise DeviceRefused(f"{self._client.name} has no entry {number_} in its schedule")
        return await self._say(
            f"sched_del {number_}",
            lambda found: (
                ["the entry is still there"]
                if len(found.entries) != len(before.entries) - 1
                else []
            ),
        )

    async def clear(self) -> Schedule:
        """Remove every entry."""
        return await self._say(
            "sched_clear", lambda found: ["entries are still there"] if found.entries else []
        )

    async def set_local(self, *, on: bool) -> Schedule:
        """Local mode: the device follows its own schedule and nothing that its maker sends."""
        word = "true" if on else "false"
        # Not stored: a device that restarts is its maker's again.
        with contextlib.suppress(Unanswered):
            await self._client.set_parameter(LOCAL_MODE, word, store=False)
        return await self._confirmed(
            f"local mode {'on' if on else 'off'}",
            lambda found: [] if found.local is on else ["it has not changed"],
        )

    async def parameter(self, name: str) -> Any:
        """The value of a parameter: a single one bare, several as a list. Raises DeviceError."""
        for each in await self._client.parameters():
            if each.get("name") == name:
                value = each.get("value")
                single = isinstance(value, list) and len(value) == 1
                return value[0] if single and isinstance(value, list) else value
        raise DeviceRefused(f"{self._client.name} has no parameter {name}")

    async def set_parameter(self, name: str, text: str, *, store: bool) -> Any:
        """Set a parameter and give it as read back. Raises DeviceError when it is another."""
        await self.parameter(name)
        with contextlib.suppress(Unanswered):
            await self._client.set_parameter(name, text, store=store)
        found: Any = None
        for pause in _LOOKS:
            await self._clock.sleep(pause)
            found = await self.parameter(name)
            if alike(text, found):
                return found
        raise DeviceRefused(f"{self._client.name} was told {name} = {text}, but it has {found}")

    # ---------------------------------------------------------------- one write

    async def _send(self, line: str) -> None:
        """A command whose answer may be lost; what became of it is looked up by the caller."""
        with contextlib.suppress(Unanswered):
            await self._client.console(line)

    async def _say(self, line: str, wrong: Callable[[Schedule], list[str]]) -> Schedule:
        await self._send(line)
        return await self._confirmed(f"'{line}'", wrong)

    async def _confirmed(self, what: str, wrong: Callable[[Schedule], list[str]]) -> Schedule:
        """Look until nothing is wrong; raise DeviceRefused when something stays so."""
        found, left = Schedule(local=None, name=None, entries=()), ["it was not read"]
        for pause in _LOOKS:
            await self._clock.sleep(pause)
            found = await self.read()
            left = wrong(found)
            if not left:
                return found
        hint = "; is `timezone` right?" if any(" h " in each for each in left) else ""
        raise DeviceRefused(f"{self._client.name} does not confirm {what}: {'; '.join(left)}{hint}")

    # ---------------------------------------------------------------- the journal

    def _remember(self) -> None:
        """What an earlier life noted before its first write and has not given back."""
        damaged = self._state.is_damaged(_JOURNAL)
        found = {"damaged": True} if damaged else self._state.load(_JOURNAL)
        if not found:
            return
        control = found.get("control")
        with contextlib.suppress(DeviceGarbled):
            if isinstance(control, str):
                self.noted = Noted(control, parse(found))
        self._lost = self.noted is None

    def _note(self, control: str, found: Schedule) -> None:
        # Also in mind: a disk that takes nothing is no reason to forget it.
        self.noted, self._lost = Noted(control, found), False
        self._state.save(
            _JOURNAL,
            {
                "control": control,
                "local_mode": found.local,
                "schedule_id": found.name,
                "schedule": [as_json(each) for each in found.entries],
            },
        )


def alike(text: str, found: Any) -> bool:
    """True when a parameter's value is what was asked for as text."""
    if isinstance(found, list):
        pieces = text.split(",")
        return len(pieces) == len(found) and all(map(alike, pieces, found))
    if isinstance(found, bool):
        return flag(text.strip()) is found or number(text) == float(found)
    if isinstance(found, (int, float)):
        return number(text) == float(found)
    return bool(found == text)
