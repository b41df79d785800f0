"""Talks HTTP with one go-e charger, in API v2 or v1. Every failure is a DeviceError.

A write is one key at a time; the charger's word on it is checked, and then it is read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec

from actors.chargers.go_e import decode
from bridge.charging import goe_keys as goe
from bridge.clock import Clock
from bridge.closing import Closing
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http.client import HttpClient, HttpRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    Api = Literal["auto", "v2", "v1"]
    Style = Literal["plain", "list", "whole"]

PORT: Final = 80
_NOTE: Final = "allowed"
_LOOK: Final = 0.2
_MOST_BYTES: Final = 512 * 1024
# What a charger says to a path that its firmware or its owner does not have.
_UNKNOWN: Final = frozenset({400, 404, 405, 501})
_BAD_REQUEST: Final = 400
# The ways in which a firmware may want to be asked.
_PROBES: Final = ({"filter": "alw"}, {"filter": '["alw"]'}, None)
_STRANGER: Final = "{} does not tell what a go-e charger tells"
_SWITCH: Final = "is the local HTTP API {} switched on in the go-e app?"


class Notes(Protocol):
    """Where something is noted on the disk; see StateFolder."""

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved last."""

    def save(self, name: str, content: dict[str, Any]) -> bool:
        """Save it."""


class Memory:
    """Notes that nobody keeps."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved last."""
        return self._kept.get(name)

    def save(self, name: str, content: dict[str, Any]) -> bool:
        """Save it."""
        self._kept[name] = content
        return True


class Way(Protocol):
    """One way to speak with a charger."""

    async def keys(self) -> Mapping[str, Any]:
        """All keys, as in API v2. Raises DeviceError."""

    async def set(self, key: str, value: int) -> None:
        """Set one and read it back. Raises DeviceError."""


