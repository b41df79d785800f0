"""The shared HTTP client against real sockets: what it sends, bounds, repeats and says."""

from __future__ import annotations

import contextlib
import gzip
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from aiohttp import web

from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http import HttpClient, HttpRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

SECRET = "s3cret-word"


@contextlib.asynccontextmanager
async def served(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """A server that gives each request to `answer`; its address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(
        application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def raw(data: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A socket that answers each request with these bytes and closes; what it was asked."""
    asked: list[bytes] = []

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                asked.append(await stream.receive())
                await stream.send(data)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{port}", asked
        tasks.cancel_scope.cancel()


def client(base: str, **options: Any) -> HttpClient:
    return HttpClient(base, **{"name": "the box", "timeout": 3.0, "retries": 0, **options})


# ------------------------------------------------------------------------------- bad answers


def head(*lines: bytes, status: bytes = b"200 OK", body: bytes = b"") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, *lines, b"", body))


BOMB = gzip.compress(bytes(50_000_000), 9)
NOT_HTTP = (DeviceGarbled, "the box answers with something that is not HTTP")


@pytest.mark.parametrize(
    ("data", "kind", "sentence"),
    [
        (b"\x00\x01 rubbish\r\n\r\n", *NOT_HTTP),
        (b"", DeviceTimeout, "the box closed the connection without an answer"),
        (head(b"Content-Length: -5"), *NOT_HTTP),
        (head(b"Content-Length: two"), *NOT_HTTP),
        (head(b"Transfer-Encoding: chunked", body=b"zz\r\nhello\r\n0\r\n\r\n"), *NOT_HTTP),
        (head(b"X: " + b"a" * 100_000), *NOT_HTTP),
        (head(b"X: a\x00b", b"Content-Length: 2", body=b"{}"), *NOT_HTTP),
        (
            head(b"Content-Length: 50", body=b"half"),
            DeviceGarbled,
            "the box broke off in the middle of its answer",
        ),
        (
            head(b"Content-Encoding: gzip", b"Content-Length: 5", body=b"hello"),
            DeviceGarbled,
            "the box broke off in the middle of its answer",
        ),
        (
            head(b"Content-Encoding: gzip", b"Content-Length: %d" % len(BOMB), body=BOMB),
            DeviceGarbled,
            "the box answers with more than 512 kB",
        ),
        (head(body=bytes(3_000_000)), DeviceGarbled, "the box answers with more than 512 kB"),
        (
            head(b"Content-Type: text/html", b"Content-Length: 2", body=b"no"),
            DeviceGarbled,
            "the box answers with a web page instead of data",
        ),
        (
            head(b"Content-Type: application/json", b"Content-Length: 9", body=b" <html/> "),
            DeviceGarbled,
            "the box answers with a web page instead of data",
        ),
        (
            head(b"Content-Length: 11", body=b'{"a": NaN}\n'),
            DeviceGarbled,
            "the box answers with data that cannot be read",
        ),
        (
            head(b"Content-Length: 0", status=b"429 Slow down"),
            HttpRefused,
            "the box was asked too often",
        ),
        (
            head(b"Content-Length: 0", status=b"500 Oh"),
            HttpRefused,
            "the box failed inside (HTTP 500)",
        ),
    ],
)
async def test_each_bad_answer_is_one_sentence(
    data: bytes, kind: type[DeviceError], sentence: str
) -> None:
    async with raw(data) as (base, _), client(base) as http:
        with pytest.raises(kind) as caught:
            await http.get(f"/x?password={SECRET}", query={"token": SECRET})
    assert str(caught.value) == sentence


async def test_json_counts_whatever_it_calls_itself() -> None:
    data = head(b"Content-Type: text/plain; charset=odd", b"Content-Length: 8", body=b'{"a": 1}')
    async with raw(data) as (base, _), client(base) as http:
        assert await http.get("/") == {"a": 1}


# ------------------------------------------------------------------------- requests and repeats


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("data", [b"", head(b"Content-Length: 0", status=b"503 Busy")])
async def test_a_write_goes_out_once(method: str, data: bytes) -> None:
    async with raw(data) as (base, asked), client(base, retries=3) as http:
        with pytest.raises(DeviceError):
            await http.ask(method, "/on", json={"on": True})
    assert len(asked) == 1


async def test_a_write_over_a_connection_that_has_ended_goes_out_once() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.method)
        if request.method == "PUT":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({})

    async with served(answer) as base, client(base, retries=3) as http:
        await http.get("/")
        with pytest.raises(DeviceTimeout):
            await http.put("/on", {})
    assert seen == ["GET", "PUT"]


