"""Open-Meteo's forecast of the light on tilted panels: one question for each plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.forecasts.open_meteo.decode import AIR, BLOCK, IRRADIANCE, Panels, decode
from actors.forecasts.open_meteo.settings import SOONEST
from bridge.cloud import HttpRefused, Limits, Service
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from pathlib import Path

    from actors.forecasts.open_meteo.settings import Settings
    from bridge.clock import Clock
    from bridge.curve import Curve
    from bridge.forecast import Plane

# A tenth of what is allowed: others behind the same address ask too.
_LIMITS: Final = Limits(windows=((60, 60.0), (500, 3600.0)), per_day=1000)
_WORDS: Final = {
    400: "Open-Meteo cannot use the question: check 'latitude', 'longitude' and 'planes'",
    401: "Open-Meteo refuses the key: check 'token'",
    403: "Open-Meteo refuses the key: check 'token'",
    404: "Open-Meteo does not know that address: check 'url'",
    429: "Open-Meteo was asked too often: it is left alone for {wait:.0f} s",
}


class Client:
    """The service as this house asks it. Every method raises DeviceError."""

    def __init__(self, settings: Settings, *, folder: Path, clock: Clock) -> None:
        self._settings = settings
        self._key = None if settings.token is None else settings.token.reveal()
        self._service = Service(
            settings.base,
            name="Open-Meteo",
            account=self._key or "public",
            limits=_LIMITS,
            folder=folder,
            clock=clock,
            timeout=settings.timeout,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def power(self, plane: Plane) -> Curve:
        """Mean power of one plane in W, a quarter of an hour each, from yesterday on."""
        given = self._settings
        query = {
            "latitude": _n(given.latitude),
            "longitude": _n(given.longitude),
            BLOCK: f"{IRRADIANCE},{AIR}",
            "tilt": _n(plane.tilt),
            "azimuth": _n(plane.from_south),
            "past_days": "1",  # the local day begins before that of UTC, or long after
            "forecast_days": str(given.days),
            "timezone": "GMT",
            "timeformat": "unixtime",
        }
        if self._key is not None:
            query["apikey"] = self._key
        try:
            body: Any = await self._service.get("/v1/forecast", query=query, fresh_for=SOONEST - 60)
        except HttpRefused as error:
            wait = error.retry_after
            sentence = _WORDS.get(error.status, str(error)).format(wait=wait or 0)
            raise HttpRefused(sentence, error.status, wait, error.body, error.headers) from None
        if isinstance(body, dict) and body.get("error") is True:
            raise DeviceRefused(_WORDS[400])
        panels = Panels(plane.kwp, given.efficiency, given.alpha, given.ross)
        return decode(body, panels)


def _n(value: float) -> str:
    """A number in a query, without an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
