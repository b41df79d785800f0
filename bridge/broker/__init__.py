"""The embedded broker: a private mosquitto where one is installed, else amqtt in this process.

async with embedded_broker(EmbeddedSettings(), log) as broker:
    tasks.start_soon(broker.watch)
    ... connect to broker.url with broker.username and broker.password ...
"""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Never, Protocol

import anyio

from bridge.broker.settings import EmbeddedSettings
from bridge.config.settings import OWN_USER
from bridge.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from structlog.typing import FilteringBoundLogger

    from bridge.broker.settings import Address

__all__ = ["EmbeddedBroker", "EmbeddedSettings", "embedded_broker"]


class _Backend(Protocol):
    """What both kinds of broker offer."""

    kind: str
    note: str | None

    @property
    def url(self) -> str: ...

    @property
    def alive(self) -> bool: ...

    async def wait_closed(self) -> None: ...

    async def watch(self) -> Never: ...


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """A running embedded broker.

    With users configured nobody gets in without a login, the bridge neither: `username` and
    `password` are its own, made up for this run. Without users both are None.
    """

    _backend: _Backend
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where clients on this machine find it, such as `mqtt://127.0.0.1:1883`."""
        return self._backend.url

    @property
    def kind(self) -> str:
        """`mosquitto` or `amqtt`."""
        return self._backend.kind

    @property
    def note(self) -> str | None:
        """`port 1883 is taken, using 40123 instead`, or None."""
        return self._backend.note

    @property
    def alive(self) -> bool:
        """False while a mosquitto that died is not yet started again."""
        return self._backend.alive

    async def wait_closed(self) -> None:
        """Return when the broker has ended."""
        await self._backend.wait_closed()

    async def watch(self) -> Never:
        """Run beside the bridge: starts a dead mosquitto again on the same port, with backoff.

        One log line when it is lost and one when it is back. Never returns.
        """
        await self._backend.watch()


@asynccontextmanager
async def embedded_broker(
    settings: EmbeddedSettings, log: FilteringBoundLogger
) -> AsyncIterator[EmbeddedBroker]:
    """Run a broker for as long as the block lasts.

    Raises BrokerError with one sentence: an address that must not be used without users, an
    invalid address or login, or no broker that could be started.
    """
    address, logins = settings.address(), settings.logins()
    username = password = None
    if logins:
        username, password = OWN_USER, secrets.token_urlsafe(24)
        logins[username] = password
    mosquitto = await _private_mosquitto(settings, address, logins, log)
    if mosquitto is not None:
        try:
            yield EmbeddedBroker(mosquitto, username, password)
        finally:
            with anyio.CancelScope(shield=True):
                await mosquitto.stop()
        return
    try:
        from bridge.broker.amqtt_embedded import run_amqtt
    except ImportError as error:
        raise BrokerError(
            "there is no broker to start: install mosquitto, or the Python package amqtt 0.12.1"
        ) from error
    async with run_amqtt(address, logins) as amqtt:
        yield EmbeddedBroker(amqtt, username, password)


class _Stoppable(_Backend, Protocol):
    async def stop(self) -> None: ...


async def _private_mosquitto(
    settings: EmbeddedSettings,
    address: Address,
    logins: Mapping[str, str],
    log: FilteringBoundLogger,
) -> _Stoppable | None:
    """A started mosquitto, or None when amqtt shall serve instead."""
    if settings.prefer == "amqtt":
        return None
    from bridge.broker.mosquitto import PrivateMosquitto, find_mosquitto

    binary = find_mosquitto()
    if binary is None:
        if settings.prefer == "mosquitto":
            raise BrokerError("mosquitto is not installed")
        return None
    broker = PrivateMosquitto(binary, address, logins, log)
    try:
        await broker.start()
    except BrokerError as error:
        if settings.prefer == "mosquitto":
            raise
        log.warning(f"{error}; the simple broker inside Heliograph is used instead")
        return None
    return broker
