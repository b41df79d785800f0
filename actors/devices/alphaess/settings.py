"""What an owner can set for an AlphaESS account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud.address import check_url
from bridge.config.secret import Secret
from bridge.config.types import Interval, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "https://openapi.alphaess.com/api"
GAP: Final = 10.0
_SHOWN: Final = 4
_WORDS: Final = {"words": "letters, digits, '_' and '-'"}
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+\Z", min_length=1, max_length=64, extra=_WORDS)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account and its pace.

    app_id, app_secret: from open.alphaess.com; serial: one system of the account (None: all);
    url: base of the service; interval: s between two readings of the powers; timeout: s for one
    answer; gap: s between two calls of the account, whoever makes them.
    """

    app_id: Word
    app_secret: Secret
    serial: Word | None = None
    url: Annotated[str, Meta(max_length=512)] = URL
    interval: Interval = 30.0
    timeout: Timeout = 20.0
    gap: Annotated[float, Meta(ge=0, le=600)] = GAP

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        if (sentence := check_url(self.url)) is not None:
            yield "url", sentence
        if not self.app_secret:
            yield "app_secret", "'app_secret' is empty: it stands at open.alphaess.com"
        if self.real and self.gap < GAP:
            yield "gap", f"'gap' must be at least {GAP:g} s: the service allows no less"
        if self.interval < self.gap:
            yield "interval", f"'interval' must not be shorter than 'gap' ({self.gap:g} s)"

    @property
    def real(self) -> bool:
        """True unless a simulator is asked."""
        return "alphaess" in self.url.lower()

    def identity(self) -> str:
        """What two actors must not both name."""
        which = "all systems" if self.serial is None else f"the system {self.serial}"
        return f"{which} of the AlphaESS account …{self.app_id[-_SHOWN:]}"
