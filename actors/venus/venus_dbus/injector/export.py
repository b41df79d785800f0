"""One service on the D-Bus: its own connection, its name, its values."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from dbus_fast import Message, MessageType, NameFlag, RequestNameReply

from . import wire
from .items import Items, changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbus_fast.aio import MessageBus

    from .items import Write
    from .values import Spec

_WAITS = (1.0, 2.0, 5.0, 10.0, 30.0)
_BATCH = 1.0
_OURS = (RequestNameReply.PRIMARY_OWNER, RequestNameReply.ALREADY_OWNER)


class Exported:
    """Shows `items` as `name` until `run` is cancelled; says in `why` what is wrong.

    All paths stand before the name is claimed, because everybody looks at them at that moment.
    Changes are sent together, at most once a second.
    """

    def __init__(
        self,
        name: str,
        address: str,
        specs: Mapping[str, Spec],
        write: Write,
    ) -> None:
        self.name = name
        self.items = Items(specs, write)
        self.claimed = False
        self.why: str | None = "it is not on the D-Bus yet"
        self._address = address
        self._bus: MessageBus | None = None
        self._dirty: set[str] = set()
        self._sent_at = -_BATCH
        self._timer: asyncio.TimerHandle | None = None
        self._log = logging.getLogger(name)

    # ---------------------------------------------------------------- values

    def update(self, values: Mapping[str, Any]) -> None:
        """Show these values; only what differs is sent."""
        self._touch(self.items.put(values))

    def silence(self) -> None:
        """All that is measured is unknown from now on, and the device counts as gone."""
        self._touch(self.items.unknown() | self.items.put({"/Connected": 0}))

    def _touch(self, paths: set[str]) -> None:
        if not paths or self._bus is None:
            # Whoever comes later reads everything.
            return
        self._dirty |= paths
        if self._timer is None and self.claimed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._sent_at + _BATCH), self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        paths, self._dirty = self._dirty, set()
        if paths and self._bus is not None and self.claimed:
            self._sent_at = asyncio.get_running_loop().time()
            wire.send(self._bus, changes(self.items.shown(paths)))

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Be on the bus until cancelled; come back whenever the bus does."""
        failures = 0
        try:
            while True:
                try:
                    await self._appear()
                    failures = 0
                    assert self._bus is not None  # noqa: S101 - for the type checker
                    await wire.until_lost(self._bus)
                    self._say("the D-Bus is gone")
                except wire.BusError as error:
                    self._say(str(error))
                self._gone()
                await asyncio.sleep(_WAITS[min(failures, len(_WAITS) - 1)])
                failures += 1
        finally:
            await wire.shielded(self._leave())

    async def _appear(self) -> None:
        bus = self._bus = await wire.connect(self._address)
        bus.add_message_handler(self._hear)
        try:
            reply = await asyncio.wait_for(
                bus.request_name(self.name, NameFlag.DO_NOT_QUEUE), wire.LIMIT
            )
        except Exception as error:
            raise wire.BusError(f"{self.name} cannot be claimed: {wire.reason(error)}") from error
        if reply not in _OURS:
            raise wire.BusError(f"the name {self.name} is taken by another program")
        self.claimed = True
        # Somebody may have looked before the last changes.
        self._touch(self._dirty)
        self._say(None)

    async def _leave(self) -> None:
        """Unknown values first, then the name: nobody goes on with the last ones."""
        bus = self._bus
        try:
            if bus is not None and self.claimed:
                self.silence()
                self._flush()
                await bus.release_name(self.name)
        finally:
            self._gone()

    def _gone(self) -> None:
        bus, self._bus, self.claimed = self._bus, None, False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._dirty.clear()
        if bus is not None:
            wire.close(bus)

    def _say(self, why: str | None) -> None:
        if why != self.why:
            self.why = why
            level = logging.INFO if why is None else logging.WARNING
            self._log.log(level, why or "it is on the D-Bus")

    def _hear(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        answer = self.items.answer(message)
        if message.flags & wire.NO_REPLY:
            return True
        return answer
