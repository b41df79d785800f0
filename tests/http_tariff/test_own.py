"""Templates of the owner's own: what is sent, exchanged, refused, and when it is asked again."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from aiohttp import web

from actors.tariffs.http_tariff.settings import HttpTariffSettings
from bridge.config.secret import Secret
from bridge.curve.template import Template
from bridge.errors import CurveError, DeviceTimeout
from tests.cloud.server import Asked, Server
from tests.http_tariff.made import pair, tariff
from tests.support.days import lived

if TYPE_CHECKING:
    from bridge.clock import Clock

EVENING = datetime(2026, 11, 21, 18, tzinfo=UTC)
TOKEN = "not-to-be-seen"
IMPORT: dict[str, Any] = {
    "path": "/prices",
    "rows": "rows",
    "start": "start",
    "minutes": 60,
    "value": "price",
    "unit": "EUR/MWh",
    "unit_from": "unit",
}


def own(part: dict[str, Any] | None = None, **more: Any) -> Template:
    """A template with one part, `part` being what is different in it."""
    parts = {"import": {**IMPORT, **(part or {})}}
    raw = {"title": "Mine", "url": "https://api.example.org", "parts": parts, **more}
    return msgspec.convert(raw, Template)


class Service(Server):
    """What an owner's template is pointed at."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.template = own()

    def settings(self) -> dict[str, Any]:
        return {"template": self.template, "timezone": "UTC"}


def hours(price: float, unit: str = "EUR/MWh") -> web.Response:
    rows = [{"start": f"2026-11-21T{n:02}:00:00Z", "price": price} for n in range(24)]
    return web.json_response({"unit": unit, "rows": rows})


def fetched(template: Template, answer: Any, **settings: Any) -> tuple[list[Asked], Any]:
    """What was asked, and the Prices or the error that came of it."""

    async def scenario(clock: Clock) -> tuple[list[Asked], Any]:
        async with Service(answer=answer) as service:
            service.template = template
            actor = tariff(service, Path(tempfile.mkdtemp()), clock, **settings)
            try:
                return service.asked, await actor.fetch(clock.utc())
            except CurveError as error:
                return service.asked, error
            finally:
                await actor.safe()

    return lived(scenario, begin=EVENING)


def test_a_question_with_a_body() -> None:
    body = {"from": "{start_iso}", "areas": ["{zone}", "x"], "limit": 96, "deep": {"to": "{date}"}}
    template = own(
        {"method": "POST", "body": body, "headers": {"X-Key": "{token}"}},
        options={"zone": {}},
        timezone="UTC",
    )
    asked, prices = fetched(
        template,
        lambda _: hours(80.0),
        zone="NO2",
        token=Secret(TOKEN),
        headers={"X-More": Secret("more")},
    )
    assert [(each.method, each.path, each.query) for each in asked] == [("POST", "/prices", {})]
    assert json.loads(asked[0].body) == {
        "from": "2026-11-21T00:00:00Z",
        "areas": ["NO2", "x"],
        "limit": 96,
        "deep": {"to": "2026-11-21"},
    }
    assert asked[0].headers["x-key"] == TOKEN
    assert asked[0].headers["x-more"] == "more"
    assert prices.imports.at(EVENING) == pytest.approx(0.08)


def test_a_rate_leads_to_the_currency_that_is_set() -> None:
    _, prices = fetched(own(), lambda _: hours(-80.0), currency="SEK", exchange_rate=11.5)
    assert prices.currency == "SEK"
    assert prices.imports.at(EVENING) == pytest.approx(-0.92)


def test_a_rate_is_for_one_currency_only() -> None:
    """A service that changes its currency must not be multiplied by the rate of another one."""
    for unit in ("CHF/MWh", "SEK/MWh"):
        _, error = fetched(
            own(), lambda _, unit=unit: hours(80.0, unit), currency="SEK", exchange_rate=11.5
        )
        assert isinstance(error, CurveError), unit
        assert f"came in {unit[:3]} and not in EUR" in str(error)


def test_export_prices_in_another_currency_are_not_used() -> None:
    parts = {"import": IMPORT, "export": {**IMPORT, "path": "/sold"}}
    template = own(parts=parts)

    def answer(asked: Asked) -> web.Response:
        return hours(80.0) if asked.path == "/prices" else hours(50.0, "SEK/MWh")

    _, error = fetched(template, answer)
    assert isinstance(error, CurveError)
    assert "the export prices came in SEK and those of import in EUR" in str(error)
    _, prices = fetched(template, lambda _: hours(50.0))
    assert prices.exports.at(EVENING) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("part", "more", "place"),
    [
        ({"start": "[["}, {}, "template.parts.import.start"),
        ({"path": "prices"}, {}, "template.parts.import.path"),
        ({"path": "/prices/{token}"}, {}, "template.parts.import.path"),
        ({"query": {"a": "{nope}"}}, {}, "template.parts.import.query.a"),
        ({"unit": "bananas"}, {}, "template.parts.import.unit"),
        ({"body": {"a": 1}}, {}, "template.parts.import.body"),
        ({"headers": {"X Y": "a"}}, {}, "template.parts.import.headers"),
        ({"headers": {"X": "a\r\nb"}}, {}, "template.parts.import.headers.X"),
        ({"time": "period"}, {}, "template.parts.import.time"),
        ({"timezone": "Mars/Here"}, {}, "template.parts.import.timezone"),
        ({}, {"url": "http://api.example.org"}, "template.url"),
        ({}, {"timezone": "Mars/Here"}, "template.timezone"),
        ({}, {"parts": {}}, "template.parts"),
        ({}, {"parts": {"export": IMPORT}}, "template"),
        ({}, {"parts": {"import": IMPORT, "more": IMPORT}}, "template"),
    ],
)
def test_an_own_template_that_cannot_be_used_is_told(
    part: dict[str, Any], more: dict[str, Any], place: str
) -> None:
    found = list(HttpTariffSettings(template=own(part, **more), timezone="UTC").check())
    assert place in [each for each, _ in found]
    for _, sentence in found:
        assert sentence.isprintable()


