"""Tibber's GraphQL API: one question, which only reads."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.tariffs.tibber.answer import QUESTION, read_homes, refusal
from actors.tariffs.tibber.settings import URL
from bridge.closing import Closing
from bridge.cloud import HttpRefused, Limits, Service

if TYPE_CHECKING:
    from pathlib import Path

    from actors.tariffs.tibber.answer import Home
    from bridge.clock import Clock
    from bridge.config.secret import Secret

ALLOWED: Final = Limits(gap=1.0, windows=((10, 600.0),), per_day=150)
"""Tibber publishes no numbers; a few calls a day are what it expects."""
_FRESH: Final = 50.0
"""s: actors for several homes of one account share one answer."""
_WORDS: Final = {
    401: "Tibber refuses the token: make a new one at developer.tibber.com",
    403: "Tibber refuses access with this token: make a new one at developer.tibber.com",
}


class Client(Closing):
    """One account. Raises DeviceError."""

    def __init__(
        self,
        token: Secret,
        *,
        folder: Path,
        url: str = URL,
        clock: Clock | None = None,
        timeout: float = 20.0,
    ) -> None:
        self._token = token
        self._service = Service(
            url,
            name="Tibber",
            account=token.reveal(),
            limits=ALLOWED,
            folder=folder,
            clock=clock,
            headers={"Authorization": f"Bearer {token.reveal()}"},
            timeout=timeout,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def homes(self) -> list[Home]:
        """All homes of the account with their prices."""
        question = {"query": QUESTION}
        try:
            answer = await self._service.ask(
                "POST", "", json=question, again=True, fresh_for=_FRESH
            )
        except HttpRefused as error:
            raise self._told(error) from None
        return read_homes(answer.json(), self._token.reveal())

    def _told(self, error: HttpRefused) -> HttpRefused:
        """The same refusal in words of this service, which often sends its reason as JSON."""
        raw: Any = None
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raw = msgspec.json.decode(error.body)
        sentence = refusal(raw, self._token.reveal()) or _WORDS.get(error.status, str(error))
        return HttpRefused(sentence, error.status, error.retry_after, error.body, error.headers)
