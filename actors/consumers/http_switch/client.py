"""Asks the URLs of one switch; every failure is a DeviceError with one plain sentence.

A url is never part of a sentence: it may hold a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from bridge.http.login import LoginClient, origin_of, place_of
from bridge.switching.finding import MOST_CHARS, Finder

if TYPE_CHECKING:
    from actors.consumers.http_switch.settings import Settings
    from bridge.clock import Clock

# What follows a device that has just been switched, until it shows it.
PAUSES = (0.0, 0.3, 0.7, 1.0)


class Client:
    """The URLs of one switch. What stands at the same host and port shares one connection.

    The login belongs to the hosts that switch, of `on_url` and `off_url`: no other is sent it.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self.name = name_of(settings.status_url)
        self._state = Finder(self.name, settings.on_pattern, settings.on_path, settings.off_pattern)
        self._power = Finder(self.name, settings.power_pattern, settings.power_path, None)
        self._doors: dict[str, LoginClient] = {}
        self._own = {origin_of(settings.on_url), origin_of(settings.off_url)}

    async def close(self) -> None:
        """Close the connections; the next request opens them again."""
        for door in self._doors.values():
            await door.close()

    async def state(self) -> tuple[bool, str]:
        """Whether it is on, and the text that said so. Raises DeviceError."""
        text = await self._ask("GET", self._settings.status_url)
        return self._state.state(text), text

    async def power(self, status: str) -> float | None:
        """W that it draws; `status`: what its status just was. Raises DeviceError."""
        url = self._settings.power_url
        if url is None:
            return None
        same = url == self._settings.status_url
        return self._power.number(status if same else await self._ask("GET", url))

    async def switch(self, *, on: bool) -> bool:
        """Switch it and read it back, for 2 s until it has followed. Raises DeviceError."""
        settings = self._settings
        body = settings.on_body if on else settings.off_body
        given = {} if body is None else _as_sent(body)
        await self._ask(settings.method, settings.on_url if on else settings.off_url, **given)
        state = not on
        for pause in PAUSES:
            await self._clock.sleep(pause)
            state, _ = await self.state()
            if state is on:
                break
        return state

    async def _ask(self, method: str, url: str, **body: Any) -> str:
        base, path = place_of(url)
        door = self._doors.get(base)
        if door is None:
            door = self._doors[base] = self._door(base, url)
        # What switches is not repeated by itself, even when it is a GET.
        reads = url in (self._settings.status_url, self._settings.power_url)
        return (await door.ask(method, path, again=None if reads else False, **body)).text()

    def _door(self, base: str, url: str) -> LoginClient:
        settings = self._settings
        login: dict[str, Any] = {}
        if settings.password is not None:
            if origin_of(url) in self._own:
                login["username"] = settings.username or ""
                login["password"] = settings.password.reveal()
            else:
                login["wanting"] = "the login goes only to the hosts of `on_url` and `off_url`"
        return LoginClient(
            base,
            name=name_of(url),
            timeout=settings.patience,
            clock=self._clock,
            most_bytes=MOST_CHARS,
            **login,
        )


def name_of(url: str) -> str:
    """How sentences call what stands there."""
    return f"the switch at {urlsplit(url).netloc}"


def _as_sent(body: str) -> dict[str, Any]:
    """A body with the type that it looks like."""
    kind = "application/x-www-form-urlencoded" if "=" in body else "text/plain"
    try:
        msgspec.json.decode(body)
        kind = "application/json"
    except msgspec.DecodeError:
        pass
    return {"form": body.encode(), "headers": {"Content-Type": kind}}
