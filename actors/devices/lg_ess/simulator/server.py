"""The HTTPS interface of a simulated LG ESS: sessions, pages, writes."""

from __future__ import annotations

import json
import re
import ssl
import uuid
from pathlib import Path
from typing import Any

import anyio
from aiohttp import web

from actors.devices.lg_ess.simulator import home15, pages
from actors.devices.lg_ess.simulator.faults import as_json, disturb
from actors.devices.lg_ess.simulator.graphs import graph
from actors.devices.lg_ess.simulator.plant import MODELS, Plant
from bridge.simulators.http import HttpSimulator

SAMPLES = Path(__file__).parents[1] / "samples"
PASSWORD = "aabbccddeeff"  # noqa: S105 - of a simulated device
_APP = "lgepmsuser!@#"
_EXPIRED = 405
_DATA_FAULTS = frozenset(
    {"html", "truncated", "empty", "list", "nulls", "half", "memory", "words", "oversized"}
)


class Simulator(HttpSimulator):
    """`async with Simulator("home10") as sim:` serves one device on `sim.port`.

    pv, load: W; battery: W that it does by itself, + = discharge; soc: %; delay: s for each answer;
    sessions: how many may live at once; own_wifi: it tells its password. `plant` is the house,
    `fault` None or a key of FAULTS, `requests` what was asked (without bodies), `writes` what was
    set.
    """

    def __init__(  # noqa: PLR0913 - a house has many sides
        self,
        model: str = "home10",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        pv: float = 2410.0,
        load: float = 540.0,
        battery: float = -1320.0,
        soc: float = 47.9,
        password: str = PASSWORD,
        firmware: str | None = None,
        delay: float = 0.0,
        sessions: int = 1,
        own_wifi: bool = False,
    ) -> None:
        if model not in MODELS:
            raise ValueError(f"model {model!r} is not known: {', '.join(MODELS)} are")
        self.model, self.host, self.port = model, host, port
        self.plant = Plant(MODELS[model], pv=pv, load=load, wished=battery, soc=soc)
        self.password, self.delay, self.own_wifi = str(password), delay, own_wifi
        self.firmware, self.most_sessions = firmware, sessions
        self.keys: list[str] = []
        self.logins = self.logins_refused = 0
        self.clocks: list[str] = []
        self.requests: list[str] = []
        self.writes: list[dict[str, str]] = []
        self.fault: str | None = None
        self.expired_status = _EXPIRED
        self._other: ssl.SSLContext | None = None

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def stop(self) -> None:
        """Close every connection and the port; sessions end as with a restart of the device."""
        self.keys.clear()
        await super().stop()

    def tls(self) -> ssl.SSLContext:
        """Its own certificate, or another one while that is the fault."""

        def loaded(name: str) -> ssl.SSLContext:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(SAMPLES / name)
            return context

        own, other = loaded("device.pem"), loaded("other.pem")
        self._other = other

        def choose(connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
            if self.fault == "certificate":
                connection.context = other

        own.sni_callback = choose
        return own

    def _is_old(self, transport: Any) -> bool:
        """True for a connection from before the certificate changed: the device has restarted."""
        return transport.get_extra_info("ssl_object").context is not self._other

    def expire(self) -> None:
        """End every session."""
        self.keys.clear()

    # ---------------------------------------------------------------- one request

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        # The device's server does not mind a doubled slash, which some clients send.
        page = re.sub(r"/+", "/", request.path)
        self.requests.append(f"{request.method} {page}")
        await anyio.sleep(self.delay)
        transport = request.transport
        if self.fault == "certificate" and transport is not None and self._is_old(transport):
            transport.close()
            return web.Response()
        disturbed = await disturb(self.fault, request)
        if disturbed is not None:
            return disturbed
        try:
            body = json.loads(await request.text())
        except json.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            return web.Response(status=400)
        return self._answer(request.method, page, body)

    def _answer(self, method: str, page: str, body: dict[str, Any]) -> web.Response:
        if (method, page) == ("PUT", "/v1/user/setting/login"):
            return self._login(body)
        if (method, page) == ("POST", "/v1/user/setting/read/password"):
            return self._tell_password(body)
        if self.fault in {"session", "password"}:
            self.keys.clear()
        if body.pop("auth_key", None) not in self.keys:
            word = "auth_key failed" if self.expired_status == _EXPIRED else "auth failed"
            return as_json({"auth": word}, status=self.expired_status)
        found = self._write(page, body) if method == "PUT" else self._read(page, body)
        if found is None:
            return web.Response(status=404, text="<html>404</html>", content_type="text/html")
        return as_json(found, self.fault if self.fault in _DATA_FAULTS else None)

    def _login(self, body: dict[str, Any]) -> web.Response:
        if body.get("password") != self.password or self.fault == "password":
            self.logins_refused += 1
            return as_json({"status": "password mismatched"})
        self.logins += 1
        # The key's last part is the password, as in the device.
        node = int(self.password, 16) if re.fullmatch("[0-9a-f]{12}", self.password) else 1
        key = str(uuid.uuid1(node, self.logins))
        self.keys = [*self.keys, key][-self.most_sessions :]
        return as_json(
            {"status": "success", "auth_key": key, "regnum": pages.SERIAL, "role": "user"}
        )

    def _tell_password(self, body: dict[str, Any]) -> web.Response:
        if not self.own_wifi or body.get("key") != _APP:
            return as_json({"status": "fail"})
        return as_json({"status": "success", "password": self.password})

    # ---------------------------------------------------------------- pages

    def _read(self, page: str, body: dict[str, Any]) -> Any:
        if page.startswith("/v1/user/graph/"):
            what, _, span = page.removeprefix("/v1/user/graph/").partition("/")
            return graph(what, span, body)
        make = {
            "/v1/user/essinfo/home": self._home,
            "/v1/user/essinfo/common": self._common,
            "/v1/user/setting/batt": self._battery,
            "/v1/user/setting/systeminfo": self._system,
            "/v1/user/setting/network": self._network,
        }.get(page)
        return None if make is None else make()

    @property
    def _later(self) -> bool:
        return self.model != "home5"

    def _home(self) -> Any:
        if self.model == "home15":
            return home15.home(self.plant)
        return pages.home(self.plant, later=self._later)

    def _common(self) -> Any:
        if self.model == "home15":
            return home15.common(self.plant)
        return pages.common(self.plant, later=self._later)

    def _battery(self) -> Any:
        if self.model == "home15":
            return home15.battery(self.plant)
        return pages.battery(self.plant, later=self._later)

    def _system(self) -> Any:
        make = home15.system if self.model == "home15" else pages.system
        found = make(self.plant)
        if self.firmware is not None:
            found["version"]["pms_version"] = str(self.firmware)
        return found

    def _network(self) -> Any:
        return {
            "type": "wired",
            "setting": "auto",
            "ip": "192.0.2.24",
            "mask": "255.255.255.0",
            "gateway": "192.0.2.1",
            "dns": "192.0.2.1",
        }

    def _write(self, page: str, body: dict[str, Any]) -> Any:
        if page == "/v1/user/setting/timesync":
            self.clocks.append(str(body.get("date_time")))
            return {"status": "success"}
        wish = {str(key): str(value) for key, value in body.items()}
        if page == "/v1/user/operation/status" and set(wish) == {"operation"}:
            self.writes.append(wish)
            if self.fault != "deaf":
                self.plant.running = wish["operation"] == "start"
            return {"status": "success"}
        if page != "/v1/user/setting/batt":
            return None
        self.writes.append(wish)
        done = self.fault == "deaf" or self.plant.set(wish)
        return {"status": "success" if done else "fail"}
