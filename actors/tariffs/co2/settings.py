"""What an owner can set: which source, and for which place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud import check_url
from bridge.cloud.described import load_template
from bridge.config.secret import Secret
from bridge.config.types import Timeout
from bridge.curve.template import OPTION_WORDS, VALUE, Template
from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES: Final = Path(__file__).with_name("templates")
PLACES: Final = ("postcode", "region", "zone")
Word = Annotated[str, Meta(pattern=f"^{VALUE.pattern}", extra={"words": OPTION_WORDS})]
Url = Annotated[str, Meta(max_length=512)]


class Co2Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """source: who is asked; zone, or for `uk` postcode (its first half) or region (1 to 17): the
    place; token and forecast: of Electricity Maps, the latter for paying customers; url: another
    base; timeout: s for one answer.
    """  # noqa: D205 - one sentence

    source: Literal["energy_charts", "electricity_maps", "uk", "energinet"]
    zone: Word | None = None
    postcode: Word | None = None
    region: Word | None = None
    token: Secret | None = None
    forecast: bool = False
    url: Url | None = None
    timeout: Timeout = 20.0

    def chosen(self) -> Template:
        """The template of the source. Raises HeliographError."""
        return load_template(TEMPLATES, self.source)

    def options(self) -> dict[str, str | None]:
        """What goes into its placeholders."""
        return {name: getattr(self, name) for name in PLACES}

    def parts(self) -> tuple[str, ...]:
        """The parts that tell the intensity; of two for one time the earlier one counts."""
        if self.source == "uk":
            return (next((n for n in PLACES[:2] if getattr(self, n)), "intensity"),)
        return ("intensity", "forecast") if self.forecast else ("intensity",)

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        if self.url is not None and (sentence := check_url(self.url)):
            yield "url", sentence
        template = self.chosen()
        title = template.title
        for name in PLACES:
            if name not in template.options and getattr(self, name):
                yield name, f"leave out '{name}': {title} does not ask for it"
        if self.postcode and self.region:
            yield "region", "leave out 'region' beside 'postcode'"
        if self.source == "electricity_maps" and not self.zone:
            yield "zone", f"'zone' is missing: {title} cannot be asked without it"
        yield from self._token(template)
        if self.forecast and "forecast" not in template.parts:
            yield "forecast", f"leave out 'forecast': {title} gives what it has"
        try:
            template.values(self.options())
        except CurveError as error:
            yield str(error).split("'")[1], str(error)

    def _token(self, template: Template) -> Iterator[tuple[str, str]]:
        title = template.title
        if template.needs_token and not self.token:
            yield "token", f"'token' is missing: {title} cannot be asked without it"
        if self.token is not None and not template.needs_token:
            yield "token", f"leave out 'token': {title} wants none"
        if self.token and not self.token.reveal().isprintable():
            yield "token", "'token' must be one line of printable characters"
