"""What an owner can set: a template by name or of his own, and what it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud import check_url
from bridge.cloud.described import load_template, template_names
from bridge.config.secret import Secret
from bridge.config.types import Timeout
from bridge.config.words import did_you_mean
from bridge.curve.template import HEADER, OPTION_WORDS, VALUE, Template
from bridge.errors import CurveError
from bridge.tariff import TariffSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES: Final = Path(__file__).with_name("templates")
IMPORT, EXPORT = "import", "export"
OPTIONS: Final = ("zone", "region", "product", "export_product", "currency")
_FIELDS: Final = {"zone": "area"}
Word = Annotated[str, Meta(pattern=f"^{VALUE.pattern}", extra={"words": OPTION_WORDS})]
Url = Annotated[str, Meta(max_length=512)]


class HttpTariffSettings(TariffSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every tariff, and: template: the name of a ready one, or a section of the owner's own;
    zone, region, product, export_product: what it asks for; token: where it wants one; headers:
    sent with each call; exchange_rate: how much of `currency` one unit of the service's is; url:
    another base than the template's; timeout: s for one answer.
    """  # noqa: D205 - one sentence

    template: str | Template
    # `zone()` is the time zone.
    area: Word | None = msgspec.field(default=None, name="zone")
    region: Word | None = None
    product: Word | None = None
    export_product: Word | None = None
    token: Secret | None = None
    headers: dict[str, Secret] = {}  # noqa: RUF012 - msgspec copies it
    exchange_rate: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    url: Url | None = None
    timeout: Timeout = 20.0

    def chosen(self) -> Template:
        """The template that is meant. Raises HeliographError."""
        if isinstance(self.template, Template):
            return self.template
        return load_template(TEMPLATES, self.template)

    def options(self) -> dict[str, str | None]:
        """What the owner put in for the template's placeholders."""
        return {name: getattr(self, _FIELDS.get(name, name)) for name in OPTIONS}

    def check(self) -> Iterator[tuple[str, str]]:
        """What only the template can tell."""
        yield from super().check()
        if self.url is not None and (sentence := check_url(self.url)):
            yield "url", sentence
        yield from self._sent()
        if self.exchange_rate is not None and self.currency is None:
            yield "exchange_rate", "'exchange_rate' needs 'currency': the one that it leads to"
        names = template_names(TEMPLATES)
        if isinstance(self.template, str) and self.template not in names:
            hint = did_you_mean(self.template, names) or f": there are {', '.join(names)}"
            yield "template", f"the template '{self.template}' is not known{hint}"
            return
        template = self.chosen()
        faults = [(f"template.{place}", sentence) for place, sentence in template.check()]
        yield from faults or self._fits(template)

    def _sent(self) -> Iterator[tuple[str, str]]:
        """What cannot be a line of a request."""
        if any(not HEADER.match(name) for name in self.headers):
            yield "headers", "'headers' must have names of letters, digits and '-'"
        for name, value in {"token": self.token, **self.headers}.items():
            if value is not None and (not value or not value.reveal().isprintable()):
                where = name if name == "token" else f"headers.{name}"
                yield where, f"'{where}' must be one line of printable characters"

    def _exchanged(self, template: Template) -> Iterator[tuple[str, str]]:
        """A rate leads from one currency: that which the template's units name."""
        if self.exchange_rate is None:
            return
        if "currency" in template.options:
            words = f"{template.title} gives its prices in the 'currency' that is set"
            yield "exchange_rate", f"leave out 'exchange_rate': {words}"
            return
        try:
            named = {
                template.currency(name, template.values(self.options())) for name in template.parts
            }
        except CurveError:
            return  # told already
        if None in named:
            words = "the currency that it leads from, such as EUR/MWh"
            yield "exchange_rate", f"'exchange_rate' needs a 'unit' in the template: {words}"
        elif named == {self.currency}:
            words = f"{template.title} gives {self.currency} already"
            yield "exchange_rate", f"leave out 'exchange_rate': {words}"

    def _fits(self, template: Template) -> Iterator[tuple[str, str]]:
        if not set(template.parts) <= {IMPORT, EXPORT}:
            yield "template", "the 'parts' of a tariff are 'import' and 'export'"
            return
        if IMPORT not in template.parts:
            yield "template", "the template has no part 'import'"
            return
        try:
            values = template.values(self.options())
        except CurveError as error:
            yield str(error).split("'")[1], str(error)
            return
        for name in sorted(template.parts[IMPORT].needs() - values.keys() - {"token"}):
            yield name, f"'{name}' is missing: {template.title} cannot be asked without it"
        if self.token is None and any("token" in part.needs() for part in template.parts.values()):
            yield "token", f"'token' is missing: {template.title} cannot be asked without it"
        for name in OPTIONS:
            if name not in template.options and name != "currency" and self.options()[name]:
                yield name, f"leave out '{name}': {template.title} does not ask for it"
        yield from self._exchanged(template)
        if self.export_product and EXPORT not in template.asked(values):
            yield "export_product", f"{template.title} needs more for export prices"
