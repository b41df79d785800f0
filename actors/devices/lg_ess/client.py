"""Talks HTTPS with one LG ESS: pins its certificate, logs in, reads, writes.

One request at a time and one session at a time. A session that the device has ended is renewed
once per request; when that does not help, and after a wrong password, logging in rests. Neither the
password nor the key of a session (which contains the password) appears in a sentence.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import anyio

from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http import HttpClient, HttpRefused
from bridge.http.client import CertificateChanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.clock import Clock
    from bridge.http.pin import Pin

HTTPS: Final = 443
HOME: Final = "/v1/user/essinfo/home"
COMMON: Final = "/v1/user/essinfo/common"
BATTERY: Final = "/v1/user/setting/batt"
SYSTEM: Final = "/v1/user/setting/systeminfo"
NETWORK: Final = "/v1/user/setting/network"
OPERATION: Final = "/v1/user/operation/status"
_LOGIN: Final = "/v1/user/setting/login"
_TIMESYNC: Final = "/v1/user/setting/timesync"
_PASSWORD: Final = "/v1/user/setting/read/password"  # noqa: S105 - an address
_APP: Final = "lgepmsuser!@#"  # what the maker's own app says to be told the password
_REFUSED: Final = frozenset({401, 403})
_SESSION_OVER: Final = _REFUSED | {405}
_PASSWORD_PAUSE: Final = 60.0
_SESSION_PAUSE: Final = 15.0
_QUICK: Final = 0.3


def name_of(host: str, port: int) -> str:
    """How sentences call a device."""
    return f"the LG ESS at {host}" + ("" if port == HTTPS else f":{port}")


def base_of(host: str, port: int) -> str:
    """The address for requests."""
    return f"https://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{port}"


class Client:
    """One LG ESS at `host`:`port`. timeout: s for one answer; timesync: set its clock at login."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        password: str,
        pin: Pin,
        clock: Clock,
        timeout: float = 10.0,
        timesync: bool = False,
    ) -> None:
        self.name = name_of(host, port)
        self.pin = pin
        self.logins = 0
        self._http = HttpClient(
            base_of(host, port), name=self.name, timeout=timeout, retries=0, clock=clock
        )
        self._password, self._timesync, self._clock = password, timesync, clock
        self._lock = anyio.Lock()
        self._key: str | None = None
        self._rest: tuple[float, str] | None = None
        self._ended = 0

    async def close(self) -> None:
        """Close the connection; the session is kept for the next request."""
        await self._http.close()

    # ---------------------------------------------------------------- what it can do

    async def read(self, page: str, question: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The object under `page`. Raises DeviceError."""
        return await self._ask("POST", page, question or {})

    async def graph(self, what: str, span: str, question: Mapping[str, str]) -> dict[str, Any]:
        """One answer of the statistics; see graphs.py. Raises DeviceError."""
        return await self.read(f"/v1/user/graph/{what}/{span}", question)

    async def write(self, page: str, body: Mapping[str, str]) -> None:
        """Set something; never repeated unless the device refused it unread. Raises DeviceError."""
        found = await self._ask("PUT", page, body)
        if found.get("status") != "success":
            raise DeviceRefused(f"{self.name} refuses to set {', '.join(body)}")

    async def ask_password(self) -> str | None:
        """The password, which it tells on its own wifi only; None when it does not tell."""
        found = _object(
            await self._send("POST", _PASSWORD, {"key": _APP}, {"Charset": "UTF-8"}), self.name
        )
        password = found.get("password")
        return password if isinstance(password, str) and password else None

    # ---------------------------------------------------------------- sessions

    async def _ask(self, method: str, page: str, body: Mapping[str, str]) -> dict[str, Any]:
        async with self._lock:
            for _ in range(2):
                key = self._key or await self._login()
                found = await self._within(method, page, {"auth_key": key, **body})
                if found is not None:
                    self._ended = 0
                    return found
                self._key = None
            pause = min(_SESSION_PAUSE * 2**self._ended, _PASSWORD_PAUSE)
            self._ended = min(self._ended + 1, 10)
            raise self._resting(pause, "ends each session at once: does another program log in?")

    async def _within(
        self, method: str, page: str, body: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """The answer, or None when the device says that this session is over."""
        try:
            found = _object(await self._send(method, page, body), self.name)
        except HttpRefused as error:
            if error.status in _SESSION_OVER:
                return None
            raise
        return None if "auth" in found else found

    async def _login(self) -> str:
        rest = self._rest
        if rest is not None and self._clock.now() < rest[0]:
            raise DeviceRefused(rest[1])
        self.logins += 1
        try:
            found = _object(
                await self._send("PUT", _LOGIN, {"password": self._password}), self.name
            )
        except HttpRefused as error:
            if error.status in _REFUSED:
                raise self._wrong_password() from None
            raise
        key = found.get("auth_key")
        if not isinstance(key, str) or not key:
            if "password" in str(found.get("status")):
                raise self._wrong_password()
            raise DeviceRefused(f"{self.name} refuses the login for now")
        self._key = key
        if self._timesync:
            await self._set_clock(key)
        return key

    async def _set_clock(self, key: str) -> None:
        """Tell it the time in UTC; that it does not take it is no reason to read nothing."""
        time = self._clock.utc().strftime("%Y-%m-%d %H:%M:%S")
        with contextlib.suppress(DeviceError):
            await self._send("PUT", _TIMESYNC, {"auth_key": key, "by": "phone", "date_time": time})

    def _wrong_password(self) -> DeviceRefused:
        return self._resting(
            _PASSWORD_PAUSE,
            "refuses the password: `heliograph lg-ess get-password` asks for the right one",
        )

    def _resting(self, seconds: float, why: str) -> DeviceRefused:
        sentence = f"{self.name} {why}"
        self._rest = (self._clock.now() + seconds, sentence)
        return DeviceRefused(sentence)

    # ---------------------------------------------------------------- one request

    async def _send(
        self,
        method: str,
        page: str,
        body: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON that is answered. A read that met a connection just closed is sent again."""
        if self._http.tls is None:
            self._http.tls = await self.pin.tls()
        begun = self._clock.now()
        try:
            try:
                answer = await self._http.ask(method, page, json=body, headers=headers)
            except DeviceTimeout:
                if method != "POST" or self._clock.now() - begun > _QUICK:
                    raise
                answer = await self._http.ask(method, page, json=body, headers=headers)
        except CertificateChanged as error:
            # The connections keep what they were opened with.
            await self._http.close()
            self._http.tls = None
            raise self.pin.refusal(error.shown) from None
        return answer.json()


def _object(found: Any, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise DeviceGarbled(f"{name} answers with something else than what was asked")
    return found
