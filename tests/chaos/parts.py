"""Who lives in a house under attack: a meter, a consumer that keeps to the rules, a way to look."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from tests.runtime.links import Link, endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

BASE = "heliograph/"
TTL = 30.0
SHELLY_HOUSE = """\
site: {{grid: meter}}
actors:
  meter: {{kind: shelly, host: 127.0.0.1, port: {port}, interval: 1}}
"""
ACTORS = ("site", "distributor", "meter")


class Consumer:
    """Draws what it may: the newest allowance, for 30 s, while the distributor is online.

    It repeats its request every 5 s, and at once what it draws, as our examples do.
    """

    def __init__(self, name: str, request: float) -> None:
        self.name, self.request = name, request
        self.allowance = 0.0
        self.heard_at = -1e9
        self.distributor = "offline"
        self.link: Link | None = None
        self.history: list[tuple[float, float]] = []

    @property
    def power(self) -> float:
        """W that it draws now."""
        fresh = anyio.current_time() - self.heard_at <= TTL
        return self.allowance if fresh and self.distributor == "online" else 0.0

    async def run(self, port: int) -> None:
        """Live until cancelled."""
        own = f"{BASE}Requests/{self.name}"
        filters = (f"{own}/Allowance", f"{BASE}Actors/distributor/Status")
        async with link(endpoint(port), self.name, filters=filters, wait=False) as self.link:
            seen = 0
            due, said = 0.0, -1.0
            while True:
                for message in self.link.got[seen:]:
                    if message.topic.endswith("Status"):
                        self.distributor = message.payload.decode()
                        due = 0.0
                    elif not message.retained:
                        self.allowance = float(message.payload or 0)
                        self.heard_at = anyio.current_time()
                        self.history.append((self.heard_at, self.allowance))
                seen = len(self.link.got)
                drawn = self.power
                if anyio.current_time() >= due or drawn != said:
                    due, said = anyio.current_time() + 5, drawn
                    fields = {"IsAutomatic": True, "Request": self.request, "Consumption": drawn}
                    self.link.connection.send(own, msgspec.json.encode(fields))
                await anyio.sleep(0.05)


async def external_meter(port: int, watts: list[float], every: float = 1.0) -> None:
    """A grid meter that an ESP publishes; it comes back by itself."""
    async with link(endpoint(port), "esp-meter", wait=False) as them:
        while True:
            if watts:
                topic = f"{BASE}Devices/meter/GridPower"
                them.connection.send(topic, f"{watts[-1]:g}".encode())
            await anyio.sleep(every)


async def until(check: Callable[[], Any], limit: float, what: str) -> float:
    """Wait until `check` holds; how many seconds that took."""
    begun = anyio.current_time()
    with anyio.move_on_after(limit):
        while not check():  # noqa: ASYNC110 - checks look at many things, events tell of one
            await anyio.sleep(0.02)
    took = anyio.current_time() - begun
    assert check(), f"{what}: not within {limit:g} s"
    return took


@contextlib.asynccontextmanager
async def retained(port: int) -> AsyncIterator[dict[str, bytes]]:
    """What the broker holds below the base now, for whoever connects now."""
    async with link(endpoint(port), "looker", filters=(f"{BASE}#",)) as them:
        await anyio.sleep(0.3)
        yield {each.topic.removeprefix(BASE): each.payload for each in them.got if each.retained}


async def standing(port: int) -> dict[str, bytes]:
    """What the broker holds below the base now."""
    async with retained(port) as found:
        return found
