"""What an owner can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud import check_url
from bridge.config.secret import Secret
from bridge.config.types import Name, Timeout
from bridge.tariff import TariffSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "https://api.tibber.com/v1-beta/gql"


class Settings(TariffSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every tariff, and: token: of the account; home: its id or its nickname in the app, where
    the account has several; price: `total` (with Tibber's taxes and fees) or `energy` (without);
    url: the service's; timeout: s for one answer.
    """  # noqa: D205 - one sentence

    token: Secret
    home: Name | None = None
    price: Literal["total", "energy"] = "total"
    url: Annotated[str, Meta(max_length=512)] = URL
    timeout: Timeout = 20.0

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        yield from super().check()
        if (sentence := check_url(self.url)) is not None:
            yield "url", sentence
        token = self.token.reveal()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            yield "token", "'token' must be one word, as developer.tibber.com shows it"
