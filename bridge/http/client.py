"""One HTTP client for one device or service; every failure is a DeviceError with one sentence.

A session that is kept, bounded answers, no redirects, no proxies, no cookies, verified TLS. A read
that met a closed connection or a busy server is repeated; a write is never repeated blindly.
Neither a path's query nor a body nor a header appears in a sentence: they may hold secrets.
"""

from __future__ import annotations

import errno
import random
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from bridge.clock import Clock
from bridge.closing import Closing
from bridge.errors import DeviceGarbled, DeviceRefused, DeviceTimeout

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    import aiohttp

MOST_BYTES = 512 * 1024
_BUSY = frozenset({502, 503, 504})
_SAFE = frozenset({"GET", "HEAD"})
_LONGEST_PAUSE = 10.0


class HttpRefused(DeviceRefused):
    """The other side answered with an HTTP status that is none of success.

    `status`: the number; `retry_after`: s it asks to wait, None when it does not say; `body`: the
    start of what it sent with it, for drivers that look closer; never shown. `headers`: by
    lower-case name; `challenges`: the logins that a 401 asks for.
    """

    def __init__(
        self,
        sentence: str,
        status: int,
        retry_after: float | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        challenges: tuple[str, ...] = (),
    ) -> None:
        super().__init__(sentence)
        self.status, self.retry_after, self.body = status, retry_after, body
        self.headers, self.challenges = headers or {}, challenges


