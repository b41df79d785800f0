"""What an owner can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from actors.tariffs.entsoe.zones import ZONES, code_of
from bridge.cloud import check_url
from bridge.config.secret import Secret
from bridge.config.types import Name, Timeout
from bridge.config.words import did_you_mean
from bridge.tariff import TariffSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "https://web-api.tp.entsoe.eu/api"


class Settings(TariffSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every tariff, and: token: the security token of the account; area (`zone`): a bidding zone
    by name or EIC code; url: the service's; timeout: s for one answer.
    """  # noqa: D205 - one sentence

    token: Secret
    # `zone()` is the time zone.
    area: Name = msgspec.field(name="zone")
    url: Annotated[str, Meta(max_length=512)] = URL
    timeout: Timeout = 30.0

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        yield from super().check()
        if (sentence := check_url(self.url)) is not None:
            yield "url", sentence
        token = self.token.reveal()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            yield "token", "'token' must be one word, as the transparency platform shows it"
        if code_of(self.area) is None:
            hint = did_you_mean(self.area.upper(), list(ZONES)) or f": there are {', '.join(ZONES)}"
            yield "zone", f"the bidding zone '{self.area}' is not known{hint}; or write an EIC code"
