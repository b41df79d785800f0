"""What goes to which host of a switch behind URLs: the login, and each request once."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from actors.consumers.http_switch.client import Client
from actors.consumers.http_switch.settings import Settings
from actors.consumers.http_switch.sim import Simulator
from bridge.clock import Clock
from bridge.config.secret import Secret
from bridge.errors import DeviceError
from bridge.http.login import origin_of
from tests.switching.stand import AT_ONCE

pytestmark = pytest.mark.anyio
QUICK = {"interval": 0.1, "timeout": 0.6, **AT_ONCE}


async def ask_all(switch: Simulator, meter: Simulator, **given: Any) -> list[str]:
    """One reading and one switching: states at `switch`, power at `meter`; what went wrong."""
    told = switch.settings() | meter.settings() | given
    for name in ("on_url", "off_url", "status_url", "on_pattern", "on_path"):
        told[name] = given.get(name, switch.settings().get(name))
    told |= {"username": "owner", "password": Secret("pass-word")}
    client = Client(Settings(**QUICK | told), Clock())
    wrong: list[str] = []
    try:
        for _ in range(2):
            for step in (lambda: client.switch(on=True), lambda: client.power("")):
                try:
                    await step()
                except DeviceError as error:
                    wrong.append(str(error))
    finally:
        await client.close()
    return wrong


async def test_what_switches_is_asked_once_and_what_reads_again() -> None:
    """A busy server may have done it: a second GET of a toggle would undo it."""
    asked: list[str] = []

    async def busy(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=503)

    app = web.Application()
    app.router.add_get("/{what}", busy)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        at = f"http://127.0.0.1:{runner.addresses[0][1]}"
        urls: dict[str, Any] = {
            "on_url": f"{at}/on",
            "off_url": f"{at}/off",
            "status_url": f"{at}/status",
        }
        client = Client(Settings(**urls, on_pattern="on"), Clock())
        for step in (lambda: client.switch(on=True), client.state):
            with pytest.raises(DeviceError, match="HTTP 503"):
                await step()
        await client.close()
    finally:
        await runner.cleanup()
    assert asked == ["/on", "/status", "/status"]


@pytest.mark.parametrize("asks", [None, "pass-word"])
async def test_a_login_never_goes_to_a_host_that_only_tells(asks: str | None) -> None:
    async with (
        Simulator("gen1", password="pass-word", username="owner") as switch,
        Simulator("tasmota", password=asks, username="owner") as meter,
    ):
        wrong = await ask_all(switch, meter)
        assert switch.on
        assert any(each.startswith("Basic ") for each in switch.logins)
        assert meter.requests
        assert set(meter.logins) == {""}
        if asks:
            assert "the login goes only to the hosts of `on_url` and `off_url`" in wrong[0]


async def test_a_status_at_another_host_gets_no_login() -> None:
    async with (
        Simulator("gen1", password="pass-word", username="owner") as switch,
        Simulator("gen1", password="pass-word", username="owner") as other,
    ):
        elsewhere = {"status_url": other.settings()["status_url"]}
        wrong = await ask_all(switch, other, **elsewhere)
        assert any(each.startswith("Basic ") for each in switch.logins)
        assert set(other.logins) == {""}
        assert wrong


async def test_a_login_goes_to_nobody_who_does_not_ask() -> None:
    async with Simulator("gen1") as switch, Simulator("tasmota") as meter:
        wrong = await ask_all(switch, meter)
        assert switch.on
        assert not wrong
        assert set(switch.logins) == set(meter.logins) == {""}


async def test_the_same_host_written_otherwise_gets_the_login() -> None:
    async with Simulator("gen1", password="pass-word", username="owner") as switch:
        shouted = {
            name: switch.settings()[name].replace("http://127.0.0.1", "http://LOCALHOST")
            for name in ("on_url", "off_url")
        }
        told = {"status_url": switch.settings()["status_url"].replace("127.0.0.1", "localhost")}
        told["power_url"] = told["status_url"] + "?power"
        wrong = await ask_all(switch, switch, **shouted, **told)
        assert switch.on
        assert not wrong


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://Relay/x?a=1", ("http", "relay", 80)),
        ("http://relay:80", ("http", "relay", 80)),
        ("https://relay", ("https", "relay", 443)),
        ("http://relay:8080/", ("http", "relay", 8080)),
        ("http://[::1]:81/", ("http", "::1", 81)),
    ],
)
def test_what_makes_a_host(url: str, place: tuple[str, str, int]) -> None:
    assert origin_of(url) == place
