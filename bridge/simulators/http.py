"""A simulator behind a web server on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bridge.simulators.living import Living

if TYPE_CHECKING:
    import ssl


class HttpSimulator(Living):
    """Serves `application` at `host` and `port`, which its subclass sets; port 0 takes a free one.

    A handler whose client hangs up is cancelled, so that a fault may keep silent for ever.
    """

    host: str
    port: int
    _runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        """What it answers; asked at each start."""
        raise NotImplementedError

    def tls(self) -> ssl.SSLContext | None:
        """The certificate of a device that speaks HTTPS."""
        return None

    async def start(self) -> None:
        """Listen; the port stays the same over stop and start. Raises OSError."""
        self._runner = web.AppRunner(
            self.application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self.host, self.port, reuse_address=True, ssl_context=self.tls()
        )
        try:
            await site.start()
        except OSError:
            await self.stop()
            raise
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close every connection and the port."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
