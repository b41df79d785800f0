"""What an owner can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud import check_url
from bridge.config.secret import Secret
from bridge.config.types import Timeout
from bridge.forecast import ForecastSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "https://api.solcast.com.au"
SiteId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9-]{1,64}\Z",
        extra={"words": "the resource id of a site, such as abcd-0123-4567-89ef"},
    ),
]


class Settings(ForecastSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every forecast.

    token: the key of the account; site: the resource id, or a list of them that are added up;
    calls_per_day: what the account allows, shared by its sites; hours: how far ahead; url: base of
    the service; timeout: s.
    """

    token: Secret
    site: Annotated[tuple[SiteId, ...], Meta(min_length=1, max_length=8, extra={"single": True})]
    calls_per_day: Annotated[int, Meta(ge=1, le=10_000)] = 10
    hours: Annotated[int, Meta(ge=24, le=168)] = 72
    url: Annotated[str, Meta(max_length=512)] = URL
    timeout: Timeout = 20.0

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        yield from super().check()
        if sentence := check_url(self.url):
            yield "url", sentence
        if not self.token or not self.token.reveal().isprintable():
            yield "token", "'token' must be one line of printable characters"
        if len(set(self.site)) < len(self.site):
            yield "site", "'site' names a site twice, which would count it twice"
        if self.calls_per_day < len(self.site):
            sentence = f"'calls_per_day' must be at least {len(self.site)}: each site takes a call"
            yield "calls_per_day", sentence
