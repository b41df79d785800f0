"""A simulated relay over real HTTP, with the pages of several makers, logins and faults."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.request import parse_http_list, parse_keqv_list

import anyio
from aiohttp import web

from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FACES = ("gen1", "gen2", "tasmota", "post")
FAULTS = {
    "stall": "takes the request and never answers",
    "close": "closes the connection without an answer",
    "error_page": "answers everything with a web page, as if all were well",
    "error": "answers with an error in JSON, as if all were well",
    "empty": "answers with nothing",
    "half": "sends half of its status",
    "oversized": "sends more than any switch would",
    "redirect": "sends the client elsewhere",
    "login": "refuses every login",
    "404": "knows no such page",
    "500": "fails inside",
    "text_power": "sends a word as its power",
    "stubborn": "answers, and does not switch",
}
_REALM = "switch"


class Simulator(HttpSimulator):
    """`async with Simulator(face="gen2") as sim:` serves one relay on `sim.port`.

    face: whose pages it has: gen1, gen2, tasmota, or post (switched by a body). on: whether it is;
    watts: what its load draws then, when its thermostat is closed (`open`: it draws nothing);
    password: with it, a login as `username` is required, digest for gen2, else basic. `fault` is
    None or a key of FAULTS. `requests`: what was asked, `logins`: with which header.
    """

    def __init__(
        self,
        face: str = "gen2",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        watts: float = 500.0,
        number: int = 0,
        username: str = "admin",
        password: str | None = None,
    ) -> None:
        if face not in FACES:
            raise ValueError(f"face {face!r} is not known: {', '.join(FACES)} are")
        self.face, self.host, self.port = face, host, port
        self.watts, self.number = watts, number
        self.username, self.password = username, password
        self.on, self.open = False, False
        self.fault: str | None = None
        self.requests: list[str] = []
        self.logins: list[str] = []
        self._nonces: set[str] = set()

    def settings(self) -> dict[str, Any]:
        """All that points a configuration at it."""
        at = f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}"  # noqa: S104 - compared
        number = self.number
        if self.face == "gen1":
            found = {
                "on_url": f"{at}/relay/{number}/?turn=on",
                "off_url": f"{at}/relay/{number}/?turn=off",
                "status_url": f"{at}/status",
                "on_pattern": r'"ison":\s*true',
                "power_url": f"{at}/status",
                "power_pattern": r'"power":\s*([0-9.]+)',
            }
        elif self.face == "gen2":
            found = {
                "on_url": f"{at}/rpc/Switch.Set?id={number}&on=true",
                "off_url": f"{at}/rpc/Switch.Set?id={number}&on=false",
                "status_url": f"{at}/rpc/Switch.GetStatus?id={number}",
                "on_pattern": '"output":true',
                "power_url": f"{at}/rpc/Switch.GetStatus?id={number}",
                "power_pattern": '"apower":([^,]+),',
            }
        elif self.face == "tasmota":
            found = {
                "on_url": f"{at}/cm?cmnd=Power%20On",
                "off_url": f"{at}/cm?cmnd=Power%20Off",
                "status_url": f"{at}/cm?cmnd=Power",
                "on_path": "POWER",
                "power_url": f"{at}/cm?cmnd=Status%208",
                "power_path": "StatusSNS.ENERGY.Power",
            }
        else:
            found = {
                "on_url": f"{at}/switch",
                "off_url": f"{at}/switch",
                "status_url": f"{at}/switch",
                "method": "POST",
                "on_body": '{"on": true}',
                "off_body": '{"on": false}',
                "on_path": "state.on",
                "power_url": f"{at}/switch",
                "power_path": "state.watts",
            }
        if self.password is not None:
            found |= {"username": self.username, "password": self.password}
        return found

    @property
    def power(self) -> float:
        """W that its load draws now."""
        return self.watts if self.on and not self.open else 0.0

    def press(self) -> None:
        """A person presses its button."""
        self.on = not self.on

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application(middlewares=[self._front])
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    @property
    def _front(self) -> Any:
        @web.middleware
        async def front(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.requests.append(f"{request.method} {request.raw_path}")
            self.logins.append(request.headers.get("Authorization", ""))
            early = await self._disturb(request)
            if early is not None:
                return early
            if self.password is not None and not self._let_in(request):
                return self._refuse()
            return await handler(request)

        return front

    async def _disturb(self, request: web.Request) -> web.StreamResponse | None:
        fault = self.fault
        if fault == "stall":
            await anyio.sleep_forever()
        if fault == "redirect":
            raise web.HTTPFound("http://192.0.2.1/elsewhere")
        if fault in {"404", "500"}:
            return web.Response(status=int(fault), text="no")
        if fault == "login":
            return self._refuse()
        if fault == "close" and request.transport is not None:
            request.transport.close()
            return web.Response()
        return None

    # ---------------------------------------------------------------- logins

    def _refuse(self) -> web.Response:
        challenge = f'Basic realm="{_REALM}"'
        if self.face == "gen2":
            nonce = secrets.token_hex(8)
            self._nonces.add(nonce)
            challenge = f'Digest qop="auth", realm="{_REALM}", nonce="{nonce}", algorithm=SHA-256'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    def _let_in(self, request: web.Request) -> bool:
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if self.face != "gen2":
            right = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            return scheme == "Basic" and rest == right
        found = parse_keqv_list(parse_http_list(rest)) if scheme == "Digest" else {}
        nonce = found.get("nonce", "")
        if nonce not in self._nonces or found.get("uri") != request.raw_path:
            return False
        self._nonces.discard(nonce)  # each serves once, as with older firmware
        secret = _sha256(self.username, _REALM, str(self.password))
        page = _sha256(request.method, request.raw_path)
        expected = _sha256(secret, nonce, found["nc"], found["cnonce"], found["qop"], page)
        return bool(found.get("response") == expected)

    # ---------------------------------------------------------------- pages

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        found = {
            "gen1": self._gen1,
            "gen2": self._gen2,
            "tasmota": self._tasmota,
            "post": self._post,
        }[self.face](request.path, request.query, await request.text())
        if found is None:
            raise web.HTTPNotFound
        return self._spoiled(found)

    def _switch(self, *, on: bool) -> None:
        if self.fault != "stubborn":
            self.on = on

    def _gen1(self, path: str, query: Any, _: str) -> Any:
        if path.rstrip("/") == f"/relay/{self.number}":
            if query.get("turn") in {"on", "off"}:
                self._switch(on=query["turn"] == "on")
            return {"ison": self.on, "has_timer": False, "source": "http"}
        if path != "/status":
            return None
        relay = {"ison": self.on, "has_timer": False, "overpower": False}
        return {"relays": [relay], "meters": [{"power": self.power, "is_valid": True}], "uptime": 9}

    def _gen2(self, path: str, query: Any, _: str) -> Any:
        if query.get("id") != str(self.number):
            return None
        if path == "/rpc/Switch.Set" and query.get("on") in {"true", "false"}:
            was = self.on
            self._switch(on=query["on"] == "true")
            return {"was_on": was}
        if path != "/rpc/Switch.GetStatus":
            return None
        return {"id": self.number, "output": self.on, "apower": self.power, "voltage": 231.4}

    def _tasmota(self, path: str, query: Any, _: str) -> Any:
        words = str(query.get("cmnd", "")).lower().split()
        if path != "/cm" or not words:
            return None
        if words[0] == "power":
            if words[1:] in (["on"], ["off"]):
                self._switch(on=words[1] == "on")
            return {"POWER": "ON" if self.on else "OFF"}
        if words == ["status", "8"]:
            return {"StatusSNS": {"ENERGY": {"Power": self.power, "Voltage": 230}}}
        return {"Command": "Unknown"}

    def _post(self, path: str, _: Any, body: str) -> Any:
        if path != "/switch":
            return None
        if body:
            self._switch(on=json.loads(body)["on"] is True)
        return {"state": {"on": self.on, "watts": self.power}}

    def _spoiled(self, body: Any) -> web.Response:
        if self.fault == "error_page":
            page = "<!DOCTYPE html><html><body>Gateway error</body></html>"
            return web.Response(text=page, content_type="text/html")
        if self.fault == "error":
            return web.json_response({"error": "busy"})
        text = json.dumps(body, separators=(",", ":"))
        if self.fault == "text_power":
            shown = json.dumps(self.power)
            text = text.replace(f'ower":{shown}', 'ower":"much"').replace(
                f'"watts":{shown}', '"watts":"much"'
            )
        made = {"empty": "", "half": text[: len(text) // 2], "oversized": "x" * 100_000}
        shown = made.get(self.fault or "", text)
        return web.Response(text=shown, content_type="application/json")


def _sha256(*parts: str) -> str:
    return hashlib.sha256(":".join(parts).encode()).hexdigest()
