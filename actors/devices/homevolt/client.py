"""Talks HTTP with one Homevolt. Every failure is a DeviceError with one plain sentence.

A read is repeated once when the device is busy; what changes something is sent once, and when no
answer comes nobody knows what became of it: `Unanswered`. A refused password is not tried again
for a minute, because the device answers ever more slowly to wrong ones.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import anyio

from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http.client import HttpClient, HttpRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.clock import Clock

_HTTP = 80
_USER = "admin"
_UNAUTHORIZED = 401
_STARTING = 503
LOGIN_PAUSE = 60.0
_LONGEST_LINE = 120
_REJECTED_START = ("error", "failed")
_REJECTED = ("invalid arguments", "unknown command", "not recognized")


class Unanswered(DeviceTimeout):
    """A write was sent and no answer came: look what the device has before doing anything."""


class Client:
    """One Homevolt at `host`:`port`. timeout: s for one whole answer."""

    def __init__(
        self, host: str, port: int, *, password: str | None, timeout: float, clock: Clock
    ) -> None:
        self.name = f"the Homevolt at {host}" + ("" if port == _HTTP else f":{port}")
        headers = {}
        if password:
            pair = base64.b64encode(f"{_USER}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        self._password_given = bool(password)
        self._clock = clock
        self._refused_at: float | None = None
        self._lock = anyio.Lock()
        self._http = HttpClient(
            f"http://{host}:{port}",
            name=self.name,
            timeout=timeout,
            retries=1,
            headers=headers,
            clock=clock,
        )

    async def close(self) -> None:
        """Close the connection; the next request opens one again."""
        await self._http.close()

    # ---------------------------------------------------------------- reading

    async def ems(self) -> Any:
        """`/ems.json` as it came."""
        return await self._get("/ems.json")

    async def schedule(self) -> Any:
        """`/schedule.json` as it came."""
        return await self._get("/schedule.json")

    async def page(self, path: str) -> Any:
        """Any other page as it came."""
        return await self._get(path)

    async def parameters(self) -> list[dict[str, Any]]:
        """`/params.json`: each has a name, a type, a list of values, a default and a help text."""
        found = await self._get("/params.json")
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise DeviceGarbled(f"{self.name} answers with something else than its parameters")
        return found

    # ---------------------------------------------------------------- writing

    async def console(self, line: str) -> str:
        """Give one console command; its answer. Raises DeviceRefused when it is rejected."""
        answer = await self._post("/console.json", {"cmd": line})
        lines = [each.strip() for each in answer.splitlines()]
        said = [each for each in lines if each and not each.endswith(line)]
        lowered = answer.strip().lower()
        bad = lowered.startswith(_REJECTED_START) or any(word in lowered for word in _REJECTED)
        bad = bad or any(each.lower().startswith(_REJECTED_START) for each in said)
        if bad:
            why = " ".join(said)[:_LONGEST_LINE]
            raise DeviceRefused(f"{self.name} rejects '{line}': {why or 'it does not say why'}")
        return answer

    async def set_parameter(self, name: str, value: str, *, store: bool) -> str:
        """Send one parameter; `store` keeps it over a restart. The device's answer, a text."""
        form = {"k": name, "v": value, "store": "1" if store else "0"}
        return await self._post("/params.json", form)

    # ---------------------------------------------------------------- one request

    async def _get(self, path: str) -> Any:
        return (await self._ask("GET", path, None)).json()

    async def _post(self, path: str, form: Mapping[str, str]) -> str:
        try:
            return str((await self._ask("POST", path, form)).text())
        except HttpRefused:
            raise
        except (DeviceTimeout, DeviceGarbled) as error:
            raise Unanswered(str(error)) from None

    async def _ask(self, method: str, path: str, form: Mapping[str, str] | None) -> Any:
        async with self._lock:
            self._hold_off()
            try:
                found = await self._http.ask(method, path, form=form)
            except HttpRefused as error:
                raise self._told(error) from None
            self._refused_at = None
            return found

    def _hold_off(self) -> None:
        at = self._refused_at
        if at is not None and self._clock.now() - at < LOGIN_PAUSE:
            raise self._login()

    def _login(self) -> DeviceRefused:
        if self._password_given:
            return DeviceRefused(f"{self.name} refuses the password; it is tried once a minute")
        return DeviceRefused(f"{self.name} asks for a password: set `password`")

    def _told(self, error: HttpRefused) -> DeviceError:
        if error.status == _UNAUTHORIZED:
            self._refused_at = self._clock.now()
            return self._login()
        if error.status == _STARTING:
            sentence = f"{self.name} is starting or updating itself (HTTP {_STARTING})"
            return HttpRefused(sentence, error.status, error.retry_after)
        return error
