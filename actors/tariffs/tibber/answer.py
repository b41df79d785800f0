"""What Tibber answers: errors first, then the homes of the account. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.errors import DeviceGarbled, DeviceRefused, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

QUESTION: Final = (
    "query Prices { viewer { homes { id appNickname timeZone currentSubscription { status "
    "priceInfo(resolution: QUARTER_HOURLY) { today { ...slot } tomorrow { ...slot } } } } } } "
).replace("...slot", "total energy tax currency startsAt level")
"""Without the resolution Tibber answers with hours."""
_OUTDATED: Final = (
    "Tibber does not understand the question for prices: is there a newer Heliograph?"
)
_WORDS: Final = {
    "UNAUTHENTICATED": "Tibber refuses the token: make a new one at developer.tibber.com",
    "FORBIDDEN": "Tibber refuses access with this token: make a new one at developer.tibber.com",
    "GRAPHQL_PARSE_FAILED": _OUTDATED,
    "GRAPHQL_VALIDATION_FAILED": _OUTDATED,
    "BAD_USER_INPUT": _OUTDATED,
    "HOME_NOT_FOUND": "Tibber does not find a home of this account any more",
    "INTERNAL_SERVER_ERROR": "Tibber failed inside, as it says itself",
}
_LONGEST: Final = 200


class Home(msgspec.Struct, frozen=True):
    """One home. name: its nickname; zone: as Tibber names it; contract: it has one; items: raw
    prices of today and, once they are published, of tomorrow.
    """  # noqa: D205 - one sentence

    id: str
    name: str = ""
    zone: str | None = None
    contract: bool = False
    items: tuple[Any, ...] = ()

    @property
    def shown(self) -> str:
        """For a sentence: how the owner can name it."""
        return f"{self.name} ({self.id})" if self.name else self.id


def refusal(raw: Any, secret: str = "") -> str | None:
    """The sentence for an answer that holds errors; None for one without.

    `secret` never appears in it, whatever the service writes.
    """
    errors = raw.get("errors") if isinstance(raw, dict) else None
    if not errors:
        return None
    first = errors[0] if isinstance(errors, list) else errors
    if not isinstance(first, dict):
        first = {"message": first}
    about = first.get("extensions")
    code = about.get("code") if isinstance(about, dict) else None
    if code in _WORDS:
        return _WORDS[code]
    message = str(first.get("message") or code or "no reason given")
    if secret:
        message = message.replace(secret, "***")
    return f"Tibber reports an error: {one_line(message)[:_LONGEST].rstrip('. ')}"


def read_homes(raw: Any, secret: str = "") -> list[Home]:
    """All homes of an answer. Raises DeviceRefused for its errors, and DeviceGarbled."""
    if (sentence := refusal(raw, secret)) is not None:
        raise DeviceRefused(sentence)
    homes: Any = raw
    for name in ("data", "viewer", "homes"):
        homes = homes.get(name) if isinstance(homes, dict) else None
    if not isinstance(homes, list):
        raise DeviceGarbled("Tibber answers with something else than a list of homes")
    return [_home(each) for each in homes if each is not None]


def chosen(homes: list[Home], wanted: str | None) -> Home:
    """The home of that id or nickname, else the only one, or the only one with a contract.

    Raises DeviceRefused, saying which there are.
    """
    if not homes:
        raise DeviceRefused("the Tibber account has no home")
    names = ", ".join(home.shown for home in homes)
    found = homes
    if wanted is not None:
        key = wanted.strip().casefold()
        found = [home for home in homes if home.id.casefold() == key] or [
            home for home in homes if home.name.strip().casefold() == key
        ]
        if not found:
            raise DeviceRefused(f"the Tibber account has no home {wanted}: there are {names}")
        if len(found) > 1:
            ids = ", ".join(home.id for home in found)
            raise DeviceRefused(f"several homes are called {wanted}: set 'home' to one of {ids}")
    elif len(homes) > 1:
        found = [home for home in homes if home.contract]
        if len(found) != 1:
            raise DeviceRefused(f"the Tibber account has several homes: set 'home' to {names}")
    home = found[0]
    if not home.contract:
        raise DeviceRefused(
            f"the home {home.shown} has no running contract with Tibber, and so no prices"
        )
    return home


def _home(raw: Any) -> Home:
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or not raw["id"]:
        raise DeviceGarbled("Tibber answers with a home that has no id")
    contract = raw.get("currentSubscription")
    info = contract.get("priceInfo") if isinstance(contract, dict) else None
    return Home(
        id=raw["id"],
        name=_text(raw, "appNickname") or "",
        zone=_text(raw, "timeZone"),
        contract=isinstance(contract, dict),
        items=(*_items(info, "today"), *_items(info, "tomorrow")),
    )


def _items(info: Any, name: str) -> list[Any]:
    found = info.get(name) if isinstance(info, dict) else None
    if found is None:
        return []
    if not isinstance(found, list):
        raise DeviceGarbled(f"Tibber answers with prices of {name} that are no list")
    return found


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    found = raw.get(name)
    return found if isinstance(found, str) and found else None
