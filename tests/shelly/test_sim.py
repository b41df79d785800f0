"""The simulator over plain HTTP: its three ways of RPC, its pages, its counters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from actors.devices.shelly.sim import MODELS, Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def url(sim: Simulator, path: str) -> str:
    return f"http://{sim.host}:{sim.port}{path}"


async def get(http: aiohttp.ClientSession, sim: Simulator, path: str) -> tuple[int, Any]:
    async with http.get(url(sim, path)) as answer:
        return answer.status, json.loads(await answer.text())


async def test_three_ways_of_rpc(http: aiohttp.ClientSession) -> None:
    async with Simulator(power=[1.0, 2.0, 3.5]) as sim:
        _, bare = await get(http, sim, "/rpc/EM.GetStatus?id=0")
        assert bare["total_act_power"] == 6.5
        async with http.post(url(sim, "/rpc/EM.GetStatus"), json={"id": 0}) as answer:
            assert await answer.json() == bare
        frame = {"id": 7, "src": "me", "method": "EM.GetStatus", "params": {"id": 0}}
        async with http.post(url(sim, "/rpc"), json=frame) as answer:
            expected = {"id": 7, "src": "shellypro3em-aabbccddee01", "dst": "me", "result": bare}
            assert await answer.json() == expected


async def test_errors_of_rpc(http: aiohttp.ClientSession) -> None:
    async with Simulator("plus1pm") as sim:
        status, body = await get(http, sim, "/rpc/EM.GetStatus?id=0")
        assert (status, body) == (404, {"code": 404, "message": "No handler for EM.GetStatus"})
        status, body = await get(http, sim, "/rpc/Switch.GetStatus?id=9")
        assert (status, body["code"]) == (500, -105)
        status, body = await get(http, sim, "/rpc/Switch.Set?id=0")
        assert (status, body["code"]) == (500, -103)
        async with http.post(url(sim, "/rpc"), data="{") as answer:
            assert answer.status == 400
        async with http.post(url(sim, "/rpc/Switch.Set"), data="[1]") as answer:
            assert (await answer.json())["code"] == -103


async def test_websocket_hears_changes_once_it_has_a_name(http: aiohttp.ClientSession) -> None:
    sim = Simulator(power=[10.0, 0.0, 0.0])
    async with sim, http.ws_connect(url(sim, "/rpc")) as socket:
        await socket.send_json({"id": 1, "src": "me", "method": "Shelly.GetStatus"})
        full = await socket.receive_json(timeout=5)
        assert full["result"]["em:0"]["a_act_power"] == 10.0
        sim.power = [20.0, 0.0, 0.0]
        pushed = await socket.receive_json(timeout=5)
        assert pushed["method"] == "NotifyStatus"
        assert pushed["dst"] == "me"
        assert pushed["params"]["em:0"]["a_act_power"] == 20.0
        assert "b_act_power" not in pushed["params"]["em:0"]
        assert "sys" not in pushed["params"]
        sim.advance(3600)
        pushed = await socket.receive_json(timeout=5)
        assert pushed["params"]["emdata:0"]["a_total_act_energy"] == 20.0


async def test_gen1_pages(http: aiohttp.ClientSession) -> None:
    async with Simulator("3em", power=[1.0, 2.0, 3.5]) as sim:
        _, status = await get(http, sim, "/status")
        assert status["total_power"] == 6.5
        _, emeter = await get(http, sim, "/emeter/1")
        assert emeter == status["emeters"][1]
        _, relay = await get(http, sim, "/relay/0?turn=toggle")
        assert relay["ison"] is False
        async with http.get(url(sim, "/rpc/EM.GetStatus")) as answer:
            assert answer.status == 404
        async with http.get(url(sim, "/emeter/3")) as answer:
            assert answer.status == 404


async def test_counters_take_both_directions() -> None:
    async with Simulator("pmmini_g3", power=[600.0]) as sim:
        sim.advance(3600)
        sim.power = [-400.0]
        sim.advance(1800)
        line = sim.device.status()["pm1:0"]  # type: ignore[union-attr]
    assert (line["aenergy"]["total"], line["ret_aenergy"]["total"]) == (800.0, 200.0)


async def test_a_callable_is_asked_at_each_request(http: aiohttp.ClientSession) -> None:
    numbers = iter(range(100, 200, 10))
    async with Simulator("3em", power=lambda: [float(next(numbers))]) as sim:
        powers = [(await get(http, sim, "/emeter/0"))[1]["power"] for _ in range(3)]
    assert powers == sorted(set(powers))


async def test_an_open_relay_carries_nothing(http: aiohttp.ClientSession) -> None:
    async with Simulator("plus1pm", power=[900.0]) as sim:
        sim.output[0] = False
        sim.advance(3600)
        _, status = await get(http, sim, "/rpc/Switch.GetStatus?id=0")
    assert (status["apower"], status["aenergy"]["total"]) == (0.0, 0.0)


@pytest.mark.parametrize("model", MODELS)
async def test_a_login_is_wanted_everywhere_but_for_the_introduction(
    http: aiohttp.ClientSession, model: str
) -> None:
    async with Simulator(model, password="p") as sim:
        _, about = await get(http, sim, "/shelly")
        assert about.get("auth", about.get("auth_en")) is True
        closed = ["/status", "/relay/0?turn=on", "/settings"]
        if MODELS[model].generation > 1:
            closed = ["/rpc/Shelly.GetStatus", "/rpc/Switch.Set?id=0&on=true"]
            _, info = await get(http, sim, "/rpc/Shelly.GetDeviceInfo")
            assert info == about
        for path in closed:
            async with http.get(url(sim, path)) as answer:
                assert answer.status == 401


def test_an_unknown_model() -> None:
    with pytest.raises(ValueError, match="pro3em"):
        Simulator("pro4em")
