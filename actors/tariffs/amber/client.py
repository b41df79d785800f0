"""Amber's developer API: six questions, and the count of them that the service keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.amber.interval import read_intervals, read_renewables
from actors.tariffs.amber.limits import RateLimits, read_limits, stop_after_429
from actors.tariffs.amber.settings import URL
from actors.tariffs.amber.site import read_sites
from bridge.clock import Clock
from bridge.closing import Closing
from bridge.cloud import HttpRefused, Limits, Service
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from actors.tariffs.amber.interval import Interval
    from actors.tariffs.amber.site import Site
    from bridge.cloud import Answer
    from bridge.config.secret import Secret

STATES: Final = ("nsw", "sa", "qld", "vic")
ALLOWED: Final = Limits(windows=((45, 300.0),))
"""Of Amber's 50 requests in 5 minutes; the account may have other users."""
_MOST_BYTES: Final = 8 * 1024 * 1024
_LONGEST_STOP: Final = 3600.0
_WORDS: Final = {
    400: "Amber cannot answer that question: check the dates and the numbers",
    401: "Amber refuses the token: make a new one in its web app, under For Developers",
    403: "Amber refuses access: is the token of an account with an active site?",
    404: "Amber does not know that site: `heliograph amber sites` lists those of the account",
    429: "Amber was asked too often: this account is left alone for {wait:.0f} s",
}


class Client(Closing):
    """One account. token: None asks only what needs none (renewables).

    `limits` is what Amber told of its rate limit with the last answer, None before the first.
    Every method raises DeviceError.
    """

    def __init__(
        self,
        token: Secret | None,
        *,
        folder: Path,
        url: str = URL,
        clock: Clock | None = None,
        timeout: float = 20.0,
        allowed: Limits = ALLOWED,
    ) -> None:
        self.clock = clock or Clock()
        self.limits: RateLimits | None = None
        common: dict[str, Any] = {
            "name": "Amber",
            "folder": folder,
            "clock": self.clock,
            "timeout": timeout,
            "limits": allowed,
            "most_bytes": _MOST_BYTES,
        }
        self._account: Service | None = None
        if token is not None:
            secret = token.reveal()
            headers = {"Authorization": f"Bearer {secret}"}
            self._account = Service(url, account=secret, headers=headers, **common)
        self._public = Service(url, account="public", **common)

    async def close(self) -> None:
        """Close the connections."""
        for each in (self._account, self._public):
            if each is not None:
                await each.close()

    # ---------------------------------------------------------------- questions

    async def sites(self, *, fresh_for: float = 0.0) -> list[Site]:
        """The account's sites; an answer younger than `fresh_for` s will do."""
        return read_sites(await self._ask("/sites", {}, fresh_for=fresh_for))

    async def current(
        self, site: str, *, before: int = 0, after: int = 0, resolution: int | None = None
    ) -> list[Interval]:
        """The current interval of each channel, with so many before and after it."""
        query = {"previous": str(before), "next": str(after), **_resolution(resolution)}
        return read_intervals(await self._ask(f"/sites/{site}/prices/current", query))

    async def prices(
        self, site: str, start: date, end: date, *, resolution: int | None = None
    ) -> list[Interval]:
        """All prices of some days of the market, both inclusive, a week at most."""
        query = {**_days(start, end), **_resolution(resolution)}
        return read_intervals(await self._ask(f"/sites/{site}/prices", query))

    async def usage(
        self, site: str, start: date, end: date, *, resolution: int | None = None
    ) -> list[Interval]:
        """What was used and fed in on some days of the market, both inclusive, a week at most."""
        query = {**_days(start, end), **_resolution(resolution)}
        return read_intervals(await self._ask(f"/sites/{site}/usage", query))

    async def renewables(
        self, state: str, *, before: int = 0, after: int = 0, resolution: int | None = None
    ) -> list[Interval]:
        """The renewables in the grid of a state; without a token, and not counted by Amber."""
        query = {"previous": str(before), "next": str(after), **_resolution(resolution)}
        path = f"/state/{state}/renewables/current"
        try:
            return read_renewables((await self._public.ask("GET", path, query=query)).json())
        except HttpRefused as error:
            if error.status == 404:  # noqa: PLR2004 - HTTP not found
                raise DeviceRefused(f"Amber knows no renewables of the state '{state}'") from None
            raise await self._told(error, self._public) from None

    # ---------------------------------------------------------------- one question

    async def _ask(self, path: str, query: dict[str, str], *, fresh_for: float = 0.0) -> Any:
        account = self._account
        if account is None:
            raise DeviceRefused("Amber needs a token for that")
        try:
            answer = await account.ask("GET", path, query=query, fresh_for=fresh_for)
        except HttpRefused as error:
            self.limits = read_limits(error.headers, self.clock.utc()) or self.limits
            raise await self._told(error, account) from None
        if not fresh_for:
            await self._count(account, answer)
        return answer.json()

    async def _count(self, account: Service, answer: Answer) -> None:
        """Note what is left; when nothing is, nobody in the house asks until there is."""
        found = read_limits(answer.headers, self.clock.utc())
        if found is None:
            return
        self.limits = found
        if found.remaining == 0 and found.reset:
            await account.pause(min(found.reset, _LONGEST_STOP))

    async def _told(self, error: HttpRefused, service: Service) -> HttpRefused:
        """The same refusal in words of this service; after a 429 the account is left alone."""
        wait = error.retry_after
        if error.status == 429:  # noqa: PLR2004 - HTTP too many requests
            told = min(stop_after_429(error.headers, self.clock.utc()), _LONGEST_STOP)
            wait = max(told, wait or 0.0)
            await service.pause(wait)
        sentence = _WORDS.get(error.status, str(error)).format(wait=wait or 0)
        return HttpRefused(sentence, error.status, wait, error.body, error.headers)


def _days(start: date, end: date) -> dict[str, str]:
    # Without a start the service fails in the last minutes before midnight.
    return {"startDate": start.isoformat(), "endDate": end.isoformat()}


def _resolution(minutes: int | None) -> dict[str, str]:
    return {} if minutes is None else {"resolution": str(minutes)}
