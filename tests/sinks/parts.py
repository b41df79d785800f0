"""Receivers over real sockets, and a reader of line protocol written from its description alone."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import anyio
from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable


@dataclass
class Got:
    """One request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    lines: list[str]


@dataclass
class Answer:
    status: int = 204
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class FakeInflux:
    """A server that takes writes; `judge` says what a request is answered, None stalls it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.host, self.port, self.tls = "127.0.0.1", 0, tls
        self.requests: list[Got] = []
        self.written: list[str] = []
        self.judge: Callable[[Got], Answer | None] = lambda _: Answer()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        application = web.Application(client_max_size=8 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self.host, self.port, reuse_address=True, ssl_context=self.tls
        )
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        # aiohttp takes the compression off where the header tells of it.
        raw = await request.read()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        got = Got(
            request.path, dict(request.query), dict(request.headers), raw.decode().split("\n")
        )
        assert got.lines.pop() == ""
        self.requests.append(got)
        answer = self.judge(got)
        if answer is None:
            await anyio.sleep_forever()
            raise AssertionError
        if answer.status < 300:
            self.written += got.lines
        return web.Response(status=answer.status, text=answer.body, headers=answer.headers)


class FakeGraphite:
    """A TCP listener that reads to the end and closes, as carbon does."""

    def __init__(self) -> None:
        self.host, self.port = "127.0.0.1", 0
        self.lines: list[str] = []
        self.habit = "close"  # or "keep": never closes; "cut": resets after the first bytes


@contextlib.asynccontextmanager
async def graphite(port: int = 0) -> AsyncIterator[FakeGraphite]:
    found = FakeGraphite()

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            data = b""
            with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while True:
                    data += await stream.receive()
                    if found.habit == "cut":
                        raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
            if found.habit == "keep":
                await anyio.sleep_forever()
            assert data.endswith(b"\n")
            found.lines += data.decode().split("\n")[:-1]

    listener = await anyio.create_tcp_listener(
        local_host="127.0.0.1", local_port=port, reuse_port=True
    )
    found.port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield found
        tasks.cancel_scope.cancel()


def split_unescaped(text: str, mark: str, *, quotes: bool = False) -> list[str]:
    """Split at each `mark` that has no backslash before it and, with `quotes`, is in no text."""
    parts, current, inside, index = [], "", False, 0
    while index < len(text):
        each = text[index]
        if each == "\\" and index + 1 < len(text):
            current += text[index : index + 2]
            index += 2
            continue
        if quotes and each == '"':
            inside = not inside
        if each == mark and not inside:
            parts.append(current)
            current = ""
        else:
            current += each
        index += 1
    return [*parts, current]


def cut(text: str, mark: str) -> tuple[str, str]:
    first, *others = split_unescaped(text, mark)
    return first, mark.join(others)


def unescape(text: str, marks: str) -> str:
    found, index = "", 0
    while index < len(text):
        if text[index] == "\\" and text[index + 1 : index + 2] and text[index + 1] in marks:
            index += 1
        found += text[index]
        index += 1
    return found


def read_line(line: str) -> dict[str, Any]:
    """One line as the description of the protocol says; raises on anything else."""
    head, rest = cut(line, " ")
    measurement, *tags = split_unescaped(head, ",")
    key, rest = cut(rest, "=")
    value, stamp = split_unescaped(rest, " ", quotes=True)
    return {
        "measurement": unescape(measurement, ", "),
        "tags": {
            unescape(name, ",= "): unescape(text, ",= ")
            for name, text in (split_unescaped(tag, "=") for tag in tags)
        },
        "field": unescape(key, ",= "),
        "value": read_value(value),
        "time": int(stamp),
    }


def read_value(text: str) -> float | bool | str:
    if text.startswith('"'):
        assert text.endswith('"')
        return unescape(text[1:-1], '"\\')
    if text in {"true", "false"}:
        return text == "true"
    return float(text)
