"""A WebSocket of an HttpClient: text frames, and every failure a DeviceError with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout

if TYPE_CHECKING:
    import aiohttp

    from bridge.http.client import HttpClient

_GOODBYE = 0.5


class WebSocket:
    """One open WebSocket. One task receives at a time; closing it closes the client's session.

    `name` is who is on the other side, for sentences.
    """

    def __init__(self, client: HttpClient, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.name = client.name
        self._client, self._socket = client, socket

    @classmethod
    async def open(cls, client: HttpClient, path: str) -> WebSocket:
        """Connect, within the client's timeout. Raises DeviceError."""
        import aiohttp  # heavy: only a house that has such a device pays for it

        name, limit = client.name, client.timeout
        try:
            with anyio.fail_after(limit):
                socket = await client.session().ws_connect(
                    client.base + path, max_msg_size=client.most_bytes
                )
        except TimeoutError:
            await client.close()
            raise DeviceTimeout(f"{name} did not answer within {limit:g} s") from None
        except DeviceError:
            await client.close()
            raise
        except aiohttp.WSServerHandshakeError as error:
            await client.close()
            kind = error.headers.get("Content-Type", "") if error.headers else ""
            page = "a web page" if "html" in kind else f"HTTP {error.status}"
            sentence = f"{name} answers with {page} instead of a WebSocket: is the address right?"
            raise DeviceGarbled(sentence) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            await client.close()
            raise client.told(error) from None
        return cls(client, socket)

    @property
    def closed(self) -> bool:
        """True once either side has closed it."""
        return self._socket.closed

    async def receive(self) -> str:
        """Wait for one text frame, for ever. Raises DeviceTimeout when the connection is over."""
        from aiohttp import WSMsgType

        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                return str(message.data)
            if message.type is WSMsgType.ERROR:
                raise DeviceGarbled(f"{self.name} sends frames that cannot be read")
            if message.type is not WSMsgType.BINARY:
                raise DeviceTimeout(f"{self.name} closed the connection")

    async def send(self, text: str) -> None:
        """Send one text frame, within the client's timeout. Raises DeviceTimeout."""
        import aiohttp

        try:
            with anyio.fail_after(self._client.timeout):
                await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError, RuntimeError):
            raise DeviceTimeout(f"{self.name} closed the connection") from None

    async def close(self) -> None:
        """Say goodbye and close; whoever does not answer is left at once."""
        with anyio.move_on_after(_GOODBYE):
            await self._socket.close()
        await self._client.close()
