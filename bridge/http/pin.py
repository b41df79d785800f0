"""The certificate of a device that signs its own: kept on first use, the only one taken after that.

Whoever sits between us and the device at the very first contact is not noticed; whoever comes later
is. A pin is the SHA-256 of the whole certificate. Nothing is ever sent to a device before its
certificate was compared, and one that changed is refused with a sentence that says what to do.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from typing import TYPE_CHECKING, Annotated, Final

import anyio
from msgspec import Meta

from bridge.clock import stamp
from bridge.errors import DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.http.client import unreachable

if TYPE_CHECKING:
    import aiohttp

    from bridge.clock import Clock
    from bridge.state import StateFolder

FILE: Final = "certificate"
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")

Fingerprint = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}\Z",
        extra={"words": "the SHA-256 of a certificate: 64 hexadecimal digits, ':' between is fine"},
    ),
]
"""A setting: the certificate that the owner has looked at himself."""


async def shown(host: str, port: int, *, name: str, timeout: float) -> bytes:
    """The SHA-256 of the certificate that is shown at `host`:`port`; nothing is sent there.

    Raises DeviceTimeout when nobody answers and DeviceGarbled when it is no TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is only looked at: see the module's text
    try:
        with anyio.fail_after(timeout):
            _, writer = await asyncio.open_connection(host.strip("[]"), port, ssl=context)
    except TimeoutError:
        raise DeviceTimeout(f"{name} did not answer within {timeout:g} s") from None
    except ssl.SSLError:
        raise DeviceGarbled(f"{name} does not speak TLS") from None
    except OSError as error:
        raise DeviceTimeout(f"{name} {unreachable(error)}") from None
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    if not found:
        raise DeviceGarbled(f"{name} shows no certificate")
    return hashlib.sha256(found).digest()


class Pin:
    """What certificate is expected of one device at `host`:`port`.

    given: the owner's own `fingerprint:`, which counts before anything that was kept; state: where
    the first one seen is kept (None: only while this object lives); place: how sentences call that.
    `new` is true when the certificate was taken on trust by this object, `kept` false when it could
    not be written down.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        name: str,
        clock: Clock,
        given: str | None = None,
        state: StateFolder | None = None,
        place: str = "",
        timeout: float = 5.0,
    ) -> None:
        self.name, self.new, self.kept = name, False, True
        self._host, self._port, self._timeout = host, port, timeout
        self._clock, self._state, self._place = clock, state, place
        self._digest = None if given is None else bytes.fromhex(given.replace(":", ""))
        self._given = given is not None

    @property
    def fingerprint(self) -> str | None:
        """The SHA-256 that is expected, as 64 digits; None before the first contact."""
        return None if self._digest is None else self._digest.hex()

    async def tls(self) -> aiohttp.Fingerprint:
        """For `HttpClient.tls`: every connection must show this certificate. Raises DeviceError."""
        import aiohttp

        if self._digest is None:
            self._digest = self._remembered() or await self._first()
        return aiohttp.Fingerprint(self._digest)

    def refusal(self, found: bytes) -> DeviceRefused:
        """What to say of another certificate with this SHA-256.

        What is kept is looked up again at the next `tls()`: its owner may have deleted it by then.
        """
        way = "set `fingerprint:` to that"
        if self._place and not self._given:
            way += f" or delete {self._place}"
            if self._state is not None and self.kept:
                self._digest = None
        return DeviceRefused(
            f"{self.name} shows another certificate than before, and nothing was sent to it; "
            f"if its owner knows why, {way} (SHA-256 {found.hex()})"
        )

    def _remembered(self) -> bytes | None:
        if self._state is None:
            return None
        found = {} if self._state.is_damaged(FILE) else self._state.load(FILE)
        if found is None:
            return None
        digest = found.get("sha256")
        if not isinstance(digest, str) or not _DIGEST.match(digest):
            # Whatever happened to it: a fingerprint that was there is not taken anew unasked.
            raise DeviceRefused(
                f"the certificate kept of {self.name} cannot be read: set `fingerprint:`, "
                f"or delete {self._place} to trust what it shows next"
            )
        return bytes.fromhex(digest)

    async def _first(self) -> bytes:
        digest = await shown(self._host, self._port, name=self.name, timeout=self._timeout)
        self.new = True
        if self._state is not None:
            content = {"sha256": digest.hex(), "since": stamp(self._clock.utc())}
            self.kept = self._state.save(FILE, content)
        return digest
