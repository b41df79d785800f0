"""The API of ENTSO-E's transparency platform: one question, for the prices of some days.

The service wants its token in the query; nothing here shows or keeps a query.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from actors.tariffs.entsoe.decode import DAY_AHEAD, read_series, refusal
from actors.tariffs.entsoe.document import parse
from actors.tariffs.entsoe.settings import URL
from bridge.closing import Closing
from bridge.cloud import HttpRefused, Limits, Service
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from actors.tariffs.entsoe.decode import Series
    from bridge.clock import Clock
    from bridge.config.secret import Secret

ALLOWED: Final = Limits(gap=1.0, windows=((20, 600.0),), per_day=200)
"""The service allows 400 in a minute; a house needs a few in a day."""
_FRESH: Final = 50.0
"""s: actors for one zone share one answer."""
_DOCUMENT: Final = "A44"
_MOST_BYTES: Final = 4 * 1024 * 1024
_BAD: Final = 400
_WORDS: Final = {
    401: "ENTSO-E refuses the token: look it up in the account settings of the platform",
    403: "ENTSO-E refuses access: has the account been allowed to use the API?",
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
        timeout: float = 30.0,
    ) -> None:
        self._token = token
        self._service = Service(
            url,
            name="ENTSO-E",
            account=token.reveal(),
            limits=ALLOWED,
            folder=folder,
            clock=clock,
            timeout=timeout,
            most_bytes=_MOST_BYTES,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def prices(self, code: str, start: datetime, end: datetime) -> list[Series]:
        """The day-ahead prices of a zone; none when there are none yet."""
        query = {
            "securityToken": self._token.reveal(),
            "documentType": _DOCUMENT,
            "in_Domain": code,
            "out_Domain": code,
            "contract_MarketAgreement.type": DAY_AHEAD,
            "periodStart": _stamp(start),
            "periodEnd": _stamp(end),
        }
        try:
            answer = await self._service.ask("GET", "", query=query, fresh_for=_FRESH)
        except HttpRefused as error:
            if error.status == _BAD and self._nothing(error):
                return []
            raise self._told(error) from None
        return read_series(parse(answer.body), self._token.reveal())

    def _nothing(self, error: HttpRefused) -> bool:
        """True when a refusal only says that there are no data yet."""
        try:
            return refusal(parse(error.body, whole=False)) is None
        except DeviceGarbled:
            return False

    def _told(self, error: HttpRefused) -> HttpRefused:
        """The same refusal with the reason that the service gives."""
        sentence = _WORDS.get(error.status)
        if sentence is None and error.status == _BAD:
            try:
                sentence = refusal(parse(error.body, whole=False), self._token.reveal())
            except DeviceGarbled:
                sentence = None
        sentence = sentence or str(error)
        return HttpRefused(sentence, error.status, error.retry_after, error.body, error.headers)


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M}"
