"""One account at one service: asked seldom, never twice for the same, and never too early."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import anyio
import msgspec

from bridge.clock import Clock
from bridge.closing import Closing
from bridge.cloud.address import check_url
from bridge.cloud.budget import BudgetSpent
from bridge.cloud.cache import Cache, Entry, entry_of
from bridge.cloud.installation import Installation
from bridge.cloud.ledger import Ledger
from bridge.cloud.wire import Flight, Wire
from bridge.errors import DeviceRefused, DeviceTimeout
from bridge.http import Answer, HttpRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bridge.cloud.budget import Limits

MOST_BYTES: Final = 2 * 1024 * 1024
_SAFE: Final = frozenset({"GET", "HEAD"})
_BUSY: Final = frozenset({502, 503, 504})
_OK, _NO_CONTENT, _NOT_MODIFIED, _TOO_MANY = 200, 204, 304, 429
_LONGEST_PAUSE: Final = 10.0
_LATE: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, str] | None
    json: Any
    form: Mapping[str, str] | bytes | None
    headers: Mapping[str, str]


class Service(Closing):
    """A service of the internet at `base` (https; plain http only to this computer or house).

    name: how sentences call it; account: what it counts calls by (a token, an app id, `public`),
    never stored or shown; limits: what it allows; folder: the bridge's state folder; headers: sent
    with each request, a function when they change with time; timeout: s for one answer; patience:
    s that a call waits for its turn; retries: how often a read is repeated, each time as a call
    that counts; most_bytes: longest answer. Raises DeviceRefused for a base that cannot be used.
    """

    def __init__(  # noqa: PLR0913 - all but the base go by name
        self,
        base: str,
        *,
        name: str,
        account: str,
        limits: Limits,
        folder: Path,
        clock: Clock | None = None,
        headers: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
        timeout: float = 20.0,
        patience: float = 60.0,
        retries: int = 1,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        if sentence := check_url(base):
            raise DeviceRefused(f"{name} cannot be asked: {sentence}")
        self.name, self.patience, self.retries = name, patience, retries
        self.clock = clock or Clock()
        self._headers = headers
        self._wire = Wire(
            base, name=name, timeout=timeout, retries=0, most_bytes=most_bytes, clock=self.clock
        )
        self._installation = Installation(folder)
        host = urlsplit(base).netloc.lower()
        self._account = f"{host} {account}"
        mark = self._installation.mark("account", self._account)
        self._ledger = Ledger(folder, mark, name=name, limits=limits, clock=self.clock)
        self._cache = Cache(folder)
        self._asking: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    @property
    def share(self) -> float:
        """This house's place from 0 to below 1 among all that ask, for `plan`."""
        return self._installation.share(self._account)

    async def close(self) -> None:
        """Close the connections; the next request opens one again."""
        await self._wire.end()

    async def pause(self, seconds: float) -> None:
        """Stop all calls of the account for so long (a day at most): the service said so itself."""
        await self._ledger.pause(seconds)

    async def left_today(self) -> int | None:
        """How many calls `per_day` still leaves of this day; None without such a limit."""
        return await self._ledger.left_today()

    # ---------------------------------------------------------------- requests

    async def get(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        fresh_for: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Give the JSON under `path`; None when the service says that there is nothing (204).

        Raises DeviceError, as `ask`.
        """
        answer = await self.ask("GET", path, query=query, headers=headers, fresh_for=fresh_for)
        return None if answer.status == _NO_CONTENT else answer.json()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        fresh_for: float = 0.0,
        again: bool | None = None,
    ) -> Answer:
        """Send one request, or give the answer that is kept and younger than `fresh_for` s.

        again: it only reads, whatever the method, so it may be repeated and kept (GET and HEAD
        are taken to). Kept is an answer with status 200, for `fresh_for` or because the service
        marks it (ETag, Last-Modified) and can be asked whether it still holds. An answer that is
        itself a secret, such as a login, is asked with `again=False`.

        Raises BudgetSpent (nothing was sent), HttpRefused (`status`, `retry_after`, `body`),
        DeviceTimeout and DeviceGarbled.
        """
        request = _Request(method, path, query, json, form, headers or {})
        reads = method in _SAFE if again is None else again
        if not reads or method == "HEAD" or (method != "GET" and fresh_for <= 0):
            return await self._sent(request, reads)
        key = self._key(request)
        if fresh_for <= 0:
            return await self._kept(key, request, 0.0)
        # Who asks the same at the same time finds the answer of the first.
        lock = self._asking.setdefault(key, anyio.Lock())
        async with lock:
            return await self._kept(key, request, fresh_for)

    async def _kept(self, key: str, request: _Request, fresh_for: float) -> Answer:
        """The kept answer while it is young, the same when it still holds, else a new one."""
        kept = self._cache.load(key)
        if kept is not None:
            if kept.age(self._wall()) < fresh_for:
                return self._answer(kept)
            headers = {**request.headers, **kept.questions}
            request = _Request(
                request.method, request.path, request.query, request.json, request.form, headers
            )
        answer = await self._sent(request, reads=True)
        if kept is not None and answer.status == _NOT_MODIFIED:
            kept.at = self._wall()
            self._cache.save(key, kept)
            return self._answer(kept)
        if answer.status == _OK:
            entry = entry_of(answer.headers, answer.body, self._wall())
            unasked = "no-store" not in answer.headers.get("cache-control", "").lower()
            if fresh_for > 0 or (entry.questions and unasked):
                self._cache.save(key, entry)
        return answer

    async def _sent(self, request: _Request, reads: bool) -> Answer:
        """Send it when the account's turn comes; repeat a read that met a busy service."""
        failed: DeviceTimeout | HttpRefused | None = None
        for attempt in range(self.retries + 1 if reads else 1):
            if attempt:
                await self.clock.sleep(0.3 * 2**attempt * random.uniform(0.8, 1.2))  # noqa: S311
            try:
                turn = await self._ledger.turn(self.patience)
            except BudgetSpent:
                if failed is not None:
                    raise failed from None
                raise
            try:
                return await self._once(turn, request)
            except DeviceTimeout as error:
                failed = error
            except HttpRefused as error:
                failed = error
                short = error.retry_after is not None and error.retry_after <= _LONGEST_PAUSE
                busy = error.status in _BUSY and error.retry_after is None
                if not (short and error.status in {*_BUSY, _TOO_MANY}) and not busy:
                    raise
        assert failed is not None  # noqa: S101 - it was tried at least once
        raise failed

    async def _once(self, turn: str, request: _Request) -> Answer:
        """One request in its turn, written down as what became of it."""
        flight, begun = Flight(), self.clock.now()
        try:
            own = self._headers() if callable(self._headers) else self._headers or {}
            answer = await self._wire.send(
                flight,
                request.method,
                request.path,
                query=request.query,
                json=request.json,
                form=request.form,
                headers={**own, **request.headers},
            )
        except HttpRefused as error:
            if error.status == _TOO_MANY or error.retry_after is not None:
                error.retry_after = await self._ledger.pause(error.retry_after)
            raise
        finally:
            if flight.sent is None:
                await self._ledger.give_back(turn)
            elif flight.sent - begun > _LATE:
                await self._ledger.late(turn, flight.sent - begun)
        await self._ledger.answered()
        return answer

    # ---------------------------------------------------------------- inside

    def _key(self, request: _Request) -> str:
        """The name under which an answer is kept: a keyed hash of the whole question."""
        fixed = {} if callable(self._headers) else dict(self._headers or {})
        # What is signed anew each time names no other answer; the account does.
        told = {
            name.lower(): value
            for name, value in request.headers.items()
            if name.lower() in {"accept", "accept-language"}
        }
        form = request.form if isinstance(request.form, bytes) else dict(request.form or {})
        parts = (
            self._account,
            request.method,
            self._wire.base + request.path,
            sorted((request.query or {}).items()),
            request.json,
            form,
            sorted(fixed.items()),
            sorted(told.items()),
        )
        digest = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
        return self._installation.mark("answer", digest)

    def _answer(self, entry: Entry) -> Answer:
        return Answer(_OK, entry.headers, entry.body, self.name)

    def _wall(self) -> float:
        return self.clock.utc().timestamp()
