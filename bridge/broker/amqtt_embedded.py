"""Starts and stops the mended amqtt inside this process; imported only when it is needed."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import amqtt
import anyio

from bridge.broker.amqtt_broker import MendedBroker
from bridge.broker.ports import bound_socket
from bridge.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import Never

    from bridge.broker.settings import Address

VERSION = "0.12.1"
"""The only version whose insides we know."""


class InProcess:
    """amqtt in this process: as long as we live, it does."""

    kind = "amqtt"

    def __init__(self, address: Address, note: str | None) -> None:
        self.url = address.url()
        self.note = note
        self.alive = True
        self._closed = anyio.Event()

    async def wait_closed(self) -> None:
        """Return when it has been stopped."""
        await self._closed.wait()

    async def watch(self) -> Never:
        """Nothing to restart: it cannot end before this process does."""
        while True:
            await anyio.sleep_forever()

    def closed(self) -> None:
        """Note the end."""
        self.alive = False
        self._closed.set()


@asynccontextmanager
async def run_amqtt(address: Address, logins: Mapping[str, str]) -> AsyncIterator[InProcess]:
    """Serve MQTT 3.1.1 on the address, or on a free port when that is taken.

    Raises BrokerError when another version of amqtt is installed or nothing can be listened on.
    """
    if amqtt.__version__ != VERSION:
        raise BrokerError(
            f"amqtt {amqtt.__version__} is installed, but the embedded broker needs {VERSION}"
        )
    listener, true, note = bound_socket(address)
    with _silence(), listener:
        async with anyio.create_task_group() as tasks:
            broker = MendedBroker(listener, logins, tasks)
            await broker.start()
            running = InProcess(true, note)
            try:
                yield running
            finally:
                with anyio.CancelScope(shield=True):
                    await broker.shutdown()
                running.closed()
                tasks.cancel_scope.cancel()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep amqtt's remarks about its clients out of our log, while it runs."""
    loggers = [logging.getLogger(name) for name in ("amqtt", "transitions")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
