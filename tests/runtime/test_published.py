"""What an actor has left on a real broker goes when it leaves the configuration, and only then."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest

from bridge import supervisor as module
from bridge.actor import Actor
from bridge.config import Config, changes
from bridge.config.model import ActorConfig
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.published import departed
from bridge.supervisor import Supervisor
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto


class Talker(Actor):
    """Leaves something in each corner of the tree that an actor may write."""

    kind = "talker"
    writes: ClassVar[tuple[str, ...]] = (
        "Devices/{device}/Status",
        "Devices/{device}/Info",
        "Devices/{device}/{Quantity}",
        "Requests/{consumer}",
        "Requests/{consumer}/Energy",
        "Tariffs/{tariff}/{Value}",
        "Forecasts/{forecast}/{Value}",
        "Venus/{venus}/Services",
    )

    async def run(self) -> None:
        mine, put = self.id, self.publish
        await self.bus.connection.connected.wait()
        await put("Devices/{device}/Status", "online", device=mine)
        await put("Devices/{device}/Status", "online", device=f"{mine}-2")
        await put("Devices/{device}/{Quantity}", 5.0, device=mine, Quantity="Power")
        if self.restarts == 0:
            await put(
                "Devices/{device}/Info",
                {"manufacturer": "old", "model": None, "serial": None, "firmware": None},
                device=f"{mine}-3",
            )
        await put("Requests/{consumer}", {"Request": 5}, consumer=f"{mine}-asks")
        await put("Requests/{consumer}/Energy", 1.5, consumer=f"{mine}-asks")
        await put("Tariffs/{tariff}/{Value}", 0.3, tariff=mine, Value="ImportPrice")
        await put("Forecasts/{forecast}/{Value}", 7.0, forecast=mine, Value="PvPower")
        plan: dict[str, Any] = {"drop": 30.0, "services": []}
        await put("Venus/{venus}/Services", plan, venus=mine)
        self.bus.leaves("Venus/{venus}/Shown", venus=mine)
        if self.restarts == 0 and mine == "gone":
            raise RuntimeError("a first life that crashes")
        await self.message("Warning", "all is said")
        await anyio.sleep_forever()


class _Kind:
    def load(self) -> type[Actor]:
        return Talker


def config_of(state: Path, *actors: str, base: str = "heliograph") -> Config:
    return Config(
        base=base,
        state=state,
        discovery=DiscoverySettings(enabled=False),
        actors={name: ActorConfig(name, "talker", None) for name in actors},
    )


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_kind", lambda _: _Kind())


@contextlib.asynccontextmanager
async def bridge(mosquitto: Mosquitto, config: Config) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(config, endpoint(mosquitto.port), load_contract())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        with anyio.fail_after(20):
            await supervisor.started.wait()
        yield supervisor
        supervisor.stop()


async def kept(mosquitto: Mosquitto) -> set[str]:
    """The topics below the base that somebody who comes now is given."""
    mark = "heliograph/mark"
    async with link(endpoint(mosquitto.port), "late", filters=("heliograph/#",)) as late:
        late.connection.send(mark, b"1", qos=1)
        await late.until(lambda: late.payloads(mark))
        return {each.topic for each in late.got if each.retained and each.payload}


def about(topics: set[str], name: str) -> set[str]:
    return {topic for topic in topics if name in topic}


async def said(them: Link, name: str, times: int = 1) -> None:
    topic = f"heliograph/Actors/{name}/Messages/Warning"
    await them.until(lambda: sum(bool(each) for each in them.payloads(topic)) >= times, 20)


@contextlib.asynccontextmanager
async def eyes(mosquitto: Mosquitto) -> AsyncIterator[Link]:
    async with link(endpoint(mosquitto.port), "eyes", filters=("heliograph/#",)) as them:
        them.connection.send("heliograph/Devices/other/Power", b"1", qos=1, retain=True)
        yield them


async def test_it_goes_on_a_reload_that_removes_its_actor(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    before, after = config_of(tmp_path, "gone", "stays"), config_of(tmp_path, "stays")
    async with eyes(mosquitto) as them, bridge(mosquitto, before) as supervisor:
        await said(them, "gone")
        await said(them, "stays")
        stood = await kept(mosquitto)
        assert len(about(stood, "gone")) >= 11
        await supervisor.reload(after, changes(before, after))
        left = await kept(mosquitto)
        assert about(left, "gone") == set()
        assert about(left, "stays") == about(stood, "stays")
        assert "heliograph/Devices/other/Power" in left
        # Who hears requests is told that it asks no more, although requests are not retained.
        assert them.payloads("heliograph/Requests/gone-asks")[-1] == b""
        assert them.payloads("heliograph/Actors/gone/Status")[-2:] == [b"offline", b""]
        # It may come back.
        await supervisor.reload(before, changes(after, before))
        await said(them, "gone", 2)
        assert "heliograph/Devices/gone/Power" in await kept(mosquitto)


async def test_a_plain_stop_leaves_it_and_a_start_without_the_actor_does_not(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with eyes(mosquitto) as them:
        async with bridge(mosquitto, config_of(tmp_path, "gone", "stays")):
            await said(them, "gone")
            await said(them, "stays")
        stood = await kept(mosquitto)
        assert len(about(stood, "gone")) >= 11
        async with bridge(mosquitto, config_of(tmp_path, "stays")):
            left = await kept(mosquitto)
            assert about(left, "gone") == set()
            assert len(about(left, "stays")) >= len(about(stood, "stays")) - 2
            assert list(departed(tmp_path, "heliograph", {"stays"})) == []


async def test_what_somebody_else_publishes_now_is_left_alone(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    shared, other = "heliograph/Devices/other/Power", "other/Devices/gone/Power"
    for name, base, topics in (
        ("stays", "heliograph", [shared]),
        ("gone", "heliograph", [shared, "heliograph/Devices/gone/Power", other, 7]),
        ("elsewhere", "other", [other]),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "published.json").write_text(
            json.dumps({"base": base, "topics": topics})
        )
    for name, text in (("bad", "[1]"), ("worse", "{"), ("odd", '{"base": 1, "topics": {}}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "published.json").write_text(text)
    ((name, path, left),) = departed(tmp_path, "heliograph", {"stays"})
    assert (name, path.name) == ("gone", "published.json")
    assert left.topics == {"heliograph/Devices/gone/Power"}
    async with eyes(mosquitto), bridge(mosquitto, config_of(tmp_path, "stays")):
        assert "heliograph/Devices/other/Power" in await kept(mosquitto)
        assert not path.exists()
        assert (tmp_path / "elsewhere" / "published.json").exists()


async def test_the_list_is_written_when_it_grows_alone(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with eyes(mosquitto) as them:
        async with bridge(mosquitto, config_of(tmp_path, "stays")):
            await said(them, "stays")
        path = tmp_path / "stays" / "published.json"
        first = path.stat().st_ino
        async with bridge(mosquitto, config_of(tmp_path, "stays")) as supervisor:
            await said(them, "stays", 2)
            supervisor.stop()
        assert path.stat().st_ino == first
        assert "heliograph/Devices/stays/Power" in json.loads(path.read_bytes())["topics"]