def test_settings_that_do_not_fit_are_told() -> None:
    def told(**given: Any) -> list[str]:
        settings = HttpTariffSettings(**{"template": own(), "timezone": "UTC", **given})
        return [field for field, _ in settings.check()]

    rate = {"exchange_rate": 11.0, "currency": "SEK"}
    nordpool = {"template": "nordpool", "area": "SE3"}
    assert told() == told(**rate) == told(**nordpool) == []
    assert told(exchange_rate=11.0) == ["exchange_rate"]
    # Nord Pool gives what `currency` says: the rate would count twice.
    assert told(**nordpool, **rate) == ["exchange_rate"]
    assert told(exchange_rate=1.1, currency="EUR") == ["exchange_rate"]
    assert told(template=own({"unit": None}), **rate) == ["exchange_rate"]
    assert told(headers={"X Y": Secret("a")}) == ["headers"]
    assert told(headers={"X": Secret("a\nb")}) == ["headers.X"]
    assert told(template=own({"headers": {"X": "{token}"}})) == ["token"]
    assert told(template="nordpol") == ["template"]


def test_a_day_with_too_few_periods_leaves_the_others() -> None:
    """The file of OMIE holds many days: one of hours, or half of tomorrow, spoils no other."""
    from actors.tariffs.http_tariff.settings import TEMPLATES
    from bridge.cloud.described import load_template
    from bridge.curve.document import Reader

    template = load_template(TEMPLATES, "omie")
    reader = Reader(template.parts["import"], template.values({}))

    def lines(day: str, count: int) -> list[str]:
        return [f"{day};{n};{n},5;0;" for n in range(1, count + 1)]

    whole = lines("20/11/2026", 96)
    found = reader.read("\n".join([*lines("19/11/2026", 24), *whole, *lines("21/11/2026", 50)]))
    assert len(found.curve) == 96
    assert found.curve.slots == reader.read("\n".join(whole)).curve.slots
    assert found.curve.start == datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert found.curve.notes == (
        "the day 2026-11-19 has 24 periods where 96 belong, and is left out",
        "the day 2026-11-21 has 50 periods where 96 belong, and is left out",
    )
    with pytest.raises(CurveError, match="has 24 periods"):
        reader.read("\n".join(lines("19/11/2026", 24)))


@pytest.mark.parametrize("template", ["energy_charts", "nordpool"])
def test_a_service_that_never_answers_is_told(template: str) -> None:
    async def scenario(clock: Clock) -> None:
        folder = Path(tempfile.mkdtemp())
        async with pair(folder, clock, template, settings={"timeout": 5}) as (sim, actor):
            sim.fault = "slow"
            with pytest.raises(DeviceTimeout, match="did not answer within 5 s"):
                await actor.fetch(clock.utc())

    lived(scenario, begin=EVENING)


def test_retry_after_is_obeyed_over_restarts_too() -> None:
    async def scenario(clock: Clock) -> None:
        folder = Path(tempfile.mkdtemp())
        async with pair(folder, clock, "energy_charts") as (sim, actor):
            sim.fault = "busy"
            wait = await actor.ask_once()
            assert 120 <= wait < 240
            sim.fault = None
            again = tariff(sim, folder, clock)
            refused = await again.ask_once()
            assert len(sim.requests) == 1
            assert refused >= 100
            await anyio.sleep(121)
            await again.ask_once()
            assert len(sim.requests) == 2
            assert again.known is not None
            await again.safe()

    lived(scenario, begin=EVENING)


@pytest.mark.parametrize("template", ["energy_charts", "octopus"])
def test_a_hole_of_today_is_not_asked_for_again_and_again(template: str) -> None:
    """What was null stays null: with all of tomorrow known there is nothing to wait for."""

    async def scenario(clock: Clock) -> float:
        async with pair(Path(tempfile.mkdtemp()), clock, template) as (_, actor):
            await actor.ask_once()
            start = clock.utc().replace(hour=20)
            known = actor.known
            assert known is not None
            holed = known.between(known.start or start, start).merged(
                known.between(start.replace(minute=30), known.end or start)
            )
            return actor.next_ask(holed, clock.utc())

    assert lived(scenario, begin=EVENING) > 12 * 3600
