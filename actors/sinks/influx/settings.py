"""What an owner can set for the sink."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, field

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.config.secret import Secret
from bridge.sinks.settings import SinkSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\Z"
)
Word = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f\\]+\Z",
        max_length=128,
        extra={"words": "a text without backslashes and control characters"},
    ),
]


class Settings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every sink; the server, what to write into, and who we are.

    url: base of the server; org, bucket and token: InfluxDB 2 and later; database, retention,
    username and password: InfluxDB 1, and VictoriaMetrics, which needs none of them. tags: added
    to every line; precision: of the stamps; words: words as text fields too; gzip: bodies are
    compressed; ca: a PEM file with the authority to trust.
    """

    url: Annotated[str, Meta(max_length=512)]
    org: Word | None = None
    bucket: Word | None = None
    token: Secret | None = None
    database: Word | None = None
    retention: Word | None = None
    username: Annotated[str, Meta(pattern=r"^[^:\x00-\x1f]+\Z", max_length=128)] | None = None
    password: Secret | None = None
    tags: dict[Word, Word] = field(default_factory=dict)
    precision: Literal["ms", "s"] = "ms"
    words: bool = True
    gzip: bool = True
    ca: Path | None = None

    @property
    def place(self) -> str:
        """Host and port, for sentences."""
        return urlsplit(self.url).netloc

    @property
    def where(self) -> str | None:
        """What is written into, for sentences."""
        if self.bucket is not None:
            return f"the bucket {self.bucket} of {self.org}"
        return None if self.database is None else f"the database {self.database}"

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        # Here and not by a pattern: that would show the whole address, with a password in it.
        if not _ADDRESS.match(self.url):
            example = "such as http://influx:8086"
            yield "url", f"'url' must be an address {example}, without a login and a query"
        yield from self._check_target()
        yield from self._check_login()
        if self.ca is not None and not self.url.startswith("https://"):
            yield "ca", "'ca' needs a 'url' that begins with https://"
        elif self.ca is not None and not self.ca.is_file():
            yield "ca", "'ca' names a file that does not exist"
        elif self.ca is not None and not _certificate(self.ca):
            yield "ca", "'ca' names a file without a certificate in it"

    def _check_target(self) -> Iterator[tuple[str, str]]:
        if self.bucket is not None and self.database is not None:
            yield "database", "'database' is of InfluxDB 1 and 'bucket' of 2: give one of them"
        if self.bucket is not None and self.org is None:
            yield "bucket", "'bucket' needs the 'org' that it belongs to"
        if self.org is not None and self.bucket is None:
            yield "org", "'org' needs a 'bucket' beside it"
        if self.retention is not None and self.database is None:
            yield "retention", "'retention' needs a 'database' beside it"

    def _check_login(self) -> Iterator[tuple[str, str]]:
        if self.token is not None and self.username is not None:
            yield "token", "give either 'token' or 'username' and 'password'"
        if self.password is not None and self.username is None:
            yield "password", "'password' needs a 'username' beside it"
        for secret, name in ((self.token, "token"), (self.password, "password")):
            if secret is not None and not secret.reveal().isprintable():
                yield name, f"'{name}' must be one line of printable characters"


def _certificate(path: Path) -> bool:
    """True when the file can be read and has at least one certificate that can be trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError):  # what OpenSSL says is an OSError too
        return False
    return bool(context.cert_store_stats()["x509"])
