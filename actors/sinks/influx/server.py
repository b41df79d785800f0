"""The HTTP side: where lines are written to, and what each answer means."""

from __future__ import annotations

import gzip
import ssl
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio.to_thread
import msgspec

from bridge.errors import DeviceError, one_line
from bridge.http import HttpClient, HttpRefused
from bridge.sinks import BadLines, Undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.sinks.influx.settings import Settings

_BAD: Final = frozenset({400, 413, 422})
_DENIED: Final = frozenset({401, 403})
_LONGEST = 160


class Server:
    """One server. `write` sends lines; `name` is what sentences call it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.name = f"the server at {settings.place}"
        self.path, self.query = target(settings)
        self._secrets = [each.reveal() for each in (settings.token, settings.password) if each]
        tls = None
        if settings.ca is not None:
            tls = ssl.create_default_context(cafile=settings.ca)
        headers = {"Content-Type": "text/plain; charset=utf-8", **login(settings)}
        if settings.gzip:
            headers["Content-Encoding"] = "gzip"
        self.client = HttpClient(
            settings.url,
            name=self.name,
            timeout=settings.timeout,
            retries=0,
            headers=headers,
            tls=tls,
        )

    async def write(self, lines: Sequence[bytes]) -> None:
        """Write lines. Raises BadLines or Undelivered."""
        body = b"\n".join(lines) + b"\n"
        if self._settings.gzip:
            # A full batch takes a small computer long enough for others to notice.
            body = await anyio.to_thread.run_sync(partial(gzip.compress, body, 5, mtime=0))
        try:
            await self.client.ask("POST", self.path, query=self.query, form=body)
        except HttpRefused as refused:
            raise self._meaning(refused) from None
        except DeviceError as error:
            raise Undelivered(str(error)) from None

    def _meaning(self, refused: HttpRefused) -> DeviceError:
        """What an answer that is none of success means for the batch."""
        status, said = refused.status, self._said(refused.body)
        because = f": {said}" if said else ""
        if status in _BAD:
            return BadLines(f"{self.name} refuses it (HTTP {status}){because}")
        if status in _DENIED:
            which = "`token`" if self._settings.token else "`username` and `password`"
            return Undelivered(
                f"{self.name} refuses to let us write (HTTP {status}): check {which}", mend=True
            )
        if status == 404:  # noqa: PLR2004 - HTTP not found
            where = self._settings.where
            what = f"{where}, or `url` is not its address" if where else "`url`"
            return Undelivered(f"{self.name} does not know {what}{because}", mend=True)
        if status in {429, 503}:
            return Undelivered(f"{self.name} is busy", retry_after=refused.retry_after)
        mend = status < 500  # noqa: PLR2004 - HTTP server error
        return Undelivered(f"{refused}{because}", retry_after=refused.retry_after, mend=mend)

    def _said(self, body: bytes) -> str:
        """The server's own words, without a secret of ours in them."""
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        if not isinstance(found, dict):
            return ""
        text = found.get("message") or found.get("error")
        if not isinstance(text, str):
            return ""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = one_line("".join(each if each.isprintable() else " " for each in text))
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


def target(settings: Settings) -> tuple[str, Mapping[str, str]]:
    """Path below `url` and query: of InfluxDB 2, InfluxDB 1, or a VictoriaMetrics without a name.

    Neither has a precision: stamps are in nanoseconds, which is everybody's default.
    """
    if settings.bucket is not None:
        return "/api/v2/write", {"org": settings.org or "", "bucket": settings.bucket}
    query = {}
    if settings.database is not None:
        query["db"] = settings.database
    if settings.retention is not None:
        query["rp"] = settings.retention
    return "/write", query


def login(settings: Settings) -> dict[str, str]:
    """The header that lets us in."""
    if settings.token is not None:
        scheme = "Token" if settings.bucket is not None else "Bearer"
        return {"Authorization": f"{scheme} {settings.token.reveal()}"}
    if settings.username is not None:
        from base64 import b64encode

        password = settings.password.reveal() if settings.password is not None else ""
        pair = b64encode(f"{settings.username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}