class CertificateChanged(DeviceRefused):
    """The other side shows another certificate than the pinned one; `shown`: its SHA-256."""

    def __init__(self, sentence: str, shown: bytes) -> None:
        super().__init__(sentence)
        self.shown = shown


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` by lower-case name; `name` is who sent it, for sentences."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    name: str = field(default="it", repr=False)
    challenges: tuple[str, ...] = ()

    def json(self) -> Any:
        """The body as JSON. Raises DeviceGarbled, also for the web page of a login or an error."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            kind = self.headers.get("content-type", "")
            if "html" in kind or self.body.lstrip()[:1] == b"<":
                sentence = f"{self.name} answers with a web page instead of data"
            else:
                sentence = f"{self.name} answers with data that cannot be read"
            raise DeviceGarbled(sentence) from None

    def text(self) -> str:
        """The body as text, whatever it holds."""
        return self.body.decode("utf-8", "replace")


class HttpClient(Closing):
    """One device or service at `base` (`http://host:port` and perhaps a path).

    name: how sentences call it; timeout: s for one whole answer; retries: how often a read is
    repeated; headers: sent with each request; tls: the context for https (None: the system's);
    most_bytes: longest answer.
    """

    def __init__(
        self,
        base: str,
        *,
        name: str,
        timeout: float = 5.0,
        retries: int = 1,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | aiohttp.Fingerprint | None = None,
        most_bytes: int = MOST_BYTES,
        clock: Clock | None = None,
    ) -> None:
        self.base, self.name = base.rstrip("/"), name
        self.timeout, self.retries = timeout, retries
        self.headers = dict(headers or {})
        self.tls = tls
        self.most_bytes = most_bytes
        self.clock = clock or Clock()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections; the next request opens one again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # ---------------------------------------------------------------- requests

    async def get(self, path: str, *, query: Mapping[str, str] | None = None) -> Any:
        """Give the JSON under `path`. Raises DeviceError."""
        return (await self.ask("GET", path, query=query)).json()

    async def post(
        self, path: str, body: Any = None, *, query: Mapping[str, str] | None = None
    ) -> Any:
        """Send JSON to `path` and give the JSON that is answered. Never repeated."""
        return (await self.ask("POST", path, json=body, query=query)).json()

    async def put(self, path: str, body: Any = None) -> Any:
        """Send JSON to `path` and give the JSON that is answered. Never repeated."""
        return (await self.ask("PUT", path, json=body)).json()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
    ) -> Answer:
        """Send one request; give any answer of success. `again`: it may be repeated (reads may).

        `form`: fields, or bytes that are sent as they are.

        Raises HttpRefused for another status, DeviceTimeout and DeviceGarbled.
        """
        tries = self.retries + 1 if (method in _SAFE if again is None else again) else 1
        for attempt in range(tries):
            try:
                answer = await self._once(method, path, query, json, form, headers)
                if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP success
                    return answer
                raise self._refusal(answer)
            except (DeviceTimeout, HttpRefused) as error:
                busy = not isinstance(error, HttpRefused) or error.status in _BUSY
                if not busy or attempt == tries - 1:
                    raise
                # A wish is a least time: "0" from a busy server is no reason to hurry.
                pause = max(0.3 * 2**attempt, getattr(error, "retry_after", None) or 0.0)
                if pause > _LONGEST_PAUSE:
                    raise
                await self.clock.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
        raise AssertionError

    def _refusal(self, answer: Answer) -> DeviceRefused | DeviceGarbled:
        status = answer.status
        if 300 <= status < 400:  # noqa: PLR2004 - HTTP redirection
            return DeviceGarbled(self._redirects())
        words = {
            401: "refuses the login",
            403: "refuses access",
            404: "does not know what was asked for: is it another model or firmware?",
            405: "does not allow what was asked for",
            429: "was asked too often",
        }
        word = words.get(status, f"answers with HTTP {status}")
        if status >= 500:  # noqa: PLR2004 - HTTP server error
            word = f"failed inside (HTTP {status})"
        wait = _seconds(answer.headers.get("retry-after"))
        sentence, body = f"{self.name} {word}", answer.body[:2000]
        return HttpRefused(sentence, status, wait, body, answer.headers, answer.challenges)

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        json: Any,
        form: Mapping[str, str] | bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        import aiohttp  # heavy: only a house that has such a device pays for it

        given: dict[str, Any] = {"params": query, "headers": headers, "allow_redirects": False}
        if json is not None:
            given["data"] = msgspec.json.encode(json)
            given["headers"] = {"Content-Type": "application/json", **(headers or {})}
        elif form is not None:
            given["data"] = form if isinstance(form, bytes) else dict(form)
        try:
            with anyio.fail_after(self.timeout):
                async with self.session().request(method, self.base + path, **given) as answer:
                    found = {name.lower(): value for name, value in answer.headers.items()}
                    body = await self._body(answer.content)
                    challenges = tuple(answer.headers.getall("WWW-Authenticate", ()))
                    return Answer(answer.status, found, body, self.name, challenges)
        except TimeoutError:
            # aiohttp has closed the connection that was cut short; others may carry a command.
            sentence = f"{self.name} did not answer within {self.timeout:g} s"
            raise DeviceTimeout(sentence) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self.told(error) from None

    def told(  # noqa: PLR0911 - one return for each sort of error
        self, error: Exception
    ) -> DeviceRefused | DeviceGarbled | DeviceTimeout:
        """What an exception of aiohttp means, in one sentence."""
        import aiohttp

        if isinstance(error, aiohttp.ServerFingerprintMismatch):
            sentence = f"{self.name} shows another certificate than it used to"
            return CertificateChanged(sentence, error.got)
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return DeviceRefused(f"{self.name} shows a certificate that cannot be trusted")
        if isinstance(error, aiohttp.ClientConnectorSSLError):
            return DeviceGarbled(f"{self.name} does not speak TLS, or only an outdated form of it")
        if isinstance(error, aiohttp.ClientConnectorError):
            return DeviceTimeout(f"{self.name} {unreachable(error.os_error)}")
        if isinstance(error, aiohttp.ClientPayloadError):
            return DeviceGarbled(f"{self.name} broke off in the middle of its answer")
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return DeviceTimeout(f"{self.name} closed the connection without an answer")
        if isinstance(error, aiohttp.ClientResponseError):
            return DeviceGarbled(f"{self.name} answers with something that is not HTTP")
        if isinstance(error, ValueError):
            return DeviceGarbled(f"{self.name} has an address that cannot be used")
        return DeviceTimeout(f"{self.name} {unreachable(error)}")

    async def _body(self, content: aiohttp.StreamReader) -> bytes:
        found = bytearray()
        async for piece in content.iter_any():
            found += piece
            if len(found) > self.most_bytes:
                limit = self.most_bytes // 1024
                raise DeviceGarbled(f"{self.name} answers with more than {limit} kB")
        return bytes(found)

    def session(self) -> aiohttp.ClientSession:
        """The session, for what is not a plain request (a WebSocket). Raises nothing."""
        if self._session is None:
            import aiohttp

            async def redirected(*_: object) -> None:
                # Plain requests are told not to follow; a WebSocket cannot be told.
                raise DeviceGarbled(self._redirects())

            trace = aiohttp.TraceConfig()
            trace.on_request_redirect.append(redirected)
            tls: Any = self.tls if self.tls is not None else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=30, ttl_dns_cache=60, ssl=tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": "heliograph", **self.headers},
                trust_env=False,
                trace_configs=[trace],
            )
            # aiohttp would send a PUT or DELETE again over a new connection when the old one ends
            # without an answer: the device may have done it already.
            self._session._retry_connection = False  # noqa: SLF001 - there is no other way
        return self._session

    def _redirects(self) -> str:
        return f"{self.name} redirects to another address, which is not followed"


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def unreachable(error: BaseException) -> str:
    """What is wrong with the way to a device, to follow its name in a sentence."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror):
        return "cannot be found: its name is not known in the network"
    if number == errno.ECONNREFUSED:
        return "refuses the connection: is it switched on, and the port right?"
    return "cannot be reached"
