"""A service described as data: what to ask it, how to read its answer, and when. Pure.

One `Part` is one question, such as the one for import prices; a part may be asked once for the
whole time of interest, or day by day of the service's time zone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from bridge.cloud.address import check_url
from bridge.curve.days import day_of, local_day, zone_of
from bridge.curve.document import Reading, filled, placeholders
from bridge.curve.units import read_unit
from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

Line = Annotated[str, Meta(min_length=1, max_length=400)]
Clock = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z",
        extra={"words": "a time of day such as 12:45"},
    ),
]
VALUE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
"""What an owner may put in place of a placeholder: nothing that means something in a path."""
OPTION_WORDS: Final = "1 to 64 letters, digits, '.', '_' or '-'"
TIMES: Final = (
    *("date", "date_compact", "tomorrow", "start_iso", "end_iso"),
    *("start_unix", "end_unix", "start_ms", "end_ms", "half_hour"),
)
TOKEN: Final = "token"  # noqa: S105 - the name of the placeholder
HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/{}:,@!$&'()*+;=%-]*\Z")


class Option(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an owner can put in; without `default` it must be given where a part needs it.

    case: how the service wants it written; sends: what is filled in for each choice, where that is
    something else.
    """

    default: str | None = None
    choices: tuple[str, ...] = ()
    case: Literal["upper", "lower"] | None = None
    sends: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def example(self) -> str:
        """Something that fits."""
        word = self.default or next(iter((*self.choices, *self.sends)), "x")
        return self.sends.get(word, word)


