"""Talks HTTP with the device. Every failure is a DeviceError with one plain sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from bridge.errors import DeviceGarbled, DeviceRefused, DeviceTimeout

if TYPE_CHECKING:
    import aiohttp

_MOST_BYTES = 64 * 1024
_OK = 200
_LOGIN = (401, 403)


class Client:
    """One device at `host`:`port`. timeout: seconds for one whole answer."""

    def __init__(self, host: str, port: int, *, password: str | None, timeout: float) -> None:
        self.name = f"the device at {host}:{port}"
        self._host, self._port, self._timeout = host, port, timeout
        self._headers = {"X-Password": password} if password else {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connection; the next request opens one again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, path: str) -> Any:
        """Give the JSON under `path`."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send JSON to `path` and give the JSON that is answered."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        import aiohttp  # heavy: only a house that has such a device pays for it

        try:
            with anyio.fail_after(self._timeout):
                status, raw = await self._exchange(method, path, body)
        except TimeoutError:
            await self.close()  # a connection that was cut short must not carry the next request
            sentence = f"{self.name} did not answer within {self._timeout:g} s"
            raise DeviceTimeout(sentence) from None
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError):
            raise DeviceGarbled(f"{self.name} answers with something that is not HTTP") from None
        except (aiohttp.ClientError, OSError):
            raise DeviceTimeout(f"{self.name} cannot be reached") from None
        if status in _LOGIN:
            raise DeviceRefused(f"{self.name} refuses the login: check `password`")
        if status != _OK:
            raise DeviceRefused(f"{self.name} refuses with HTTP {status}")
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise DeviceGarbled(f"{self.name} answers with data that cannot be read") from None

    async def _exchange(
        self, method: str, path: str, body: dict[str, Any] | None
    ) -> tuple[int, bytes]:
        url = f"http://{self._host}:{self._port}{path}"
        async with self._open().request(method, url, json=body, allow_redirects=False) as answer:
            raw = bytearray()
            async for piece in answer.content.iter_any():
                raw += piece
                if len(raw) > _MOST_BYTES:
                    raise DeviceGarbled(f"{self.name} answers with more than such a device would")
            return answer.status, bytes(raw)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers=self._headers,
                trust_env=False,
            )
        return self._session
