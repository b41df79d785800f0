"""Requests to a device of any make, with the login that it asks for: none, Basic or Digest.

What is asked first goes out without a login: it is sent only where a 401 asks for it, so that no
password reaches a device that needs none, or in clear one that knows better. A login that was
refused is tried once a minute at most.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio

from bridge.errors import DeviceRefused
from bridge.http.client import HttpClient, HttpRefused
from bridge.http.digest import Digest, parse_challenge

if TYPE_CHECKING:
    from bridge.clock import Clock
    from bridge.http.client import Answer

PAUSE = 60.0
_UNAUTHORIZED = 401
_REUSE = 100
_PORTS = {"http": 80, "https": 443}


class LoginClient:
    """One device at `base` (`http://host:port`). `name` is how sentences call it.

    `wanting` ends the sentence about a login that is asked for when there is no `password`.
    """

    def __init__(
        self,
        base: str,
        *,
        name: str,
        timeout: float,
        clock: Clock,
        username: str = "",
        password: str | None = None,
        wanting: str = "set `username`, `password`",
        most_bytes: int = 65536,
    ) -> None:
        self.http = HttpClient(
            base, name=name, timeout=timeout, retries=1, most_bytes=most_bytes, clock=clock
        )
        self._clock = clock
        self._username, self._password = username, password
        self._wanting = wanting
        self._basic = False
        self._digest: Digest | None = None
        self._strange = False
        self._refused_at: float | None = None
        self._lock = anyio.Lock()

    async def close(self) -> None:
        """Close the connection; the next request opens one again."""
        await self.http.close()

    async def ask(self, method: str, path: str, **body: Any) -> Answer:
        """One request, logged in where that is asked for; `path` with its query.

        `body` as of HttpClient.ask. What came back with 401 was not followed: it may be sent again.
        Raises DeviceError.
        """
        async with self._lock:
            return await self._ask(method, path, body)

    async def _ask(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        self._hold_off()
        try:
            answer = await self._once(method, path, body)
        except HttpRefused as error:
            if error.status != _UNAUTHORIZED:
                raise
            if not self._challenged(error.challenges):
                raise self._failed() from None
            return await self._again(method, path, body)
        self._refused_at = None
        return answer

    async def _again(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        try:
            return await self._once(method, path, body)
        except HttpRefused as error:
            if error.status == _UNAUTHORIZED:
                raise self._failed() from None
            raise

    async def _once(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        headers: dict[str, str] = dict(body.get("headers") or {})
        if self._digest is not None and self._digest.ready:
            headers["Authorization"] = self._digest.header(method, self._seen(path))
        elif self._basic and self._digest is None:
            pair = f"{self._username}:{self._password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        return await self.http.ask(method, path, **{**body, "headers": headers})

    def _seen(self, path: str) -> str:
        """The path as it stands in the request, for the digest of it."""
        from yarl import URL

        return URL(self.http.base + path).raw_path_qs

    def _challenged(self, challenges: tuple[str, ...]) -> bool:
        """Take what a 401 asks for; false when there is nothing else to answer with."""
        if self._password is None:
            return False
        found = parse_challenge(list(challenges))
        if found is not None:
            if self._digest is None:
                self._digest = Digest(self._username, self._password, _REUSE)
            # (A nonce that served before may have run out: one answer to the new one is due.)
            self._digest.challenged(found)
            self._strange = False
            return True
        asks = any(each.strip().lower().startswith("basic") for each in challenges)
        self._strange = not asks
        if self._basic or not asks:
            return False
        self._basic, self._digest = True, None
        return True

    # ---------------------------------------------------------------- a login that is refused

    def _hold_off(self) -> None:
        at = self._refused_at
        if at is not None and self._clock.now() < at + PAUSE:
            raise self._sentence()

    def _failed(self) -> DeviceRefused:
        # An answer to what is asked then begins anew: its owner may have changed how it is.
        self._basic, self._digest = False, None
        self._refused_at = self._clock.now()
        return self._sentence()

    def _sentence(self) -> DeviceRefused:
        if self._password is None:
            return DeviceRefused(f"{self.http.name} asks for a login: {self._wanting}")
        if self._strange:
            words = "asks for a kind of login that is not known here"
            return DeviceRefused(f"{self.http.name} {words}: Basic and Digest with SHA-256 are")
        return DeviceRefused(f"{self.http.name} refuses the login")


def place_of(url: str) -> tuple[str, str]:
    """A url as (`http://host:port`, path with query)."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return f"{parts.scheme}://{parts.netloc}", path + (f"?{parts.query}" if parts.query else "")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a url, alike however they are written."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS[scheme]
