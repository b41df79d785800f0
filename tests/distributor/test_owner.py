"""The owner's words of money, from the configuration to the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.distributor.core import Balance, Distributor
from actors.distributor.settings import DEFAULT_STRATEGY, CoreSettings
from bridge.config import ConfigError, load_text

if TYPE_CHECKING:
    from bridge.config import Config

HOUSE = "site: {{grid: meter}}\nconsumers: {consumers}\nactors:\n  meter: {{kind: external}}\n"
TARIFF = "  {}: {{kind: mqtt_tariff, topic: prices, currency: EUR, timezone: UTC}}\n"


def config(settings: str = "", consumers: str = "{}", more: str = "") -> Config:
    text = HOUSE.format(consumers=consumers) + more
    return load_text(text + f"  distributor: {{kind: distributor, {settings}}}\n")


def problems(settings: str = "", consumers: str = "{}") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config(settings, consumers)
    return [f"{each.line}: {each.sentence}" for each in caught.value.problems]


def warnings(found: Config) -> list[str]:
    return [f"{each.line}: {each.sentence}" for each in found.warnings]


def shared(found: Config, sun: float, **requests: float) -> dict[str, float]:
    """What each has after two minutes of steady sun, W; all of them switches."""
    core = Distributor(found.actors["distributor"].settings, found.consumers)
    given = dict.fromkeys(requests, 0.0)
    for name, watts in requests.items():
        core.request(name, {"IsAutomatic": True, "Request": watts}, 0.0)
    for second in range(1, 120):
        now = float(second)
        for name, watts in given.items():
            core.request(name, {"Consumption": watts}, now)
        core.balance(Balance(sum(given.values()) - sun), now)
        verdicts = core.decide(now).allowances
        given = {name: verdict.allowance for name, verdict in verdicts.items()}
    return given


VALUE = "strategy: value, import_price: 0.30, export_price: 0.08"


@pytest.mark.parametrize(
    ("value", "allowance"), [("0.02", 0), ("0.25", 1000), ("null", 1000), ("0.8", 1000)]
)
def test_what_a_kwh_is_worth_decides_over_feeding_in(value: str, allowance: float) -> None:
    found = config(VALUE, f"{{pool: {{value_per_kwh: {value}}}}}")
    assert shared(found, 1100, pool=1000) == {"pool": allowance}


@pytest.mark.parametrize(("value", "allowance"), [("0.25", 0), ("0.8", 1000)])
def test_and_over_buying(value: str, allowance: float) -> None:
    found = config(VALUE, f"{{pool: {{value_per_kwh: {value}}}}}")
    assert shared(found, 0, pool=1000) == {"pool": allowance}


@pytest.mark.parametrize(("cost", "allowance"), [("0", 1000), ("0.05", 1000), ("5", 0)])
def test_a_start_must_earn_what_it_costs(cost: str, allowance: float) -> None:
    found = config(VALUE, f"{{pool: {{value_per_kwh: 0.25, start_cost: {cost}}}}}")
    assert shared(found, 1100, pool=1000) == {"pool": allowance}


def test_without_money_neither_word_counts() -> None:
    found = config("strategy: surplus", "{pool: {value_per_kwh: 0.01, start_cost: 5}}")
    assert shared(found, 1100, pool=1000) == {"pool": 1000}


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("value_per_kwh: -0.1", "'value_per_kwh' must be a number from 0 to 1000, but is '-0.1'"),
        ("value_per_kwh: 5000", "'value_per_kwh' must be a number from 0 to 1000, but is '5000'"),
        ("value_per_kwh: much", "'value_per_kwh' must be a number, but is 'much'"),
        ("start_cost: -1", "'start_cost' must be a number from 0 to 1000, but is '-1'"),
        ("start_costs: 1", "unknown key 'start_costs' in consumer 'pool'"),
    ],
)
def test_a_bad_rule_is_named(rule: str, sentence: str) -> None:
    (problem,) = problems(consumers=f"{{pool: {{{rule}}}}}")
    assert problem.startswith("2: ")
    assert sentence in problem


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            "strategy: clever",
            "'strategy' must be one of 'es_ess', 'surplus', 'value', but is 'clever'",
        ),
        ("import_price: 4000", "'import_price' must be a number from -1000 to 1000, but is '4000'"),
        ("tariff: 'a b'", "'tariff' must be an id of 1 to 32 letters"),
    ],
)
def test_a_bad_setting_is_named(settings: str, sentence: str) -> None:
    (problem,) = problems(settings)
    assert sentence in problem


def test_one_default_for_houses_and_for_the_core() -> None:
    assert config().actors["distributor"].settings.strategy == DEFAULT_STRATEGY
    assert CoreSettings().strategy == DEFAULT_STRATEGY


# ---------------------------------------------------------------------------------- the tariff


def tariff_of(found: Config) -> Any:
    return found.actors["distributor"].settings.tariff


def test_the_only_tariff_of_a_house_is_that_of_the_distributor() -> None:
    found = config("strategy: value", more=TARIFF.format("awattar"))
    assert tariff_of(found) == "awattar"
    assert found.warnings == []
    assert tariff_of(config("strategy: value")) is None


def test_who_does_not_decide_by_money_has_none() -> None:
    assert tariff_of(config("strategy: es_ess", more=TARIFF.format("awattar"))) is None


def test_several_tariffs_and_none_named() -> None:
    two = TARIFF.format("home") + TARIFF.format("feed").replace("prices", "others")
    found = config("strategy: value", more=two)
    assert tariff_of(found) is None
    (warning,) = warnings(found)
    assert warning == (
        "7: there are several tariffs (home, feed): actor 'distributor' goes by its own "
        "'import_price' and 'export_price' until its 'tariff' names one of them"
    )
    found = config("strategy: value, tariff: feed", more=two)
    assert tariff_of(found) == "feed"
    assert found.warnings == []


def test_a_tariff_that_nobody_is_may_come_from_elsewhere() -> None:
    (warning,) = warnings(config("strategy: value, tariff: elsewhere"))
    assert "'tariff' names 'elsewhere', but no actor has that id" in warning
