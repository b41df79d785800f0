"""Connections to the D-Bus of the GX. One for each service: so Venus OS tells them apart."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any

from dbus_fast import BusType, Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.auth import AuthAnonymous

if TYPE_CHECKING:
    from collections.abc import Awaitable

SYSTEM = "system"
LIMIT = 10.0
"""S that the bus may take for an answer."""
_ASK_EVERY = 20.0
_DAEMON, _DAEMON_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"


class BusError(Exception):
    """The bus, or somebody on it, did not do as asked; one plain sentence."""


def check_address(address: str) -> str:
    """`system`, `unix:path=…` or `tcp:host=…,port=…`, as it came. Raises BusError."""
    if address == SYSTEM or re.fullmatch(r"unix:(path|abstract)=[^,;]+", address):
        return address
    if _tcp(address) is None:
        raise BusError(f"{address!r} is not 'system', unix:path=… or tcp:host=…,port=…")
    return address


def _tcp(address: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"tcp:host=([^,;]+),port=(\d{1,5})", address)
    return None if found is None else (found[1], int(found[2]))


async def connect(address: str) -> MessageBus:
    """A connection that is ready. Raises BusError."""
    bus = None
    try:
        if address == SYSTEM:
            bus = MessageBus(bus_type=BusType.SYSTEM)
        else:
            tcp = _tcp(address)
            if tcp is not None:
                await _reachable(*tcp)
            # Over TCP nobody can prove who he is, and the GX asks for nothing.
            bus = MessageBus(bus_address=address, auth=None if tcp is None else AuthAnonymous())
        await asyncio.wait_for(bus.connect(), LIMIT)
    except Exception as error:
        if bus is not None:
            close(bus)
        where = "of this machine" if address == SYSTEM else f"at {address}"
        raise BusError(f"the D-Bus {where} cannot be reached: {reason(error)}") from error
    return bus


async def _reachable(host: str, port: int) -> None:
    # The library connects without a limit, and holds everything up meanwhile.
    _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), LIMIT)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def close(bus: MessageBus) -> None:
    """Close a connection, whatever state it is in."""
    with contextlib.suppress(Exception):
        bus.disconnect()


def reason(error: BaseException) -> str:
    """An error in some words, also where the library gives none."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__


def send(bus: MessageBus, message: Message) -> None:
    """Send what gets no answer; a connection that is gone is noticed by its watcher."""
    try:
        sent: Any = bus.send(message)
    except Exception:  # noqa: BLE001 - the library raises what the socket raises, or anything else
        return
    if sent is not None:
        sent.add_done_callback(_heed)


def _heed(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()


async def call(
    bus: MessageBus,
    to: str,
    path: str,
    interface: str,
    member: str,
    signature: str = "",
    body: list[Any] | None = None,
) -> list[Any]:
    """Call a method; what it returns. Raises BusError."""
    message = Message(
        destination=to,
        path=path,
        interface=interface,
        member=member,
        signature=signature,
        body=body or [],
    )
    try:
        reply = await asyncio.wait_for(bus.call(message), LIMIT)
    except Exception as error:
        raise BusError(f"{to} did not answer to {member}: {reason(error)}") from error
    if reply.message_type is not MessageType.METHOD_RETURN:
        raise BusError(f"{to} refused {member}: {reply.error_name}")
    return list(reply.body)


async def ask_daemon(
    bus: MessageBus, member: str, signature: str = "", body: list[Any] | None = None
) -> list[Any]:
    """Call a method of the bus itself. Raises BusError."""
    return await call(bus, _DAEMON, _DAEMON_PATH, _DAEMON, member, signature, body)


async def until_lost(bus: MessageBus) -> None:
    """Wait until the connection is gone; one whose other side fell silent counts as gone."""
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(_ask_now_and_then(bus))
        with contextlib.suppress(Exception):
            gone: Any = bus
            await gone.wait_for_disconnect()
        asking.cancel()


async def _ask_now_and_then(bus: MessageBus) -> None:
    while True:
        await asyncio.sleep(_ASK_EVERY)
        try:
            await ask_daemon(bus, "GetId")
        except BusError:
            close(bus)
            return


async def shielded(work: Awaitable[Any], limit: float = 2.0) -> None:
    """Do the last things of a task that is being cancelled, for so long at most."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(work, limit)


NO_REPLY = MessageFlag.NO_REPLY_EXPECTED
