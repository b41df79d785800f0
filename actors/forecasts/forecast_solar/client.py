"""Forecast.Solar's public interface: one question for each plane, or one for all with a key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.forecasts.forecast_solar.decode import RateLimit, decode, read_limit
from actors.forecasts.forecast_solar.settings import FREE_CALLS, HOUR, SOONEST
from bridge.cloud import HttpRefused, Limits, Service

if TYPE_CHECKING:
    from pathlib import Path

    from actors.forecasts.forecast_solar.decode import Estimate
    from actors.forecasts.forecast_solar.settings import Settings
    from bridge.clock import Clock
    from bridge.cloud import Answer
    from bridge.forecast import Plane

_PUBLIC: Final = Limits(windows=((FREE_CALLS, HOUR),))
_PAID: Final = Limits(windows=((60, HOUR),))
_TOO_MANY: Final = 429
_LONGEST_STOP: Final = 86400.0
# Said in our words: the service repeats what it was asked, and the key is a part of that.
_WORDS: Final = {
    400: "Forecast.Solar cannot use the place: check 'latitude' and 'longitude'",
    401: "Forecast.Solar refuses the key: check 'token'",
    403: "Forecast.Solar refuses the key, or the account does not have what is asked for",
    404: "Forecast.Solar does not know that address: check 'url'",
    422: "Forecast.Solar cannot use the planes: check 'tilt', 'azimuth' and 'kwp'",
    429: "Forecast.Solar was asked too often: it is left alone for {wait:.0f} s",
    502: "Forecast.Solar is out of service for maintenance",
    503: "Forecast.Solar is out of service for maintenance",
}


class Client:
    """The service as this house asks it. Every method raises DeviceError."""

    def __init__(self, settings: Settings, *, folder: Path, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        key = None if settings.token is None else settings.token.reveal()
        # The key stands in the path: the service knows no other way.
        self._prefix = "" if key is None else f"/{key}"
        self._service = Service(
            settings.url,
            name="Forecast.Solar",
            account="public" if key is None else key,
            limits=_PUBLIC if key is None else _PAID,
            folder=folder,
            clock=clock,
            timeout=settings.timeout,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def estimates(self) -> list[Estimate]:
        """What is expected of all planes: an estimate for each, or with a key one for all."""
        planes = self._settings.planes
        if self._prefix:
            return [await self._estimate(planes)]
        return [await self._estimate((plane,)) for plane in planes]

    async def _estimate(self, planes: tuple[Plane, ...]) -> Estimate:
        given = self._settings
        panels = "".join(f"/{_n(p.tilt)}/{_n(p.from_south)}/{_n(p.kwp)}" for p in planes)
        path = f"{self._prefix}/estimate/{_n(given.latitude)}/{_n(given.longitude)}{panels}"
        query = {"time": "utc"}
        if given.damping_morning or given.damping_evening:
            query["damping_morning"] = _n(given.damping_morning)
            query["damping_evening"] = _n(given.damping_evening)
        if given.resolution is not None:
            query["resolution"] = str(given.resolution)
        if given.inverter is not None:
            query["inverter"] = _n(given.inverter / 1000)
        try:
            answer = await self._service.ask("GET", path, query=query, fresh_for=SOONEST - 60)
        except HttpRefused as error:
            raise await self._told(error) from None
        body = answer.json()
        if _is_new(answer):
            await self._count(read_limit(body, answer.headers))
        return decode(body)

    async def _count(self, limit: RateLimit) -> None:
        """When nothing is left, nobody in the house asks for a while."""
        if limit.remaining == 0:
            await self._service.pause(self._until(limit) or SOONEST)

    async def _told(self, error: HttpRefused) -> HttpRefused:
        """The same refusal in words of this service; after a 429 it is left alone."""
        wait = error.retry_after
        if error.status == _TOO_MANY:
            try:
                body: Any = msgspec.json.decode(error.body)
            except (msgspec.DecodeError, UnicodeDecodeError):
                body = None
            told = self._until(read_limit(body, error.headers)) or SOONEST
            wait = max(told, wait or 0.0)
            await self._service.pause(wait)
        sentence = _WORDS.get(error.status, str(error)).format(wait=wait or 0)
        return HttpRefused(sentence, error.status, wait, error.body, error.headers)

    def _until(self, limit: RateLimit) -> float | None:
        """Seconds until the service may be asked again, as it says."""
        if limit.retry_at is None:
            return None
        left = (limit.retry_at - self._clock.utc()) / timedelta(seconds=1)
        return min(max(left, 60.0), _LONGEST_STOP)


def _is_new(answer: Answer) -> bool:
    """False for an answer that was kept: what it says of the budget was long ago."""
    return "content-length" in answer.headers or "transfer-encoding" in answer.headers


def _n(value: float) -> str:
    """A number in a path, without an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
