"""What a consumer hears of the distributor: its allowance, live only, and whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.consuming.request import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.actor import Actor
    from bridge.bus import Message
    from bridge.consuming.report import Reporter


class Hearing:
    """One consumer's ear. `news` is called after each change; a new distributor is told all."""

    def __init__(self, consumer: str, reporter: Reporter, news: Callable[[], None]) -> None:
        self.allowance: Allowance | None = None
        self.distributor = False
        self._consumer, self._reporter, self._news = consumer, reporter, news

    async def listen(self, actor: Actor) -> None:
        """Hear from now on, on the connection of `actor`."""
        allowance = "Requests/{consumer}/Allowance"
        await actor.subscribe(allowance, self._on_allowance, consumer=self._consumer)
        await actor.subscribe("Actors/{actor}/Status", self._on_distributor, actor="distributor")

    def _on_allowance(self, message: Message) -> None:
        # A retained allowance has no known age, and is no lease; an empty one takes it back.
        if message.retained or message.error is not None:
            return
        known = message.value
        self.allowance = None if known is None else Allowance(float(known), message.at)
        self._news()

    def _on_distributor(self, message: Message) -> None:
        if message.value not in {"online", "offline"}:
            return
        online = message.value == "online"
        if online is not self.distributor:
            # What was allowed before is not its word any more, or not yet.
            self.distributor, self.allowance = online, None
        self._reporter.repeat()
        self._news()
