"""A service that is described by a template: its questions asked, its answers read as curves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from bridge.cloud.budget import Limits
from bridge.cloud.service import Service
from bridge.curve.days import local_day, zone_of
from bridge.curve.document import Found, Reader, filled
from bridge.curve.slots import Curve
from bridge.curve.template import TOKEN, Template, body_of, times
from bridge.errors import CurveError, DeviceGarbled, HeliographError
from bridge.http import HttpRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from bridge.clock import Clock
    from bridge.curve.template import Part

_HOUR: Final = 3600.0
_NO_CONTENT: Final = 204


def template_names(folder: Path) -> list[str]:
    """The templates that a kind has in its folder."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_template(folder: Path, name: str) -> Template:
    """A template of a kind. Raises HeliographError for a file that cannot be used."""
    import yaml

    path = folder / f"{name}.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        template = msgspec.convert(raw, Template)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise HeliographError(f"the template '{name}' cannot be used: {error}") from None
    for place, sentence in template.check():
        raise HeliographError(f"the template '{name}' cannot be used: {place}: {sentence}")
    return template


class Described:
    """The client of one described service.

    options: what the owner put in for its placeholders; url: another base than the template's;
    token: for `{token}`, and the account that calls are counted by; headers: sent with each call.
    Raises CurveError for options that do not fit.
    """

    def __init__(  # noqa: PLR0913 - all but the template go by name
        self,
        template: Template,
        *,
        options: Mapping[str, str | None],
        folder: Path,
        url: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        timeout: float = 20.0,
        what: str = "prices",
    ) -> None:
        self.template = template
        self.zone = zone_of(template.timezone)
        self.options = template.values(options)
        self.parts = template.asked(self.options)
        self.licence: str | None = template.note
        self._given = {**self.options, **({} if token is None else {TOKEN: token})}
        self._readers = {
            name: Reader(part, self.options, what=what) for name, part in self.parts.items()
        }
        self._base = (url or template.url).rstrip("/")
        budget = template.budget
        self.service = Service(
            self._base,
            name=template.title,
            account=token or "public",
            limits=Limits(budget.gap, ((budget.per_hour, _HOUR),), budget.per_day),
            folder=folder,
            clock=clock,
            headers=headers,
            timeout=timeout,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.service.close()

    async def curve(
        self,
        name: str,
        first: date,
        last: date,
        *,
        wanted: Callable[[date], bool] | None = None,
        keep: Callable[[Found], None] | None = None,
    ) -> Found:
        """What the part `name` says of the days from `first` to `last`; `ready` False for nothing.

        `wanted` leaves days out, and `keep` hears what came before a failure, both where each day
        is asked for. Raises DeviceError.
        """
        part = self.parts[name]
        if part.each == "span":
            return await self._asked(name, first, last)
        found = Found(ready=False)
        for day in _days(first, last):
            if wanted is not None and not wanted(day):
                continue
            try:
                found = _joined(found, await self._asked(name, day, day))
            except Exception:
                if keep is not None and found.ready:
                    keep(found)
                raise
        return found

    def whole(self, curve: Curve | None, day: date) -> bool:
        """True when `curve` knows all of a day of the service."""
        return curve is not None and curve.covers(*local_day(day, self.zone))

    # ---------------------------------------------------------------- one question

    async def _asked(self, name: str, first: date, last: date) -> Found:
        part = self.parts[name]
        given = {**self._given, **times(first, last, self.zone, self.service.clock.utc())}
        path = filled(part.path, given)
        query = {key: filled(text, given) for key, text in part.query.items()}
        until = local_day(last, self.zone)[1]
        pages, seen = Found(ready=False), set[str]()
        for _ in range(part.pages):
            page = await self._page(name, part, path, query, given, until)
            if page is None:
                return pages
            pages = _joined(pages, page)
            if page.next is None:
                return pages
            if page.next in seen:
                raise DeviceGarbled(f"{self.template.title} sends the same page again and again")
            seen.add(page.next)
            path, query = self._next(page.next)
        raise DeviceGarbled(f"{self.template.title} has more than {part.pages} pages")

    async def _page(
        self,
        name: str,
        part: Part,
        path: str,
        query: dict[str, str],
        given: dict[str, str],
        until: datetime,
    ) -> Found | None:
        """One answer read; None when the service says that there is nothing yet."""
        try:
            answer = await self.service.ask(
                part.method,
                path,
                query=query,
                json=body_of(part.body, given),
                headers={key: filled(text, given) for key, text in part.headers.items()},
                again=True,
            )
        except HttpRefused as error:
            if error.status in part.missing:
                return None
            raise
        if answer.status == _NO_CONTENT or not answer.body.strip():
            return None
        document: Any = answer.text() if part.text is not None else answer.json()
        if not document:
            return None
        try:
            found = self._readers[name].read(document, until)
        except CurveError as error:
            raise CurveError(f"{self.template.title}: {error}") from None
        self.licence = found.licence or self.licence
        return found if found.ready else None

    def _next(self, address: str) -> tuple[str, dict[str, str]]:
        """Path and query of the next page, which must be at the same place."""
        base, url = urlsplit(self._base), urlsplit(address)
        path = url.path
        elsewhere = bool(url.netloc) and url.netloc.lower() != base.netloc.lower()
        if elsewhere or url.scheme not in ("", "http", "https") or not path.startswith("/"):
            raise DeviceGarbled(
                f"{self.template.title} has its next page at another place, which is not followed"
            )
        if base.path and path.startswith(f"{base.path}/"):
            path = path.removeprefix(base.path)
        return path, dict(parse_qsl(url.query, keep_blank_values=True))


def _days(first: date, last: date) -> Iterable[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _joined(one: Found, other: Found) -> Found:
    """Two answers as one. Raises CurveError when they speak of different currencies."""
    if not one.ready or not other.ready:
        return one if one.ready else other
    if one.currency != other.currency:
        raise CurveError(f"the prices are in {one.currency} and in {other.currency}")
    raw = [
        (slot.start, slot.end, slot.value) for curve in (one.curve, other.curve) for slot in curve
    ]
    both = Curve.of(raw)
    notes = tuple(dict.fromkeys((*one.curve.notes, *other.curve.notes, *both.notes)))
    return Found(Curve(both.slots, notes), one.currency, one.licence or other.licence)
