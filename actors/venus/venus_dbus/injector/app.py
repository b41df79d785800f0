"""The injector: hears topics, keeps the services of the plan on the D-Bus, tells how they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import wire
from .house import House, read_object, topics
from .instances import Instances, read_instance
from .link import Link
from .plan import LEAST_BATTERY, PlanError, read_plan
from .shown import Shown

if TYPE_CHECKING:
    from .link import Broker
    from .plan import Entry

_TICK = 1.0
_RESERVE_AGAIN = 5.0
_LEAVE = 5.0


@dataclass(frozen=True)
class Options:
    """broker: where; base: of all topics; venus: whose plan; address: of the D-Bus."""

    broker: Broker
    base: str
    venus: str
    address: str


class App:
    """Runs until `stop` is set."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.stop = asyncio.Event()
        self.house = House()
        self.shown: dict[str, Shown] = {}
        self._hearers: dict[str, list[Shown]] = {}
        self._fault: str | None = None
        self._plan = f"Venus/{options.venus}/Services"
        self._actor = f"Actors/{options.venus}/Status"
        self._told: dict[str, Any] | None = None
        self._loop = asyncio.get_running_loop()
        self._reserve = asyncio.Event()
        self._log = logging.getLogger("injector")
        self._tasks = asyncio.TaskGroup()
        self.instances = Instances(
            options.address, ready=self._settings_came, changed=self._setting_changed
        )
        self.link = Link(
            options.broker,
            options.base,
            f"{options.base.replace('/', '_')}-{options.venus}-dbus",
            f"Venus/{options.venus}/Status",
            loop=self._loop,
            hear=self._hear,
            came=self._came,
        )

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Live; on the way out everything unknown, every name released, every lease given back."""
        self._listen()
        self.link.start()
        async with self._tasks as tasks:
            own = [
                tasks.create_task(self.instances.run()),
                tasks.create_task(self._reserve_for_ever()),
                tasks.create_task(self._tick_for_ever()),
            ]
            try:
                await self.stop.wait()
            finally:
                await self._leave(own)
        self.link.stop()

    async def _leave(self, own: list[asyncio.Task[None]]) -> None:
        for task in own:
            task.cancel()
        for each in self.shown.values():
            each.stop()
        self._send_orders()
        left = [each.stopped() for each in self.shown.values()]
        if left:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*left), _LEAVE)

    async def _tick_for_ever(self) -> None:
        while True:
            now = self._loop.time()
            for each in self.shown.values():
                each.look(now)
                each.buttons.tick(now)
            self._send_orders()
            self._tell()
            await asyncio.sleep(_TICK)

    # ---------------------------------------------------------------- topics

    def _listen(self) -> None:
        self._hearers = {}
        for each in self.shown.values():
            for topic in topics(each.entry):
                self._hearers.setdefault(topic, []).append(each)
        wanted = {self._plan, self._actor, "Bridge/Status", *self._hearers}
        results = {
            f"Devices/{each.entry.device}/+/Result"
            for each in self.shown.values()
            if each.entry.what == "evcharger"
        }
        self.house.forget(wanted)
        self.link.listen(wanted | results)

    def _came(self) -> None:
        self._told = None
        self._tell()

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic == self._plan:
            self._take_plan(payload)
            return
        now = self._loop.time()
        if topic == self._actor:
            self.house.take_actor(payload, now)
            return
        parts = topic.split("/")
        if parts[-1] == "Result":
            self._answer(parts, payload)
            return
        self.house.take(topic, payload, now, retained=retained)
        for each in self._hearers.get(topic, ()):
            each.look(now)
        self._send_orders()

    def _answer(self, parts: list[str], payload: bytes) -> None:
        found = read_object(payload) or {}
        for each in self.shown.values():
            if each.entry.what == "evcharger" and each.entry.device == parts[1]:
                each.buttons.answer(parts[2], found)
                each.look(self._loop.time())

    def _send_orders(self) -> None:
        for each in self.shown.values():
            orders, each.buttons.outbox = each.buttons.outbox, []
            for topic, payload in orders:
                self.link.publish(topic, payload)

    def _order(self) -> bool:
        if not self.link.up:
            return False
        self._send_orders()
        return True

    # ---------------------------------------------------------------- the plan

    def _take_plan(self, payload: bytes) -> None:
        try:
            plan = read_plan(payload)
        except PlanError as error:
            # What is shown already stays: a slip in the list must not empty the GX.
            self._fault = str(error)
            self._log.warning("%s", error)
            self._tell()
            return
        self._fault = None
        wanted = {each.key: each for each in plan}
        for key, shown in list(self.shown.items()):
            if wanted.get(key) != shown.entry:
                shown.stop()
        self._send_orders()
        self.shown = {key: self._keep(key, entry) for key, entry in wanted.items()}
        self._listen()
        self._reserve.set()
        self._tell()

    def _keep(self, key: str, entry: Entry) -> Shown:
        before = self.shown.get(key)
        if before is not None and before.entry == entry:
            return before
        made = Shown(
            entry,
            self.house,
            base=self.options.base,
            owner=self.options.venus,
            address=self.options.address,
            tasks=self._tasks,
            rename=self._rename,
            order=self._order,
        )
        if before is not None:
            made.follow(before)
        return made

    # ---------------------------------------------------------------- settings of the GX

    def _settings_came(self) -> None:
        # They may have lost what they kept: ask for the same numbers again.
        for each in self.shown.values():
            each.reserved = False
        self._reserve.set()

    async def _reserve_for_ever(self) -> None:
        while True:
            await self._reserve.wait()
            self._reserve.clear()
            if not await self._reserve_all():
                self._loop.call_later(_RESERVE_AGAIN, self._reserve.set)

    async def _reserve_all(self) -> bool:
        """Reserve what is not reserved yet; False when something could not be."""
        good = True
        for each in list(self.shown.values()):
            if each.reserved:
                continue
            preferred = each.entry.instance if each.instance is None else each.instance
            try:
                number, name = await self.instances.reserve(each.unique, each.entry.kind, preferred)
            except wire.BusError as error:
                each.unreserved, good = str(error), False
                continue
            if self.shown.get(each.entry.key) is not each:
                # The plan has changed meanwhile: another stands for it, or nobody.
                continue
            each.reserved, each.unreserved = True, None
            each.instance, each.custom = number, name
            each.look(self._loop.time())
        return good

    def _setting_changed(self, unique: str, last: str, value: Any) -> None:
        for each in self.shown.values():
            if each.unique != unique:
                continue
            if last == "CustomName":
                each.custom = value if isinstance(value, str) else ""
            elif last == "ClassAndVrmInstance":
                self._moved(each, read_instance(value))
            each.look(self._loop.time())

    def _moved(self, each: Shown, found: tuple[str, int] | None) -> None:
        kind = each.entry.kind
        low = found is not None and kind == "battery" and found[1] < LEAST_BATTERY
        if found is None or found[0] != kind or low:
            # Not a place that this service can be at: put back what it was.
            each.reserved = False
            self._reserve.set()
        else:
            each.instance = found[1]

    def _rename(self, unique: str, name: str) -> bool:
        if not self.instances.up:
            return False
        self._tasks.create_task(self._keep_name(unique, name))
        return True

    async def _keep_name(self, unique: str, name: str) -> None:
        try:
            await self.instances.rename(unique, name)
        except wire.BusError as error:
            self._log.warning("the name %r is not kept: %s", name, error)

    # ---------------------------------------------------------------- telling

    def _tell(self) -> None:
        report = {
            "bus": self.instances.why,
            "plan": self._fault,
            "services": {key: each.report() for key, each in self.shown.items()},
        }
        if report == self._told or not self.link.up:
            return
        self._told = report
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = json.dumps({"at": at, **report}, ensure_ascii=False).encode("utf-8", "replace")
        self.link.publish(f"Venus/{self.options.venus}/Shown", payload, retain=True)