class Part(Reading, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question, and how its answer is read.

    each: `span` asks once for all the time of interest, `day` once for each local day; missing:
    statuses that say "not there yet"; pages: how many are read at most, where there are several.
    """

    path: Annotated[str, Meta(min_length=1, max_length=400)]
    method: Literal["GET", "POST"] = "GET"
    query: dict[str, str] = msgspec.field(default_factory=dict)
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: Any = None
    each: Literal["span", "day"] = "span"
    missing: tuple[Annotated[int, Meta(ge=400, le=499)], ...] = (404,)
    pages: Annotated[int, Meta(ge=1, le=20)] = 10

    def texts(self) -> Iterator[tuple[str, str]]:
        """(field, text) of everything that is sent."""
        yield "path", self.path
        for name in ("query", "headers"):
            for key, text in getattr(self, name).items():
                yield f"{name}.{key}", text
        yield from (("body", text) for text in _strings(self.body))

    def needs(self) -> set[str]:
        """The options that it cannot do without."""
        texts = [text for _, text in self.texts()]
        texts += [
            text for name in self.__struct_fields__ if isinstance(text := getattr(self, name), str)
        ]
        return set().union(*map(placeholders, texts)) - set(TIMES)


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """published, covers: when tomorrow's values appear, and until when they reach, by the clock of
    the service's time zone; every: s between two questions instead, for what changes all day;
    lasts: s for which the last value stands after its end, where a service knows no later one.
    """  # noqa: D205 - one sentence

    published: Clock = "12:45"
    covers: Clock = "24:00"
    every: Annotated[float, Meta(ge=300, le=86400)] | None = None
    lasts: Annotated[float, Meta(ge=0, le=7200)] = 0.0


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """gap: s between two calls; per_hour, per_day: at most so many."""

    gap: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    per_hour: Annotated[int, Meta(ge=1, le=3600)] = 60
    per_day: Annotated[int, Meta(ge=1, le=10000)] = 200


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service. timezone: that of its days; parts: by what they give, such as `import`.

    note: what is to be said of its data (a licence), shown to the owner; needs_token: whether it
    answers without one.
    """

    title: Annotated[str, Meta(min_length=1, max_length=64)]
    url: Annotated[str, Meta(max_length=512)]
    parts: dict[str, Part]
    timezone: str = "Europe/Berlin"
    options: dict[str, Option] = msgspec.field(default_factory=dict)
    plan: Plan = Plan()
    budget: Budget = Budget()
    note: str | None = None
    needs_token: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        """All that cannot be used, each as (place, sentence)."""
        if sentence := check_url(self.url):
            yield "url", sentence
        try:
            zone_of(self.timezone)
        except CurveError as error:
            yield "timezone", f"'timezone': {error}"
        if not self.parts:
            yield "parts", "'parts' says nothing of what to ask"
        stand_in = {name: option.example for name, option in self.options.items()}
        for name, part in self.parts.items():
            for field, sentence in part.faults(stand_in):
                yield f"parts.{name}.{field}", sentence
            for field, sentence in _sent_faults(part, {*stand_in, *TIMES, TOKEN}):
                yield f"parts.{name}.{field}", sentence

    def values(self, given: Mapping[str, str | None]) -> dict[str, str]:
        """What is put in for the options: the owner's words, else the defaults.

        Raises CurveError with one sentence for one that cannot be.
        """
        found: dict[str, str] = {}
        for name, option in self.options.items():
            value = given.get(name) or option.default
            if value is None:
                continue
            choices = (*option.choices, *option.sends)
            known = {each.casefold(): each for each in choices}
            if known and value.casefold() not in known:
                words = ", ".join(choices)
                raise CurveError(f"'{name}' must be one of {words} for {self.title}")
            if not VALUE.match(value):
                raise CurveError(f"'{name}' must be {OPTION_WORDS}")
            value = known.get(value.casefold(), value)
            value = getattr(value, option.case)() if option.case else value
            found[name] = option.sends.get(value, value)
        return found

    def currency(self, name: str, values: Mapping[str, str]) -> str | None:
        """That in which the part `name` gives its values; None where only its answer can tell.

        Raises CurveError.
        """
        unit = self.parts[name].unit
        return None if unit is None else read_unit(filled(unit, values)).currency

    def asked(self, values: Mapping[str, str]) -> dict[str, Part]:
        """The parts for which all is there."""
        known = {*values, TOKEN}
        return {name: part for name, part in self.parts.items() if part.needs() <= known}


def span(now: datetime, own: ZoneInfo, market: ZoneInfo) -> tuple[date, date]:
    """The first and last day of the market to ask for: the owner's whole today, and tomorrow."""
    first = day_of(local_day(day_of(now, own), own)[0], market)
    return first, day_of(now, market) + timedelta(days=1)


def times(first: date, last: date, market: ZoneInfo, now: datetime) -> dict[str, str]:
    """What the placeholders of time mean for the days from `first` to `last`."""
    half = now.astimezone(UTC) - timedelta(seconds=now.timestamp() % 1800)
    start, end = local_day(first, market)[0], local_day(last, market)[1]
    return {
        "date": first.isoformat(),
        "date_compact": f"{first:%Y%m%d}",
        "tomorrow": last.isoformat(),
        "start_iso": _iso(start),
        "end_iso": _iso(end),
        "start_unix": str(int(start.timestamp())),
        "end_unix": str(int(end.timestamp())),
        "start_ms": str(int(start.timestamp()) * 1000),
        "end_ms": str(int(end.timestamp()) * 1000),
        "half_hour": f"{half:%Y-%m-%dT%H:%MZ}",
    }


def body_of(raw: Any, given: Mapping[str, str]) -> Any:
    """A body with the placeholders of its texts filled in."""
    if isinstance(raw, str):
        return filled(raw, given)
    if isinstance(raw, dict):
        return {name: body_of(value, given) for name, value in raw.items()}
    return [body_of(each, given) for each in raw] if isinstance(raw, list) else raw


def _sent_faults(part: Part, known: set[str]) -> Iterator[tuple[str, str]]:
    for field, text in part.texts():
        if unknown := placeholders(text) - known:
            yield field, f"'{{{min(unknown)}}}' is nothing that can be filled in"
        if not text.isprintable():
            yield field, "it must be one line of printable characters"
    if not _PATH.match(part.path):
        yield "path", "'path' must begin with '/' and have no '?': what follows it is 'query'"
    if TOKEN in placeholders(part.path):
        yield "path", "the token does not belong into 'path': put it into 'headers' or 'query'"
    if any(not HEADER.match(name) for name in part.headers):
        yield "headers", "'headers' must have names of letters, digits and '-'"
    if part.body is not None and part.method == "GET":
        yield "body", "'body' needs 'method: POST'"


def _strings(raw: Any) -> Iterator[str]:
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, dict | list):
        for each in raw.values() if isinstance(raw, dict) else raw:
            yield from _strings(each)


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
