"""Leaving a broker, and joining it while something changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.anyio


async def test_who_is_cancelled_without_a_goodbye_leaves_its_will(mosquitto: Mosquitto) -> None:
    async with link(endpoint(mosquitto.port), "watcher", filters=("me/Status",)) as watcher:
        async with link(endpoint(mosquitto.port), "me", will="me/Status"):
            await watcher.until(lambda: watcher.payloads("me/Status") == [b"online"])
        await watcher.until(lambda: watcher.payloads("me/Status") == [b"online", b"offline"])


async def test_a_subscription_made_during_a_connect_is_not_lost(mosquitto: Mosquitto) -> None:
    place = endpoint(mosquitto.port)
    async with link(place, filters=("first",), wait=False) as one:
        subscribe = one.connection._subscribe

        async def slow(client: Any, filters: dict[str, int]) -> None:
            await subscribe(client, filters)
            if "first" in filters:
                await one.connection.subscribe([("second", 1)])

        one.connection._subscribe = slow  # type: ignore[method-assign]
        with anyio.fail_after(10):
            await one.connection.connected.wait()
        one.connection.send("second", b"1", qos=1)
        await one.until(lambda: one.payloads("second") == [b"1"])
