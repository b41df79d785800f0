"""Talks HTTP with one Sessy. Every failure is a DeviceError with one plain sentence."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.devices.sessy.numbers import block, number, word
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused
from bridge.http import HttpClient, HttpRefused

if TYPE_CHECKING:
    from actors.devices.sessy.settings import Model
    from bridge.clock import Clock

_HTTP: Final = 80
_LETTERS: Final[dict[str, Model]] = {"D": "battery", "P": "p1", "C": "ct"}
_MISSING: Final = frozenset({404, 405, 501})


class Client:
    """One dongle or meter at `host`:`port`. timeout: s for one answer.

    One request at a time: it is a small computer, and a reading must not meet half a command.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str | None,
        password: str | None,
        timeout: float,
        clock: Clock,
    ) -> None:
        self.name = f"the Sessy at {host}" + ("" if port == _HTTP else f":{port}")
        self._username = username
        headers = {}
        if username is not None and password is not None:
            pair = base64.b64encode(f"{username}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        self._lock = anyio.Lock()
        self._http = HttpClient(
            f"http://{host}:{port}", name=self.name, timeout=timeout, headers=headers, clock=clock
        )

    async def close(self) -> None:
        """Close the connection; the next request opens one again."""
        await self._http.close()

    async def get(self, path: str) -> Any:
        """Give the JSON under `/api/…`."""
        return await self._ask("GET", path, None)

    async def perhaps(self, path: str) -> Any:
        """As `get`; None where this firmware knows no such page."""
        try:
            return await self.get(path)
        except HttpRefused as refused:
            if refused.status in _MISSING:
                return None
            raise

    async def post(self, path: str, body: dict[str, Any]) -> None:
        """Send JSON, once; whoever sends it looks afterwards what the device has."""
        found = await self._ask("POST", path, body)
        if not isinstance(found, dict) or found.get("status") != "ok":
            raise DeviceRefused(f"{self.name} does not take what was sent to it")

    async def _ask(self, method: str, path: str, body: Any) -> Any:
        async with self._lock:
            try:
                return (await self._http.ask(method, path, json=body)).json()
            except HttpRefused as refused:
                if refused.status != 401:  # noqa: PLR2004 - HTTP unauthorized
                    raise
                hint = (
                    "check `username` and `password`"
                    if self._username is not None
                    else "set `username` and `password`, which are printed on it"
                )
                raise DeviceRefused(f"{self.name} refuses the login: {hint}") from None

    # ---------------------------------------------------------------- who it is

    async def identify(self, wished: Model | None) -> Identity:
        """Ask what it is. Raises DeviceError when nobody says so."""
        info = await self.get("/api/v1/system/info")
        serial = word(info, "self_serial")
        if serial is None or serial.lower() == "unknown":
            serial = self._username
        model = wished or _LETTERS.get((serial or "")[:1].upper())
        if model is None:
            sentence = (
                f"{self.name} does not say what it is: set `device` (battery, p1, ct, modbus)"
            )
            raise DeviceGarbled(sentence)
        firmware = word(info, "version")
        try:
            ota = await self.perhaps("/api/v1/ota/status")
        except DeviceError:
            ota = None  # a nicety, and no reason to fail
        installed = block(block(ota, "self"), "installed_firmware")
        phase, most = None, None
        if model == "battery":
            try:
                settings = await self.perhaps("/api/v1/system/settings")
            except HttpRefused:
                settings = None  # without them the widest range counts, and no phase
            phase, most = number(settings, "active_phase"), number(settings, "max_power")
        return Identity(
            model,
            serial,
            word(installed, "version") or firmware,
            phase=int(phase) if phase in {1, 2, 3} else None,
            most=most if most and most > 0 else None,
        )


class Identity:
    """What a Sessy is. phase: of a battery (1..3 or None); most: its `max_power` in W or None."""

    def __init__(
        self,
        model: Model,
        serial: str | None,
        firmware: str | None,
        *,
        phase: int | None,
        most: float | None,
    ) -> None:
        self.model, self.serial, self.firmware = model, serial, firmware
        self.phase, self.most = phase, most
