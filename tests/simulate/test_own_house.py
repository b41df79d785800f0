"""An owner's configuration over recorded days: how kinds look, what is left out, how it plays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.main import main
from bridge.config import load_text
from bridge.config.kinds import all_kinds
from bridge.needs import Share
from bridge.simulate.curve import expression, reservation
from bridge.simulate.day import Day
from bridge.simulate.own_days import OwnDay
from bridge.simulate.own_house import Wishes, own_cases, unheard
from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.simulate.case import Case

_DAY = OwnDay(
    "2026-06-01",
    Day([3000.0] * 60, [300.0] * 60, [0.3] * 60, [0.1] * 60),
    first=600,
    minutes=60,
    soc=40.0,
)
_METERS = "  meter: {kind: external}\n  ess: {kind: external}\n"


def played(
    actors: str, consumers: str = "{}", site: str = "{grid: meter, pv: ess}", **wishes: Any
) -> tuple[Case, list[str]]:
    text = f"site: {site}\nconsumers: {consumers}\nactors:\n{_METERS}{actors}"
    cases, notes = own_cases(load_text(text), [_DAY], Wishes(**wishes))
    return cases[0], notes


def one(actors: str, consumers: str = "{}") -> Any:
    case, _ = played(actors, consumers)
    (spec,) = case.scenario.consumers
    return spec


def test_a_switch() -> None:
    spec = one("  pool: {kind: shelly, host: 10.0.0.1, request: 700, priority: 7, min_on: 600}\n")
    assert (spec.id, spec.min_w, spec.max_w, spec.step_w) == ("pool", 700, 700, 0)
    assert (spec.priority, spec.min_on_s, spec.min_off_s) == (7, 600, 120)
    assert spec.says == {"StartDelay": 30, "StopDelay": 60}
    assert spec.value_per_kwh == pytest.approx(0.2)


def test_a_charger() -> None:
    spec = one("  car: {kind: go_e, host: 10.0.0.1, consumer: ev}\n")
    assert (spec.id, spec.min_w, spec.max_w, spec.step_w) == ("ev", 1380, 11040, 230)
    assert spec.switches_phases
    assert spec.phase_interval_s == 300
    spec = one("  car: {kind: go_e, host: 10.0.0.1, phases: 3}\n")
    assert (spec.min_w, spec.max_w, spec.step_w) == (4140, 11040, 690)
    assert not spec.switches_phases


def test_what_a_kwh_is_worth() -> None:
    pool = "  pool: {kind: shelly, host: 10.0.0.1, request: 700}\n"
    config = load_text(f"site: {{grid: meter, pv: ess}}\nactors:\n{_METERS}{pool}")
    cheap = [0.3] * 50 + [0.12] * 10
    day = replace(_DAY, day=replace(_DAY.day, import_price=cheap))
    cases, _ = own_cases(config, [day], Wishes())
    assert cases[0].scenario.consumers[0].value_per_kwh == pytest.approx(0.12)
    assert one(pool).value_per_kwh == pytest.approx(0.2)


def test_the_owner_rules() -> None:
    spec = one(
        "  pool: {kind: shelly, host: 10.0.0.1, request: 700}\n",
        "{pool: {priority: 1, min_off: 5, start_delay: 0, ignore_reservation: true}}",
    )
    assert (spec.priority, spec.min_off_s) == (1, 5)
    assert spec.says == {"StartDelay": 0, "StopDelay": 60, "IgnoreBatReservation": 1}
    spec = one("  car: {kind: go_e, host: 10.0.0.1}\n", "{car: {max: 5000}}")
    assert spec.max_w == 5000


def test_an_entry_alone_is_a_load() -> None:
    spec = one("", "{boiler: {max: 1500, priority: 3}}")
    assert (spec.id, spec.min_w, spec.max_w, spec.priority) == ("boiler", 1500, 1500, 3)


@pytest.mark.parametrize(
    ("actors", "consumers", "sentence"),
    [
        ("", "{dish: {priority: 3}}", "dish is told by somebody else over MQTT"),
        ("", "{dish: {max: 900, automatic: false}}", "dish: 'automatic: false'"),
        ("  car: {kind: go_e, host: 10.0.0.1, mode: manual}\n", "{}", "car: `mode: manual`"),
        ("  car: {kind: go_e, host: 10.0.0.1}\n", "{car: {max: 900}}", "below the 1380 W"),
        (
            "  car: {kind: go_e, host: 10.0.0.1, low_price: true, price_limit: 0.1}\n",
            "{}",
            "car: charging at low prices is not simulated",
        ),
    ],
)
def test_what_is_not_simulated_is_said(actors: str, consumers: str, sentence: str) -> None:
    pool = "  pool: {kind: shelly, host: 10.0.0.2, request: 700}\n"
    case, notes = played(actors + pool, consumers, needs={"pool": 500.0})
    assert any(sentence in note for note in notes), notes
    left_out = "left out" in next(note for note in notes if sentence in note)
    assert len(case.scenario.consumers) == (1 if left_out or "manual" in sentence else 2)
    assert case.scenario.consumers[-1].id in {"pool", "car"}


def test_every_kind_that_shares_says_how_it_looks() -> None:
    """A new kind of consumer must not be left out in silence, nor need a list anywhere."""
    silent = {
        name
        for name, kind in all_kinds().items()
        if kind.role != "compat"  # it hands on what others ask
        and "Requests/{consumer}" in getattr(kind.load(), "writes", ())
        and not hasattr(kind.settings(), "simulated")
    }
    assert silent == set()
    assert Share("a").consumer == "a"


def test_a_battery_must_be_told() -> None:
    site = "{grid: meter, pv: ess, battery: ess}"
    pool = "  pool: {kind: shelly, host: 10.0.0.2, request: 700}\n"
    reserved = pool + "  distributor: {kind: distributor, reservation: '5000 - 40*SOC'}\n"
    with pytest.raises(ScenarioError, match="--battery 10:5"):
        played(pool, site=site)
    case, _ = played(reserved, site=site, battery=(10_000.0, 5000.0))
    battery = case.scenario.battery
    assert battery is not None
    assert (battery.capacity_wh, battery.max_charge_w, battery.soc_start) == (10_000, 5000, 40)
    assert battery.reservation_curve == [(0, 5000), (100, 1000)]


@pytest.mark.parametrize(
    "text", ["0 if SOC > 50 else 3000", "3000 * (1 - (SOC/100)**2)", "max(0, 4000-50*SOC)"]
)
def test_a_reservation_stays_what_it_is(text: str) -> None:
    rule = f"  distributor: {{kind: distributor, reservation: '{text}'}}\n"
    actors = "  pool: {kind: shelly, host: h, request: 7}\n" + rule
    case, _ = played(actors, site="{grid: meter, battery: ess}", battery=(1000.0, 1000.0))
    battery = case.scenario.battery
    assert battery is not None
    points = battery.reservation_curve
    assert len(expression(points)) <= 200
    for soc in (0, 20, 60, 100):
        truth = eval(text, {"SOC": soc, "max": max})  # noqa: S307 - our own text
        assert reservation(points, soc) == pytest.approx(truth, abs=130)


def test_what_a_deaf_policy_misses() -> None:
    pool = "  pool: {kind: shelly, host: h, request: 7}\n"
    case, _ = played(pool + "  distributor: {kind: distributor, interval: 9}\n")
    assert unheard([case]) == ["StartDelay", "StopDelay", "interval"]
    assert unheard([replace(case, owner=None)]) == ["StartDelay", "StopDelay"]


def test_needs() -> None:
    pool = "  pool: {kind: shelly, host: h, request: 700}\n"
    case, notes = played(pool, needs={"pool": 500.0})
    assert case.scenario.consumers[0].need_wh == 500
    assert notes == []
    with pytest.raises(ScenarioError, match="'tub', which is no consumer"):
        played(pool, needs={"tub": 1.0})


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, days = tmp_path / "house.yaml", tmp_path / "days.csv"
    config.write_text(
        f"site: {{grid: meter, pv: ess}}\nactors:\n{_METERS}"
        "  pool: {kind: shelly, host: h, request: 700, start_delay: 0}\n"
    )
    rows = [f"2026-06-01T10:{minute:02}Z,3000,300" for minute in range(60)]
    rows += [f"2026-06-01T11:{minute:02}Z,3000,300" for minute in range(10)]
    days.write_text("\n".join(["utc,PvPower,LoadPower", *rows]))
    words = ["simulate", "--config", str(config), "--days", str(days), "--timezone", "UTC"]
    page = tmp_path / "page.html"
    assert main([*words, "--compare", "do_nothing", "--need", "pool=1", "--html", str(page)]) == 0
    told = capsys.readouterr()
    assert "own house" in told.out
    assert "2026-06-01: only 1.2 h are known, from 10:00" in told.err
    assert "the days have no prices: 0.3 for import, 0.08 for export" in told.err
    assert 'id="2026-06-01"' in page.read_text(encoding="utf-8")
    assert "does not hear" not in told.err
    said = {}
    for rule in ("value_per_kwh: 0.01", "value_per_kwh: 0.25"):
        text = config.read_text()
        config.write_text(
            f"{text}  distributor: {{kind: distributor, strategy: value}}\n"
            f"consumers: {{pool: {{{rule}}}}}\n"
        )
        assert main([*words, "--json"]) == 0
        said[rule] = json.loads(capsys.readouterr().out)["metrics"]["delivered_kwh"]["pool"]
        config.write_text(text)
    assert said["value_per_kwh: 0.01"] == 0
    assert said["value_per_kwh: 0.25"] > 0.5
    assert main([*words, "--policy", "es_ess"]) == 0
    assert "es_ess does not hear StopDelay: played without" in capsys.readouterr().err
    assert main([*words, "--scenario", "x.json"]) == 1
    assert main(["simulate"]) == 1
    assert "there is nothing to play" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*words, "--battery", "10"])
    with pytest.raises(SystemExit):
        main([*words, "--need", "pool"])