async def test_a_read_is_repeated_and_a_refusal_is_not() -> None:
    answers = [503, 200, 404]

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({}, status=answers.pop(0))

    async with served(answer) as base, client(base, retries=2) as http:
        assert await http.get("/") == {}
        assert len(answers) == 1
        with pytest.raises(HttpRefused) as caught:
            await http.get("/")
    assert (caught.value.status, answers) == (404, [])


class Watch:
    """A clock that notes how long it is asked to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.mark.parametrize("wish", ["0", "-3", "nan", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_wish_for_no_pause_is_no_reason_to_hurry(wish: str) -> None:
    watch: Any = Watch()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": wish})

    async with served(answer) as base, client(base, retries=2, clock=watch) as http:
        with pytest.raises(HttpRefused):
            await http.get("/")
    assert len(watch.slept) == 2
    assert watch.slept[0] >= 0.2
    assert watch.slept[1] >= 0.4


async def test_a_redirection_is_not_followed() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with served(answer) as base, client(base, retries=2) as http:
        with pytest.raises(DeviceGarbled, match="redirects to another address"):
            await http.get("/here")
    assert seen == ["/here"]


async def test_a_connection_is_kept_and_no_cookie_is() -> None:
    peers: set[object] = set()

    async def answer(request: web.Request) -> web.Response:
        assert not request.cookies
        peers.add(request.transport)
        return web.json_response({}, headers={"Set-Cookie": "a=b; Path=/"})

    async with served(answer) as base, client(base) as http:
        for _ in range(5):
            await http.get("/")
        await http.post("/", {})
    assert len(peers) == 1


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({})

    async with served(answer) as base, client(base) as http:
        assert await http.get("/") == {}


# ------------------------------------------------------------------------------------- time-outs


async def test_a_request_that_hangs_spoils_no_other() -> None:
    """A reading that is given up takes nothing from the command that goes on beside it."""
    began = anyio.Event()
    peers: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        peers.append(request.transport)
        if request.path == "/hangs":
            await anyio.sleep_forever()
        if request.path == "/command":
            began.set()
            await anyio.sleep(0.4)
        return web.json_response({"path": request.path})

    async def hangs() -> None:
        with pytest.raises(DeviceTimeout, match=r"the box did not answer within 0\.2 s"):
            await http.get("/hangs")

    async with served(answer) as base, client(base, timeout=5.0) as http:
        async with anyio.create_task_group() as tasks:
            found: list[Any] = []

            async def command() -> None:
                found.append(await http.post("/command"))

            tasks.start_soon(command)
            await began.wait()
            http.timeout = 0.2
            tasks.start_soon(hangs)
        assert found == [{"path": "/command"}]
        http.timeout = 5.0
        # What was cut short carries nothing more; its late answer belongs to nobody.
        hung = peers[1]
        assert await http.get("/after") == {"path": "/after"}
        assert peers[2] is not hung


async def test_a_body_that_trickles_is_given_up_as_a_whole() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await anyio.sleep(0.02)

    async with served(answer) as base, client(base, timeout=0.2) as http:
        with anyio.fail_after(5):
            with pytest.raises(DeviceTimeout, match="did not answer within"):
                await http.get("/")


# ---------------------------------------------------------------------------------- the address


@pytest.mark.parametrize("base", ["http://" + "a" * 300, "http://[::1", "http://x..y"])
async def test_an_address_that_cannot_be_one(base: str) -> None:
    async with client(base) as http:
        with pytest.raises(DeviceGarbled, match="has an address that cannot be used"):
            await http.get("/")


async def test_whoever_does_not_speak_tls_is_told_so() -> None:
    async with (
        raw(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (base, asked),
        client(base.replace("http", "https"), headers={"X-Key": SECRET}) as http,
    ):
        with pytest.raises(DeviceGarbled, match="the box does not speak TLS"):
            await http.get("/")
    assert not any(SECRET.encode() in each for each in asked)


async def test_nobody_there_is_a_plain_sentence() -> None:
    async with raw(b"") as (base, _):
        pass
    async with client(base) as http:
        with pytest.raises(DeviceTimeout, match="refuses the connection: is it switched on"):
            await http.get("/")


def test_a_refusal_shows_nothing_of_what_was_sent() -> None:
    refused = HttpRefused("the box refuses the login", 401, None, SECRET.encode())
    assert isinstance(refused, DeviceRefused)
    assert SECRET not in f"{refused}{refused!r}"
