"""What an owner can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud import check_url
from bridge.config.secret import Secret
from bridge.config.types import Timeout
from bridge.tariff import TariffSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "https://api.amber.com.au/v1"
_RULES: Final = ("charges", "tax", "import_formula", "export", "export_formula")


class Settings(TariffSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every tariff, without rules of the owner's: Amber's prices are final.

    token: of the account; site: its id, where there are several active ones; channel: what the
    import price is of; forecast: `predicted` takes Amber's own prediction where it gives one,
    `price` the bare forecast; hours: how far ahead; url: base of the service; timeout: s for one
    answer.
    """

    token: Secret
    site: (
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,64}\Z", extra={"words": "letters and digits"})]
        | None
    ) = None
    channel: Literal["general", "controlled_load"] = "general"
    forecast: Literal["predicted", "price"] = "predicted"
    hours: Annotated[float, Meta(ge=1, le=168)] = 48.0
    url: Annotated[str, Meta(max_length=512)] = URL
    timeout: Timeout = 20.0

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        yield from super().check()
        sentence = check_url(self.url)
        if sentence is not None:
            yield "url", sentence
        if not self.token or not self.token.reveal().isprintable():
            yield "token", "'token' must be one line of printable characters"
        for name in _RULES:
            if getattr(self, name) not in (None, 0.0):
                yield name, f"leave out '{name}': Amber's prices hold all charges and taxes"
