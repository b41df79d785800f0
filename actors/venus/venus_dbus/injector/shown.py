"""One entry of the plan: when it is on the D-Bus, and what it shows there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from . import charger, figures
from .export import Exported
from .house import source, standing
from .items import ACCEPTED, REFUSED
from .layout import fixed, layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from .house import House
    from .plan import Entry
    from .values import Value

_LONGEST_NAME = 64


class Shown:
    """Brings one service up, keeps it true, and takes it down.

    `rename(unique, name)` keeps a name that was given on the GX, `order()` hands out what was
    pressed so far; both return False when they cannot.
    """

    def __init__(
        self,
        entry: Entry,
        house: House,
        *,
        base: str,
        owner: str,
        address: str,
        tasks: asyncio.TaskGroup,
        rename: Callable[[str, str], bool],
        order: Callable[[], bool],
    ) -> None:
        self.entry = entry
        self.unique = entry.unique(base)
        self.instance: int | None = None
        self.reserved = False
        self.custom = ""
        self.unreserved: str | None = None
        self.state = "waiting"
        self.why: str | None = "it was not looked at yet"
        self.session = charger.Session()
        self.buttons = charger.Buttons(entry, owner)
        self.exported: Exported | None = None
        self._house, self._base, self._address = house, base, address
        self._tasks, self._rename, self._order = tasks, rename, order
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._phases: tuple[int, ...] = ()
        self._own: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The name on the bus."""
        return f"com.victronenergy.{self.entry.kind}.{self.unique}"

    def report(self) -> dict[str, Any]:
        """How it stands, for people."""
        state, why = self.state, self.why
        exported = self.exported
        if state in {"shown", "silent"}:
            if exported is None:
                state, why = "waiting", self.unreserved or self.why
            elif not exported.claimed:
                state, why = "waiting", exported.why
            elif self.buttons.why is not None:
                why = self.buttons.why
        return {"state": state, "name": self.name, "instance": self.instance, "why": why}

    # ---------------------------------------------------------------- its life

    def look(self, now: float) -> None:
        """Bring everything up to what is known now."""
        state, why = standing(self.entry, self._house, now)
        self.state, self.why = state, why
        if state != "shown":
            self.buttons.let_go()
        if state in {"waiting", "gone"}:
            self.stop()
        elif state == "silent":
            if self.exported is not None:
                self.exported.silence()
        elif self.instance is not None:
            self._show(now)
        if self.state != "shown" or self.instance is None:
            self.session.see(None, now)

    def _show(self, now: float) -> None:
        own = figures.own_phases(self.entry, self._house)
        if self.exported is not None and not set(own) <= set(self._phases):
            # A phase that was not there before: whoever looks must look anew.
            self.stop()
            own = tuple(sorted({*own, *self._own}))
        if self.exported is None:
            if self._ending is not None and not self._ending.done():
                return  # its former self still holds the name
            self._own = own
            self._start(own or figures.planned_phases(self.entry))
        assert self.exported is not None  # noqa: S101 - for the type checker
        self.exported.update(self._values(now))

    def _start(self, phases: tuple[int, ...]) -> None:
        self._phases = phases
        specs = layout(self.entry, phases)
        self.exported = Exported(self.name, self._address, specs, self._write)
        place = f"{self._base}/{source(self.entry)}"
        self.exported.update(fixed(self.entry, place, phases))
        self._task = self._tasks.create_task(self.exported.run())

    def stop(self) -> None:
        """Leave the bus, with unknown values first; all is forgotten that was pressed."""
        self.buttons.let_go()
        self.exported = None
        if self._task is not None:
            self._task.cancel()
            self._ending, self._task = self._task, None

    def follow(self, before: Shown) -> None:
        """Take over from the same entry with other settings, once that has left the bus."""
        self._ending = before._ending

    async def stopped(self) -> None:
        """Wait until it has left the bus."""
        if self._ending is not None:
            await asyncio.wait([self._ending])

    def _values(self, now: float) -> dict[str, Value]:
        values = figures.figures(self.entry, self._house, self._phases)
        values |= figures.words(self.entry, self._house)
        values |= {
            "/Connected": 1,
            "/DeviceInstance": self.instance,
            "/CustomName": self._name() + figures.suffix(self.entry, self._house),
        }
        if self.entry.what == "evcharger":
            self.session.see(self._house.word(source(self.entry), "VehicleState"), now)
            values |= self.buttons.figures(self._house, now)
            values |= {"/Session/Time": self.session.seconds, "/ChargingTime": self.session.seconds}
        return values

    def _name(self) -> str:
        return self.custom or figures.default_name(self.entry, self._house)

    # ---------------------------------------------------------------- what is written on the GX

    def _write(self, path: str, value: Value) -> int:
        if path == "/CustomName":
            return self._renamed(str(value))
        now = asyncio.get_running_loop().time()
        # What is pressed while the broker is away must not be carried out later.
        if self.state != "shown" or not self._order():
            return REFUSED
        done = self.buttons.press(path, value, self._house, now)
        self._order()
        self.look(now)
        return done

    def _renamed(self, name: str) -> int:
        added = figures.suffix(self.entry, self._house)
        if added and name.endswith(added):
            name = name[: -len(added)]
        name = name.strip()
        if len(name) > _LONGEST_NAME or not name.isprintable():
            return REFUSED
        if not self._rename(self.unique, name):
            return REFUSED
        self.custom = name
        if self.exported is not None:
            self.exported.update({"/CustomName": self._name() + added})
        return ACCEPTED
