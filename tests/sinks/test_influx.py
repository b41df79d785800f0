"""The Influx sink on a real broker, against a server over real HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.sinks.influx.settings import Settings
from bridge.config.kinds import find_kind
from bridge.config.secret import Secret
from tests.actors.kinds import last, running
from tests.sinks.parts import Answer, FakeInflux, Got, read_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

KIND = find_kind("influx")
pytestmark = pytest.mark.usefixtures("quick")
TOKEN = "t0ken-that-is-secret"


def settings(url: str, **more: Any) -> Settings:
    return Settings(**{"url": url, "interval": 0.1, "timeout": 2.0, **more})


async def say(them: Link, **values: object) -> None:
    """Publish `Devices/meter/…` values; wait until the actor listens first."""
    await them.until(lambda: last(them, "Actors/dut/Status") == "online")
    await them.until(lambda: last(them, "Actors/dut/Messages/Operational"))
    for name, value in values.items():
        them.connection.send(f"heliograph/Devices/meter/{name}", str(value).encode())


def values(server: FakeInflux, field: str = "GridPower") -> list[Any]:
    """What the database has: the same point twice is one point."""
    found = [read_line(line) for line in dict.fromkeys(server.written)]
    return [each["value"] for each in found if each["field"] == field]


def health(them: Link) -> Any:
    return json.loads(last(them, "Actors/dut/Health") or "{}")


def spooled(folder: Path) -> list[Path]:
    return list((folder / "dut" / "spool").glob("*"))


# ------------------------------------------------------------------------------------- the request


@pytest.mark.parametrize(
    ("given", "path", "query", "authorization"),
    [
        (
            {"org": "home", "bucket": "energy", "token": Secret(TOKEN)},
            "/api/v2/write",
            {"org": "home", "bucket": "energy"},
            f"Token {TOKEN}",
        ),
        (
            {"database": "energy", "retention": "year", "username": "me", "password": Secret("pw")},
            "/write",
            {"db": "energy", "rp": "year"},
            "Basic bWU6cHc=",
        ),
        (
            {"database": "energy", "token": Secret(TOKEN)},
            "/write",
            {"db": "energy"},
            f"Bearer {TOKEN}",
        ),
        ({}, "/write", {}, None),
        ({"gzip": False}, "/write", {}, None),
    ],
)
async def test_each_server_is_asked_as_it_wants(
    tmp_path: Path,
    mosquitto: Mosquitto,
    given: dict[str, Any],
    path: str,
    query: dict[str, str],
    authorization: str | None,
) -> None:
    async with (
        FakeInflux() as server,
        running(KIND, settings(server.url, **given), tmp_path, mosquitto.port) as them,
    ):
        await say(them, GridPower=-1200.5, Status="online", Switch="on")
        await them.until(lambda: len(server.written) >= 3)
    request = server.requests[0]
    assert (request.path, request.query) == (path, query)
    assert request.headers.get("Authorization") == authorization
    assert request.headers.get("Content-Encoding") == (None if "gzip" in given else "gzip")
    assert values(server) == [-1200.5]
    assert values(server, "Status") == ["online"]
    assert values(server, "Switch") == [True]


async def test_a_path_in_the_url_stays(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        there = settings(f"{server.url}/insert/0/influx/")
        async with running(KIND, there, tmp_path, mosquitto.port) as them:
            await say(them, GridPower=1)
            await them.until(lambda: server.written)
    assert server.requests[0].path == "/insert/0/influx/write"


async def test_what_is_collected(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        FakeInflux() as server,
        running(KIND, settings(server.url), tmp_path, mosquitto.port) as them,
    ):
        await say(them, GridPower=1, NoSuchName=2, GridVoltageL1="rubbish", Info="{}")
        for address, payload in {
            "Site/Surplus": b"7",
            "Requests/pool/Allowance": b"100",
            "Requests/pool/Reason": b"all of it",
            "Tariffs/a/ImportPrice": b"0.25",
            "Forecasts/f/PvPower": b"900",
            "Forecasts/f/Curve": b"[]",
            "Bridge/Status": b"online",
            "Devices/meter/GridFrequency": b"",
            "Devices/meter/Switch/Set": b"on",
        }.items():
            them.connection.send(f"heliograph/{address}", payload)
        them.connection.send("heliograph/Devices/meter/GridPower", b"2")
        await them.until(lambda: values(server) == [1, 2])
    found = {
        (each["measurement"], each["field"]): each["tags"]
        for each in map(read_line, server.written)
    }
    base = {"base": "heliograph"}
    assert found == {
        ("Devices", "GridPower"): {**base, "device": "meter"},
        ("Site", "Surplus"): base,
        ("Requests", "Allowance"): {**base, "consumer": "pool"},
        ("Tariffs", "ImportPrice"): {**base, "tariff": "a"},
        ("Forecasts", "PvPower"): {**base, "forecast": "f"},
    }


async def test_what_the_broker_had_kept_is_left_out(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        for payload in (b"11", b"12"):
            async with running(KIND, settings(server.url), tmp_path, mosquitto.port) as them:
                await say(them)
                topic = "heliograph/Devices/meter/GridPower"
                them.connection.send(topic, payload, retain=True, qos=1)
                await them.until(lambda wanted=payload: wanted in map(_bytes, values(server)))  # type: ignore[misc]
    assert values(server) == [11, 12]


def _bytes(value: float) -> bytes:
    return b"%d" % int(value)


async def test_topics_that_overlap_count_once(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        chosen = settings(
            server.url, topics=("Devices/#", "Devices/meter/+", "Devices/+/GridPower")
        )
        async with running(KIND, chosen, tmp_path, mosquitto.port) as them:
            await say(them, GridPower=1)
            them.connection.send("heliograph/Site/Surplus", b"7")
            await say(them, GridPower=2)
            await them.until(lambda: values(server)[-1:] == [2])
    assert values(server) == [1, 2]
    assert values(server, "Surplus") == []


# ---------------------------------------------------------------------------------- a server away


async def test_what_waits_is_told_and_delivered_in_order(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with FakeInflux() as server:
        await server.stop()
        async with running(KIND, settings(server.url), tmp_path, mosquitto.port) as them:
            for number in range(30):
                await say(them, GridPower=number)
            await them.until(lambda: health(them).get("error"), 6)
            assert "refuses the connection" in health(them)["error"]
            await them.until(lambda: "30 values wait" in (health(them)["error"] or ""), 8)
            since = health(them)["since"]
            assert health(them)["state"] == "degraded"
            assert spooled(tmp_path)
            await server.start()
            await them.until(lambda: len(values(server)) >= 30, 10)
            await them.until(lambda: health(them)["state"] == "ok")
            assert since <= health(them)["since"]
            await them.until(lambda: not spooled(tmp_path))
    assert values(server) == list(range(30))
    stamps = [read_line(line)["time"] for line in server.written]
    assert stamps == sorted(stamps)


async def test_a_stop_while_it_is_away_keeps_what_waits(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with FakeInflux() as server:
        await server.stop()
        async with running(KIND, settings(server.url), tmp_path, mosquitto.port) as them:
            await say(them, GridPower=5)
            await them.until(lambda: spooled(tmp_path))
        assert spooled(tmp_path)
        await server.start()
        async with running(KIND, settings(server.url), tmp_path, mosquitto.port) as them:
            await them.until(lambda: values(server) == [5])
            await them.until(lambda: not spooled(tmp_path))


async def test_a_stop_delivers_what_was_collected(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        slow = settings(server.url, interval=600)
        async with running(KIND, slow, tmp_path, mosquitto.port) as them:
            await say(them, GridPower=5)
            await them.until(lambda: last(them, "Devices/meter/GridPower"))
            await them.until(lambda: spooled(tmp_path))
            assert server.requests == []
    assert values(server) == [5]
    assert not spooled(tmp_path)


async def test_a_full_batch_does_not_wait(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        slow = settings(server.url, interval=600, batch=20)
        async with running(KIND, slow, tmp_path, mosquitto.port) as them:
            for number in range(50):
                await say(them, GridPower=number)
            await them.until(lambda: len(server.written) >= 40)
            assert {len(each.lines) for each in server.requests} == {20}
    assert values(server) == list(range(50))


async def test_a_spool_of_0_keeps_nothing_on_disk(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        await server.stop()
        async with running(KIND, settings(server.url, spool=0), tmp_path, mosquitto.port) as them:
            await say(them, GridPower=5)
            await them.until(lambda: "1 value waits" in (health(them).get("error") or ""), 6)
            await server.start()
            await them.until(lambda: values(server) == [5], 8)
    assert not (tmp_path / "dut" / "spool").exists()


async def test_a_server_that_says_nothing_is_not_waited_for(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with FakeInflux() as server:
        server.judge = lambda _: None
        quick = settings(server.url, timeout=0.2)
        async with running(KIND, quick, tmp_path, mosquitto.port) as them:
            await say(them, GridPower=5)
            await them.until(lambda: "0.2 s" in (health(them).get("error") or ""), 6)
            server.judge = lambda _: Answer()
            await them.until(lambda: values(server) == [5], 8)


# --------------------------------------------------------------------------------- what it answers


@pytest.mark.slow
async def test_busy_is_waited_for_as_long_as_it_wishes(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with FakeInflux() as server:
        answers = [
            Answer(503, headers={"Retry-After": "0.6"}),
            Answer(429, headers={"Retry-After": "0.4"}),
        ]
        moments: list[float] = []

        def judge(_: Got) -> Answer:
            import anyio

            moments.append(anyio.current_time())
            return answers.pop(0) if answers else Answer()

        server.judge = judge
        async with running(KIND, settings(server.url), tmp_path, mosquitto.port) as them:
            await say(them, GridPower=5)
            await them.until(lambda: values(server) == [5], 8)
    assert moments[1] - moments[0] >= 0.6
    assert moments[2] - moments[1] >= 0.4


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "refuses to let us write (HTTP 401): check `token`"),
        (403, "refuses to let us write (HTTP 403): check `token`"),
        (404, "does not know the bucket energy of home, or `url` is not its address"),
    ],
)
async def test_what_only_the_owner_can_mend_is_told_plainly(
    tmp_path: Path, mosquitto: Mosquitto, status: int, words: str
) -> None:
    async with FakeInflux() as server:
        said = {"code": "x", "message": f"no such\nthing for {TOKEN}"}
        server.judge = lambda _: Answer(status, json.dumps(said))
        given = settings(server.url, org="home", bucket="energy", token=Secret(TOKEN))
        async with running(KIND, given, tmp_path, mosquitto.port) as them:
            await say(them, GridPower=5)
            await them.until(lambda: words in (health(them).get("error") or ""))
            await them.until(lambda: words in (last(them, "Actors/dut/Messages/Error") or ""))
            assert "1 value waits" in health(them)["error"]
        assert spooled(tmp_path)
        assert not any(TOKEN.encode() in message.payload for message in them.got)


async def test_a_bad_line_is_found_named_and_dropped_alone(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    def judge(got: Got) -> Answer:
        if any("GridVoltageL2" in line for line in got.lines):
            return Answer(422, json.dumps({"message": "field type conflict"}))
        return Answer()

    async with FakeInflux() as server:
        server.judge = judge
        slow = settings(server.url, interval=0.5)
        async with running(KIND, slow, tmp_path, mosquitto.port) as them:
            await say(them, GridPower=1, GridVoltageL1=230, GridVoltageL2=231, GridVoltageL3=232)
            await them.until(lambda: last(them, "Actors/dut/Messages/Warning"))
            warning = last(them, "Actors/dut/Messages/Warning") or ""
            assert "Devices,base=heliograph,device=meter GridVoltageL2 was dropped" in warning
            assert "field type conflict" in warning
            await them.until(lambda: not spooled(tmp_path))
            assert health(them)["state"] == "ok"
    fields = {read_line(line)["field"] for line in server.written}
    assert fields == {"GridPower", "GridVoltageL1", "GridVoltageL3"}


async def test_a_batch_that_is_too_large_is_halved(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        server.judge = lambda got: Answer(413) if len(got.lines) > 3 else Answer()
        slow = settings(server.url, interval=0.5)
        async with running(KIND, slow, tmp_path, mosquitto.port) as them:
            for number in range(20):
                await say(them, GridPower=number)
            await them.until(lambda: len(values(server)) >= 20)
    assert sorted(values(server)) == list(range(20))


async def test_while_nothing_is_taken_nothing_is_dropped(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with FakeInflux() as server:
        server.judge = lambda _: Answer(400, json.dumps({"error": "unable to parse"}))
        async with running(KIND, settings(server.url), tmp_path, mosquitto.port) as them:
            for number in range(10):
                await say(them, GridPower=number)
            await them.until(lambda: "(HTTP 400)" in (health(them).get("error") or ""))
            await say(them, GridPower=99)
            await them.until(lambda: len(spooled(tmp_path)) >= 2)
            # Now it takes all but one: what waited is sifted, and only that one is lost.
            server.judge = lambda got: (
                Answer(400) if any("=7 " in line for line in got.lines) else Answer()
            )
            await say(them, GridPower=100)
            await them.until(lambda: len(values(server)) >= 11, 15)
            await them.until(lambda: not spooled(tmp_path))
    assert sorted(values(server)) == [*(n for n in range(10) if n != 7), 99, 100]


async def test_a_redirection_is_not_followed(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with FakeInflux() as server:
        server.judge = lambda _: Answer(302, headers={"Location": "http://192.0.2.1/"})
        given = settings(server.url, database="x", token=Secret(TOKEN))
        async with running(KIND, given, tmp_path, mosquitto.port) as them:
            await say(them, GridPower=5)
            await them.until(lambda: "redirects" in (health(them).get("error") or ""), 6)
    assert {each.path for each in server.requests} == {"/write"}
