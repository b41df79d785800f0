"""A port for the curve of a tariff or a forecast that another actor publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.curve.heard import CurveRefused, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.actor import Actor
    from bridge.bus import Message
    from bridge.curve.heard import Rows


class CurveInput:
    """The newest curve of one topic, as rows for each of its `values` (`import`, `power`, …).

    It carries its own times, so that a retained one is as good as a live one. `who` is what
    sentences call it, `news` is called whenever one came. `why`: one sentence while what came last
    cannot be used; there are no rows then.
    """

    def __init__(
        self, actor: Actor, who: str, *values: str, news: Callable[[], None] | None = None
    ) -> None:
        self.why: str | None = None
        self._actor, self._who, self._values, self._news = actor, who, values, news
        self._rows: dict[str, Rows] = {}

    async def start(self, pattern: str, **params: str) -> None:
        """Listen."""
        await self._actor.subscribe(pattern, self._take, command=False, **params)

    def rows(self, value: str) -> Rows | None:
        """The rows of one value; None before there is a curve."""
        return self._rows.get(value)

    def _take(self, message: Message) -> None:
        self._rows, self.why = {}, message.error
        if message.error is None and message.value is not None:
            try:
                self._rows = {value: rows_of(message.value, value) for value in self._values}
            except CurveRefused as error:
                self.why = str(error)
        if self.why is not None:
            self.why = f"the curve of {self._who} cannot be used: {self.why}"
        if self._news is not None:
            self._news()
