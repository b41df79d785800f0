"""What an owner can set for a switch behind URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.config.secret import Secret
from bridge.config.types import Interval, Timeout
from bridge.switching.finding import check_finding, check_off
from bridge.switching.settings import SwitchSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?\Z|[0-9A-Fa-f:.]+\Z")
_SHORTEST_TIMEOUT = 0.5
_INTERVALS = 3

Url = Annotated[
    str,
    Meta(
        pattern=r"^https?://[!-~]{1,1000}\Z",
        extra={"words": "an address that begins with http:// or https://, without blanks"},
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Body = Annotated[str, Meta(max_length=2000)]


class Settings(SwitchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`request` to `recheck` as every on/off consumer; how it is switched, read and measured.

    on_url, off_url: asked to switch it, by `method`, with on_body and off_body; status_url: tells
    whether it is on, where on_pattern is found or on_path is true; off_pattern: what must be found
    to be off (None: no on_pattern is off); power_url: tells the W, group 1 of power_pattern or
    power_path; username, password: Basic or Digest, where the host of on_url or off_url asks for
    it, and no other host; auto_off: s after which the device switches itself off again unless it
    is told again; interval: s between two readings; timeout: s for one answer.
    """

    on_url: Url
    off_url: Url
    status_url: Url
    on_pattern: Text | None = None
    on_path: Text | None = None
    off_pattern: Text | None = None
    power_url: Url | None = None
    power_pattern: Text | None = None
    power_path: Text | None = None
    method: Literal["GET", "POST", "PUT"] = "GET"
    on_body: Body | None = None
    off_body: Body | None = None
    username: Annotated[str, Meta(max_length=500)] | None = None
    password: Secret | None = None
    auto_off: Annotated[float, Meta(ge=15, le=86400)] | None = None
    interval: Interval = 5.0
    timeout: Timeout = 3.0

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        yield from self.check_switching()
        for name in ("on_url", "off_url", "status_url", "power_url"):
            url = getattr(self, name)
            why = None if url is None else wrong(url)
            if why is not None:
                yield name, f"`{name}` {why}"
        yield from check_finding(self, "status_url", stem="on")
        yield from check_finding(self, "power_url", stem="power", groups=1)
        yield from check_off(self)
        for name in ("on_body", "off_body"):
            if getattr(self, name) is not None and self.method == "GET":
                yield name, f"`{name}` needs `method: POST` or `method: PUT`"
        if (self.username is None) is not (self.password is None):
            name = "username" if self.username is not None else "password"
            yield name, "`username` and `password` belong together"

    @property
    def patience(self) -> float:
        """S for one answer: `timeout`, but never more than three intervals (0.5 s at least)."""
        return min(self.timeout, max(_SHORTEST_TIMEOUT, _INTERVALS * self.interval))


def wrong(url: str) -> str | None:
    """The rest of a sentence about what is wrong with a url, never with the url in it."""
    if "@" in urlsplit(url).netloc:
        return "holds a login: write `username` and `password` as keys of their own"
    if "#" in url:
        return "must not contain '#'"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "has a host or port that cannot be read"
    if not host or not _HOST.match(host) or port == 0:
        return "has a host or port that cannot be used"
    return None
