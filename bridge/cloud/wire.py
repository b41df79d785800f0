"""One request as it goes over the wire: whether it went out at all, and how long to stay away."""

from __future__ import annotations

import math
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from bridge.http import Answer, HttpClient, HttpRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

LONGEST: Final = 86400.0
_NOT_MODIFIED: Final = 304
_CONDITIONS: Final = frozenset({"if-none-match", "if-modified-since"})
_TOO_MANY: Final = 429


class Flight:
    """What became of one request. `sent`: the monotonic second when it went out, else None."""

    def __init__(self) -> None:
        self.sent: float | None = None


_flight: ContextVar[Flight | None] = ContextVar("flight", default=None)


class Wire(HttpClient):
    """An HttpClient that asks once and tells of it; requests beside one another do no harm."""

    _busy = 0

    async def send(
        self,
        flight: Flight,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        json: Any,
        form: Mapping[str, str] | bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        """Send one request; give an answer of success, or 304 where that was asked for.

        Raises DeviceError.
        """
        token = _flight.set(flight)
        self._busy += 1
        try:
            answer = await self._once(method, path, query, json, form, headers)
        finally:
            self._busy -= 1
            _flight.reset(token)
        if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP success
            return answer
        asked = any(name.lower() in _CONDITIONS for name in headers or ())
        if asked and answer.status == _NOT_MODIFIED:
            return answer
        refusal = self._refusal(answer)
        if isinstance(refusal, HttpRefused):
            refusal.retry_after = told(answer.status, answer.headers, self.clock.utc())
        raise refusal

    async def close(self) -> None:
        """Close the connections, unless another request still uses them.

        A request that has run out of time takes its own connection with it anyway.
        """
        if self._busy <= 1:
            await self.end()

    async def end(self) -> None:
        """Close the connections in any case."""
        await super().close()

    def session(self) -> aiohttp.ClientSession:
        """The session; its requests tell their Flight when they go out."""
        new = self._session is None
        session = super().session()
        if new:
            import aiohttp

            async def out(*_: object) -> None:
                flight = _flight.get()
                if flight is not None:
                    flight.sent = self.clock.now()

            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(out)
            trace.freeze()
            session.trace_configs.append(trace)
        return session


def told(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """For how many seconds an answer asks to be left alone, a day at most; None: it does not say.

    headers: by lower-case name. A date is compared with the service's own `Date` where it sends
    one, so that a wrong clock here does no harm.
    """
    found = _seconds(headers.get("retry-after"))
    if found is None and (moment := _date(headers.get("retry-after"))) is not None:
        found = (moment - (_date(headers.get("date")) or now)).total_seconds()
    if found is None and status == _TOO_MANY:
        found = _seconds(headers.get("ratelimit-reset"))
    return None if found is None else min(max(found, 0.0), LONGEST)


def _seconds(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
