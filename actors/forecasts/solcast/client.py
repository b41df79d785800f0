"""Solcast's forecasts of rooftop sites: one call for each site, of few that a day has."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from actors.forecasts.solcast.decode import decode, quota_is_gone
from actors.forecasts.solcast.plan import SOONEST, next_midnight
from bridge.cloud import HttpRefused, Limits, Service

if TYPE_CHECKING:
    from pathlib import Path

    from actors.forecasts.solcast.settings import Settings
    from bridge.clock import Clock
    from bridge.forecast import Outlook

_TOO_MANY: Final = 429
_FRESH: Final = (SOONEST - timedelta(minutes=1)).total_seconds()
_QUOTA_GONE: Final = (
    "the calls that Solcast allows in a day are used up: it is asked after 00:00 UTC"
)
_WORDS: Final = {
    401: "Solcast refuses the key: check 'token'",
    403: "Solcast refuses the key, or the account may not ask for this site",
    404: "Solcast does not know that site: check 'site'",
    422: "Solcast cannot use the question: check 'site' and 'hours'",
    429: "Solcast is busy: it is asked again in {wait:.0f} s",
}


class Client:
    """One account. Every method raises DeviceError."""

    def __init__(self, settings: Settings, *, folder: Path, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        key = settings.token.reveal()
        self._service = Service(
            settings.url,
            name="Solcast",
            account=key,
            limits=Limits(per_day=settings.calls_per_day),
            folder=folder,
            clock=clock,
            headers={"Authorization": f"Bearer {key}"},
            timeout=settings.timeout,
            retries=0,  # each try is a call
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def rounds_left(self) -> int:
        """How often all sites can be asked until 00:00 UTC."""
        left = await self._service.left_today()
        return (left or 0) // len(self._settings.site)

    async def outlook(self, site: str) -> Outlook:
        """What is expected of one site."""
        query = {"format": "json", "hours": str(self._settings.hours)}
        path = f"/rooftop_sites/{site}/forecasts"
        try:
            return decode(await self._service.get(path, query=query, fresh_for=_FRESH))
        except HttpRefused as error:
            raise await self._told(error) from None

    async def _told(self, error: HttpRefused) -> HttpRefused:
        """The same refusal in words of this service."""
        wait = error.retry_after
        sentence = _WORDS.get(error.status, str(error)).format(wait=wait or 0)
        if error.status == _TOO_MANY and quota_is_gone(error.body):
            now = self._clock.utc()
            wait = (next_midnight(now) - now).total_seconds()
            await self._service.pause(wait)
            sentence = _QUOTA_GONE
        return HttpRefused(sentence, error.status, wait, error.body, error.headers)
