"""Talks HTTP with one Shelly: finds its generation, logs in, reads its status, sets a relay.

Every failure is a DeviceError with one plain sentence. One session, one request at a time, a
connection that is kept, no redirects, no proxies, no cookies. A wrong password is tried once a
minute at most, so that the device does not lock its owner out.
"""

from __future__ import annotations

import base64
import errno
import socket
import time
from typing import TYPE_CHECKING, Any, cast

import anyio

from actors.devices.shelly.document import flag, read_object, refusal, unwrap
from actors.devices.shelly.identity import Identity, identify
from bridge.closing import Closing
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http.digest import Digest, parse_challenge

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

MOST_BYTES = 256 * 1024
_HTTP = 80
_UNAUTHORIZED = 401
LOGIN_PAUSE = 60.0
_REQUESTS_PER_NONCE = 20_000  # the device allows 30 000
_ADMIN = "admin"  # the only user that the second generation knows


class Client(Closing):
    """One Shelly at `host`:`port`. timeout: seconds for one answer, login included."""

    def __init__(
        self,
        host: str,
        port: int = _HTTP,
        *,
        username: str = _ADMIN,
        password: str | None = None,
        timeout: float = 3.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = f"the Shelly at {host}" + ("" if port == _HTTP else f":{port}")
        self.identity: Identity | None = None
        self._host, self._port = host, port
        self._username, self._password = username, password or None
        self._timeout = timeout
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._lock = anyio.Lock()
        self._digest: Digest | None = None
        self._refused_at: float | None = None

    async def close(self) -> None:
        """Close the connection; the next request opens one again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # ---------------------------------------------------------------- what it can do

    async def identify(self) -> Identity:
        """Ask who it is. The answer is kept until a request fails."""
        found = await self._get("/shelly", {}, login=False)
        try:
            self.identity = identify(found)
        except DeviceError as error:
            raise self._sentence(error) from None
        reuse = _REQUESTS_PER_NONCE if self.identity.nonces_last else 1
        secret = self._password
        self._digest = Digest(_ADMIN, secret, reuse) if secret and self.identity.rpc else None
        return self.identity

    async def status(self) -> tuple[Identity, dict[str, Any]]:
        """Read everything: `/status` of the first generation, `Shelly.GetStatus` of the later."""
        return await self._known("/status", "Shelly.GetStatus", {}, {})

    async def switch(self, channel: int, *, on: bool, timer: float | None = None) -> bool:
        """Set a relay and read it back from the device.

        timer: s after which the device by itself sets it back to the other state, unless it is told
        again; each command replaces the timer of the one before.
        """
        path, number = f"/relay/{channel}", {"id": str(channel)}
        first = {"turn": "on" if on else "off"}
        later = {**number, "on": "true" if on else "false"}
        if timer is not None:
            first["timer"] = later["toggle_after"] = f"{timer:.0f}"
        await self._known(path, "Switch.Set", first, later)
        identity, found = await self._known(path, "Switch.GetStatus", {}, number)
        state = flag(found.get("output" if identity.rpc else "ison"))
        if state is None:
            raise DeviceGarbled(f"{self.name} does not tell whether it is on or off")
        return state

    async def _known(
        self, path: str, method: str, query: dict[str, str], params: dict[str, str]
    ) -> tuple[Identity, dict[str, Any]]:
        """Ask in the words of its generation. After a failure it must introduce itself again."""
        try:
            identity = self.identity or await self.identify()
            if identity.rpc:
                return identity, await self._get(f"/rpc/{method}", params)
            return identity, await self._get(path, query)
        except DeviceError:
            self.identity = None
            raise

    # ---------------------------------------------------------------- one request

    async def _get(self, path: str, query: dict[str, str], *, login: bool = True) -> dict[str, Any]:
        async with self._lock:
            try:
                with anyio.fail_after(self._timeout):
                    return unwrap(read_object(await self._ask(path, query, login=login)))
            except TimeoutError:
                # A connection that was cut short must not carry the next request.
                await self.close()
                raise DeviceTimeout(
                    f"{self.name} did not answer within {self._timeout:g} s"
                ) from None
            except DeviceError as error:
                raise self._sentence(error) from None

    def _sentence(self, error: DeviceError) -> DeviceError:
        return type(error)(f"{self.name} {error}")

    async def _ask(self, path: str, query: dict[str, str], *, login: bool) -> bytes:
        if login:
            self._hold_off()
        digest = self._digest if login else None
        headers = self._headers(path, query, digest, login=login)
        status, answered, body = await self._exchange(path, query, headers)
        if status == _UNAUTHORIZED and digest is not None:
            challenge = parse_challenge(answered.getall("WWW-Authenticate", []))
            if challenge is None:
                raise DeviceRefused("asks for a kind of login that no Shelly should need")
            digest.challenged(challenge)
            headers = self._headers(path, query, digest, login=True)
            status, answered, body = await self._exchange(path, query, headers)
        if status == _UNAUTHORIZED:
            raise self._login_failed()
        if login:
            self._refused_at = None
        _check_status(status, body)
        _check_type(answered.get("Content-Type"))
        return body

    def _headers(
        self, path: str, query: dict[str, str], digest: Digest | None, *, login: bool
    ) -> dict[str, str]:
        if digest is not None and digest.ready:
            return {"Authorization": digest.header("GET", self._url(path, query).raw_path_qs)}
        identity = self.identity
        basic = login and identity is not None and identity.login and not identity.rpc
        if basic and self._password is not None:
            pair = f"{self._username}:{self._password}".encode()
            return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        return {}

    def _hold_off(self) -> None:
        at = self._refused_at
        if at is not None and self._now() - at < LOGIN_PAUSE:
            raise self._password_refused()

    def _login_failed(self) -> DeviceRefused:
        if self._digest is not None:
            self._digest.forget()
        self._refused_at = self._now()
        return self._password_refused()

    def _password_refused(self) -> DeviceRefused:
        if self._password is None:
            return DeviceRefused("asks for a password: set `password`")
        return DeviceRefused("refuses the password")

    def _url(self, path: str, query: dict[str, str]) -> Any:
        from yarl import URL

        url = URL.build(scheme="http", host=self._host.strip("[]"), port=self._port, path=path)
        return url.with_query(query) if query else url

    async def _exchange(
        self, path: str, query: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, Any, bytes]:
        """Send one GET; give status, headers and body. Raises DeviceError with half a sentence."""
        import aiohttp

        session = self._open()
        try:
            url = self._url(path, query)
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                return answer.status, answer.headers, await _body(answer.content)
        except aiohttp.ClientConnectorError as error:
            raise DeviceTimeout(_unreachable(error.os_error)) from None
        except aiohttp.ClientPayloadError:
            raise DeviceGarbled("broke off in the middle of its answer") from None
        except aiohttp.ServerDisconnectedError:
            raise DeviceTimeout("closed the connection without an answer") from None
        except aiohttp.ClientResponseError:
            raise DeviceGarbled("answers with something that is not HTTP") from None
        except (aiohttp.ClientError, OSError) as error:
            raise DeviceTimeout(_unreachable(error)) from None
        except ValueError:
            # A host name that cannot be one, or header bytes that aiohttp cannot take.
            raise DeviceGarbled("cannot be spoken to: its address or answer is malformed") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1, keepalive_timeout=30, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"Accept-Encoding": "identity", "User-Agent": "heliograph"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


async def _body(content: aiohttp.StreamReader) -> bytes:
    """Read the body, but never more than a Shelly would send."""
    found = bytearray()
    async for piece in content.iter_any():
        found += piece
        if len(found) > MOST_BYTES:
            raise DeviceGarbled(f"answers with more than {MOST_BYTES // 1024} kB")
    return bytes(found)


def _check_status(status: int, body: bytes) -> None:
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP success
        return
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP redirection
        raise DeviceGarbled("redirects to another address, which is not followed; is it a Shelly?")
    code: object = status
    message: object = f"HTTP {status}"
    try:
        found = read_object(body)
    except DeviceError:
        pass
    else:
        # The device's own error, bare or in a frame; in a frame unwrap raises it.
        found = unwrap(found)
        message = found.get("message", message)
        code = cast("object", found.get("code", code))
    raise refusal(status if status == 404 else code, message)  # noqa: PLR2004 - HTTP Not Found


def _check_type(kind: str | None) -> None:
    if kind is None or "json" in kind.lower():
        return
    if "html" in kind.lower():
        raise DeviceGarbled("answers with a web page instead of data; is it a Shelly?")
    raise DeviceGarbled("answers with another kind of data than a Shelly does")


def _unreachable(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "cannot be found: no such name in the network"
    if isinstance(error, ConnectionRefusedError):
        return "cannot be reached: the connection is refused"
    if isinstance(error, OSError) and error.errno in {errno.ECONNRESET, errno.EPIPE}:
        return "cut the connection"
    if isinstance(error, OSError) and error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return "cannot be reached: there is no way to it in this network"
    return "cannot be reached"