class V2:
    """API v2. Firmware before 051.4 wants the names of keys as a JSON list, about ten at a time."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http, self._clock = http, clock
        self._styles: tuple[Style, ...] = ("plain", "list", "whole")

    async def keys(self) -> dict[str, Any]:
        """The keys that are needed. Raises DeviceError."""
        why: DeviceError | None = None
        for style in self._styles:
            try:
                found = await self._ask(decode.KEYS, style)
            except HttpRefused as error:
                if error.status not in _UNKNOWN - {404}:
                    raise _off(error, self._http.name, "v2") from None
                why = error
                continue
            if {"car", "nrg"} <= set(found):
                self._styles = (style,)
                return found
        self._styles = ("plain", "list", "whole")
        raise why or DeviceGarbled(_STRANGER.format(self._http.name))

    async def _ask(self, keys: tuple[str, ...], style: Style) -> dict[str, Any]:
        if style == "whole":
            return _object(await self._http.get("/api/status"), self._http.name)
        found: dict[str, Any] = {}
        for each in decode.filters(keys, as_list=style == "list"):
            answer = await self._http.get("/api/status", query={"filter": each})
            found |= _object(answer, self._http.name)
        return found

    async def set(self, key: str, value: int) -> None:
        """Set one key; the charger says `true` or what is wrong. Raises DeviceError."""
        name = self._http.name
        try:
            answer = await self._http.ask("GET", f"/api/set?{key}={value}", again=False)
            said = answer.json()
        except HttpRefused as error:
            said = _read(error.body)
            if not isinstance(said, dict):
                raise _off(error, name, "v2") from None
        wrong = decode.complaint(said, key)
        if wrong is not None:
            raise DeviceRefused(f"{name} refuses to set {key} to {value} ({wrong})")
        end = self._clock.now() + self._http.timeout
        while True:
            found = (await self._ask((key,), self._styles[0])).get(key)
            if goe.whole(found) == value:
                return
            if self._clock.now() >= end:
                raise _kept(name, key, found, value)
            await self._clock.sleep(_LOOK)


class V1:
    """API v1. It has no neutral: giving back is allowing what was allowed when we came."""

    def __init__(self, http: HttpClient, clock: Clock, notes: Notes) -> None:
        self._http, self._clock, self._notes = http, clock, notes
        self._force: int | None = None
        self._now_allowed: int | None = None

    async def keys(self) -> dict[str, Any]:
        """All that it has. Raises DeviceError."""
        status = await self._status()
        # What an earlier life has allowed and not taken back is ours, too.
        ours = self._force is None and self._allowed() is not None
        return decode.from_v1(status, goe.ON if ours else self._force)

    async def set(self, key: str, value: int) -> None:
        """Set one key, which answers with the status. Raises DeviceError."""
        name, wanted = self._http.name, decode.to_v1(key, value)
        if wanted is None:
            raise DeviceRefused(f"{name} cannot set {key}: its API v1 does not know that")
        if key == "frc":
            wanted = await self._permission(value)
        word, number = wanted
        if word != "alw" or number != self._now_allowed:
            await self._write(word, number)
        if key == "frc":
            self._force = value
            if value == goe.NEUTRAL:
                self._notes.save(_NOTE, {})

    async def _permission(self, force: int) -> tuple[str, int]:
        """What `alw` must be; what it was is noted before the first change."""
        allowed = goe.flag((await self._status()).get("alw"))
        self._now_allowed = None if allowed is None else int(allowed)
        before = self._allowed()
        if force == goe.NEUTRAL:
            return "alw", int(bool(allowed if before is None else before))
        if before is None and allowed is not None:
            self._notes.save(_NOTE, {"alw": allowed})
        return "alw", int(force == goe.ON)

    async def _write(self, word: str, number: int) -> None:
        name, end = self._http.name, self._clock.now() + self._http.timeout
        path = f"/mqtt?payload={word}={number}"
        status = (await self._http.ask("GET", path, again=False)).json()
        while goe.whole(_object(status, name).get(word)) != number:
            if self._clock.now() >= end:
                raise _kept(name, word, status.get(word), number)
            await self._clock.sleep(_LOOK)
            status = await self._status()
        # The answer may only repeat what was asked for: what counts is a status of its own.
        found = (await self._status()).get(word)
        if goe.whole(found) != number:
            raise _kept(name, word, found, number)

    def _allowed(self) -> bool | None:
        return goe.flag((self._notes.load(_NOTE) or {}).get("alw"))

    async def _status(self) -> dict[str, Any]:
        try:
            status = await self._http.get("/status")
        except HttpRefused as error:
            raise _off(error, self._http.name, "v1") from None
        if not decode.tells_v1(status):
            raise DeviceGarbled(_STRANGER.format(self._http.name))
        found: dict[str, Any] = status
        return found


class Client(Closing):
    """One go-e charger at `host`:`port`. `api`: `auto` finds out which, and asks again when lost.

    timeout: s for one answer, and for a write to show. `notes`: for what v1 must remember.
    """

    def __init__(
        self,
        host: str,
        port: int = PORT,
        *,
        api: Api = "auto",
        timeout: float = 5.0,
        notes: Notes | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = f"the go-e charger at {host}" + ("" if port == PORT else f":{port}")
        self.api: Api = api
        self.version: Literal["v2", "v1"] | None = None if api == "auto" else api
        clock = clock or Clock()
        self._http = HttpClient(
            f"http://{host}:{port}",
            name=self.name,
            timeout=timeout,
            most_bytes=_MOST_BYTES,
            clock=clock,
        )
        self._ways: dict[str, Way] = {
            "v2": V2(self._http, clock),
            "v1": V1(self._http, clock, notes or Memory()),
        }

    async def close(self) -> None:
        """Close the connection; the next request opens one again."""
        await self._http.close()

    async def keys(self) -> Mapping[str, Any]:
        """All keys as they are now, as in API v2. Raises DeviceError."""
        try:
            return await (await self._way()).keys()
        except (DeviceRefused, DeviceGarbled):
            # After an update, or a hand in the app, it may have another one.
            self._lose()
            raise

    async def set(self, key: str, value: int) -> None:
        """Set one key and read it back. Raises DeviceError."""
        await (await self._way()).set(key, value)

    def _lose(self) -> None:
        if self.api == "auto":
            self.version = None

    async def _way(self) -> Way:
        if self.version is None:
            self.version = await self._find()
        return self._ways[self.version]

    async def _find(self) -> Literal["v2", "v1"]:
        """Ask which API there is: v2 first. Raises DeviceError."""
        garbled: DeviceGarbled | None = None
        for query in _PROBES:
            try:
                _object(await self._http.get("/api/status", query=query), self.name)
            except HttpRefused as error:
                if error.status not in _UNKNOWN:
                    raise
                if error.status != _BAD_REQUEST:
                    break
            except DeviceGarbled as error:
                garbled = error
                break
            else:
                return "v2"
        try:
            status = await self._http.get("/status")
        except HttpRefused as error:
            raise garbled or _off(error, self.name, "v2 or v1") from None
        if not decode.tells_v1(status):
            raise garbled or DeviceGarbled(_STRANGER.format(self.name))
        return "v1"


def _object(found: Any, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise DeviceGarbled(f"{name} answers with other data than a go-e charger does")
    return found


def _off(error: HttpRefused, name: str, api: str) -> DeviceRefused:
    if error.status not in _UNKNOWN:
        return error
    return DeviceRefused(f"{name} does not know what was asked for: {_SWITCH.format(api)}")


def _kept(name: str, key: str, found: Any, value: int) -> DeviceError:
    if found is None:
        return DeviceTimeout(f"{name} does not show {key} although {value} was set")
    return DeviceRefused(f"{name} keeps {key} at {decode.words(found)} although {value} was set")


def _read(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
