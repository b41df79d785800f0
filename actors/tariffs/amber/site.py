"""The sites of an account, and which of them is meant. Pure."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec

from bridge.errors import DeviceGarbled, DeviceRefused

ACTIVE: Final = "active"


class Meter(msgspec.Struct, frozen=True):
    """One channel of a site. identifier: such as E1; type: as of an interval; tariff: a code."""

    identifier: str
    type: str
    tariff: str


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One site. length: minutes of its billing interval, None where it is not told."""

    id: str
    nmi: str
    status: str
    network: str = ""
    channels: tuple[Meter, ...] = ()
    active_from: date | None = None
    closed_on: date | None = None
    length: int | None = None


def read_sites(raw: Any) -> list[Site]:
    """All sites as the service lists them. Raises DeviceGarbled."""
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise DeviceGarbled("Amber answers with something else than a list of sites")
    return [_site(each) for each in raw]


def chosen(sites: list[Site], wanted: str | None) -> Site:
    """The site of that id, whatever its case, or the only active one. Raises DeviceRefused."""
    active = [site for site in sites if site.status == ACTIVE]
    if wanted is not None:
        found = next((site for site in sites if site.id.upper() == wanted.upper()), None)
        if found is None:
            raise DeviceRefused(f"the Amber account has no site {wanted}{_others(active)}")
        if found.status != ACTIVE:
            sentence = f"the site {found.id} is {found.status} at Amber{_others(active)}"
            raise DeviceRefused(sentence)
        return found
    if not active:
        raise DeviceRefused("the Amber account has no active site, and only those have prices")
    if len(active) > 1:
        names = ", ".join(f"{site.id} ({site.nmi})" for site in active)
        raise DeviceRefused(f"the Amber account has several active sites: set 'site' to {names}")
    return active[0]


def _others(active: list[Site]) -> str:
    if not active:
        return ", nor an active one"
    return f"; active: {', '.join(site.id for site in active)}"


def _site(raw: dict[str, Any]) -> Site:
    if not isinstance(raw.get("id"), str) or not raw["id"]:
        raise DeviceGarbled("Amber answers with a site that has no id")
    channels = raw.get("channels")
    length = raw.get("intervalLength")
    return Site(
        id=raw["id"],
        nmi=_text(raw.get("nmi")),
        status=_text(raw.get("status")),
        network=_text(raw.get("network")),
        channels=tuple(
            Meter(_text(each.get("identifier")), _text(each.get("type")), _text(each.get("tariff")))
            for each in (channels if isinstance(channels, list) else [])
            if isinstance(each, dict)
        ),
        active_from=_day(raw.get("activeFrom")),
        closed_on=_day(raw.get("closedOn")),
        length=length if type(length) is int and 0 < length <= 1440 else None,  # noqa: PLR2004 - a day
    )


def _text(raw: Any) -> str:
    return "" if raw is None else str(raw)


def _day(raw: Any) -> date | None:
    try:
        return date.fromisoformat(raw)
    except (TypeError, ValueError):
        return None
