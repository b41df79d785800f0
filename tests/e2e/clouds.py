"""One simulated service of every kind that there is, and a configuration that points at them."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bridge.cli.sim import snippet
from bridge.config.kinds import all_kinds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from bridge.config.kinds import Kind
    from tests.e2e.house import Eyes

# What a simulator is started with beyond host and port: a battery's evening, a final price.
OPTIONS: dict[str, dict[str, Any]] = {
    "alphaess": {"hour": 20.0, "chargers": 1},
    "amber": {"late": 0.0, "settled": 0.0},
}
# What a configuration says beyond the line that `heliograph sim` prints.
MORE: dict[str, dict[str, str]] = {
    "alphaess": {"interval": "5"},
    "amber": {"timezone": "Australia/Sydney"},
    "entsoe": {"timezone": "Europe/Berlin", "tax": "19", "export": "0.08"},
    "tibber": {"timezone": "Europe/Berlin"},
    "open_meteo": {"timezone": "Europe/Berlin"},
}
TOPIC = "flow/prices"
# Those that ask nobody.
QUIET = f"""\
  fixed_tariff: {{kind: fixed_tariff, price: 0.31, export: 0.082}}
  mqtt_tariff: {{kind: mqtt_tariff, topic: {TOPIC}, timezone: Europe/Berlin}}
"""
TREES = {"tariffs": "Tariffs", "forecasts": "Forecasts", "carbon": "Carbon"}


def asking_kinds() -> dict[str, Kind]:
    """Every kind that asks a service of the internet."""
    return {
        name: kind
        for name, kind in all_kinds().items()
        if kind.simulator() is not None and "url" in kind.settings().__struct_fields__
    }


KINDS = asking_kinds()
TARIFFS = tuple(
    sorted(n for n, kind in all_kinds().items() if kind.role == "tariffs" and n != "co2")
)
FORECASTS = tuple(sorted(n for n, kind in KINDS.items() if kind.role == "forecasts"))


@contextlib.asynccontextmanager
async def simulated() -> AsyncIterator[dict[str, Any]]:
    """A running simulator of each kind, by name."""
    async with contextlib.AsyncExitStack() as stack:
        found: dict[str, Any] = {}
        for name, kind in KINDS.items():
            module: Any = kind.simulator()
            sim = module.Simulator(host="127.0.0.1", port=0, **OPTIONS.get(name, {}))
            found[name] = await stack.enter_async_context(sim)
        yield found


def house_of(sims: Mapping[str, Any]) -> str:
    """The `actors` section: the line that `heliograph sim` prints for each, and those without."""
    lines = ["actors:"]
    for name, sim in sims.items():
        module: Any = KINDS[name].simulator()
        more = "".join(f", {key}: {value}" for key, value in MORE.get(name, {}).items())
        lines.append(f"  {snippet(KINDS[name], module, sim)[:-1]}{more}}}")
    return "\n".join(lines) + "\n" + QUIET


def secrets(sims: Mapping[str, Any]) -> set[str]:
    """What may stand nowhere: tokens, keys, and the secret of the battery's account."""
    names = ("token", "app_secret", "app_id")
    return {
        str(value)
        for sim in sims.values()
        for name in names
        if (value := sim.settings().get(name)) is not None
    }


def counts(sims: Mapping[str, Any]) -> dict[str, int]:
    """How often each service was asked."""
    return {name: len(sim.requests) for name, sim in sims.items()}


def due(folder: Path, name: str) -> datetime | None:
    """When an actor means to ask its service again, as it keeps it over a restart."""
    for path in (folder / "state" / name).glob("*.json"):
        found = json.loads(path.read_text())
        if isinstance(found, dict) and isinstance(found.get("ask_at"), int | float):
            return datetime.fromtimestamp(found["ask_at"], UTC)
    return None


def published_curve(now: datetime) -> str:
    """What a flow publishes: two days of quarter hours, 0.20 and 0.30 in turn by the hour."""
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    quarter = timedelta(minutes=15)
    rows = []
    for count in range(4 * 24 * 4):
        begin = start + count * quarter
        price = 0.2 if begin.hour % 2 == 0 else 0.3
        rows.append({"start": stamp(begin), "end": stamp(begin + quarter), "import": price})
    return json.dumps(rows)


def stamp(moment: datetime) -> str:
    """As times are published."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def moment(text: str) -> datetime:
    """The other way."""
    return datetime.fromisoformat(text)


def sound(curve: list[dict[str, Any]]) -> None:
    """Half-open slots, in order, none over another."""
    assert curve
    for each, later in zip(curve, [*curve[1:], None], strict=True):
        assert moment(each["start"]) < moment(each["end"])
        assert later is None or moment(each["end"]) <= moment(later["start"])


def value_at(curve: list[dict[str, Any]], key: str, when: datetime) -> Any:
    """What a curve says of a moment; None where it has no slot."""
    for each in curve:
        if moment(each["start"]) <= when < moment(each["end"]):
            return each[key]
    return None


def entities(eyes: Eyes, own: str) -> dict[str, Any]:
    """What Home Assistant finds of one device, by the address below the base that it reads."""
    found = eyes._link.payloads(f"homeassistant/device/heliograph_{own}/config")
    assert found, f"nothing is announced of {own}"
    parts = json.loads(found[-1])["cmps"].values()
    return {each["stat_t"].removeprefix("heliograph/"): each for each in parts}


def known(eyes: Eyes, tree: str) -> dict[str, str]:
    """Every plain value below a part of the tree that is known now, by address."""
    last: dict[str, str] = {}
    for message in eyes._link.got:
        address = message.topic.removeprefix("heliograph/")
        if address.startswith(f"{tree}/") and not address.endswith("/Curve"):
            last[address] = message.payload.decode()
    return {address: text for address, text in last.items() if text}
