"""The translation between es-ESS's topics and ours."""

from __future__ import annotations

import pytest

from actors.compat.es_ess.core import (
    FOREIGN_PATIENCE,
    LEASE,
    Foreign,
    Leases,
    Ledger,
    calculations,
    number,
)


def test_nothing_is_handed_on_before_the_first_live_message() -> None:
    ledger = Ledger(request_ttl=0, refresh=60)
    assert ledger.hear("EV", "Request", 11000.0, 0, retained=True) is None
    assert ledger.hear("EV", "Minimum", 1365.0, 0, retained=True) is None
    assert ledger.refreshes(1000) == {}
    assert ledger.hear("EV", "IsAutomatic", True, 5, retained=False) == {
        "Request": 11000.0,
        "Minimum": 1365.0,
        "IsAutomatic": True,
    }
    assert ledger.hear("EV", "Consumption", 7.0, 6, retained=False) == {"Consumption": 7.0}


def test_without_a_ttl_a_request_is_kept_alive_for_ever() -> None:
    ledger = Ledger(request_ttl=0, refresh=60)
    ledger.hear("EV", "Request", 1.0, 0, retained=False)
    assert ledger.refreshes(59) == {}
    assert ledger.refreshes(60) == {"EV": {"Request": 1.0}}
    assert ledger.refreshes(61) == {}
    assert ledger.refreshes(100_000) == {"EV": {"Request": 1.0}}


def test_with_a_ttl_a_silent_consumer_is_let_go() -> None:
    ledger = Ledger(request_ttl=180, refresh=60)
    ledger.hear("EV", "Request", 1.0, 0, retained=False)
    assert ledger.refreshes(170) == {"EV": {"Request": 1.0}}
    assert ledger.refreshes(240) == {}


def test_a_retained_copy_changes_nothing_that_was_said_live() -> None:
    ledger = Ledger(request_ttl=0, refresh=60)
    ledger.hear("EV", "Request", 500.0, 0, retained=False)
    ledger.hear("EV", "Request", 11000.0, 1, retained=True)
    ledger.hear("EV", "Minimum", 100.0, 1, retained=True)
    assert ledger.refreshes(60) == {"EV": {"Request": 500.0, "Minimum": 100.0}}


def test_who_clears_all_its_fields_is_handed_on_once_and_forgotten() -> None:
    ledger = Ledger(request_ttl=0, refresh=60)
    ledger.hear("EV", "Request", 500.0, 0, retained=False)
    ledger.hear("EV", "IsAutomatic", True, 0, retained=False)
    assert ledger.hear("EV", "Request", None, 1, retained=False) == {"Request": None}
    assert "EV" in ledger.consumers
    assert ledger.hear("EV", "IsAutomatic", None, 1, retained=False) == {"IsAutomatic": None}
    assert ledger.consumers == {}
    assert ledger.hear("EV", "IsAutomatic", None, 2, retained=False) is None
    assert ledger.refreshes(1000) == {}


def test_no_more_consumers_are_kept_than_any_house_has() -> None:
    ledger = Ledger(request_ttl=0, refresh=60)
    for number_ in range(2000):
        ledger.hear(f"c{number_}", "Request", 1.0, 0, retained=False)
    assert len(ledger.consumers) == 1000


def test_an_allowance_that_is_not_repeated_is_taken_back_once() -> None:
    leases = Leases()
    leases.give("EV", 2000, 0)
    leases.give("heater", 500, 0)
    leases.give("EV", 2000, 10)
    leases.give("heater", 0, 10)
    assert leases.lapsed(10 + LEASE - 0.1) == []
    assert leases.lapsed(10 + LEASE) == ["EV"]
    assert leases.lapsed(1000) == []
    leases.give("EV", 1, 2000)
    assert leases.all() == ["EV"]
    assert leases.all() == []


def test_a_foreign_es_ess_counts_while_its_time_moves() -> None:
    foreign = Foreign()
    assert not foreign.alive(0)
    foreign.hear(b"1795132800.1", 10)
    assert foreign.alive(10 + FOREIGN_PATIENCE - 1)
    foreign.hear(b"1795132800.1", 100)
    assert not foreign.alive(10 + FOREIGN_PATIENCE)
    foreign.hear(b"1795132860.1", 200)
    assert foreign.alive(210)


def test_calculations_use_the_signs_of_es_ess() -> None:
    site = {
        "GridPower": -1500.0,
        "BatteryPower": -700.0,
        "BatterySoc": 55.0,
        "Reservation": 3000.0,
        "Surplus": -12.0,
        "Assigned": 0.0,
        "Remaining": -12.0,
    }
    grid = {"GridPowerL1": -1700.0, "GridPowerL2": 200.0, "GridPowerL3": None}
    assert calculations(site, grid) == {
        "Grid/L1/Power": -1700.0,
        "Grid/L2/Power": 200.0,
        "Grid/TotalFeedIn": 1500.0,
        "Battery/Power": 700.0,
        "Battery/Soc": 55.0,
        "Battery/Reservation": 3000.0,
        "OverheadAvailable": 0.0,
        "OverheadAssigned": 0.0,
        "OverheadRemaining": 0.0,
    }


@pytest.mark.parametrize(
    ("surplus", "assigned", "expected"),
    [(4190.0, 500.0, 3690.0), (-4000.0, 0.0, 0.0), (-4000.0, 300.0, -300.0), (None, 0.0, None)],
)
def test_what_remains_is_of_what_is_available(
    surplus: float | None, assigned: float, expected: float | None
) -> None:
    told = calculations({"Surplus": surplus, "Assigned": assigned, "Remaining": 1.0}, None)
    assert told.get("OverheadRemaining") == expected


def test_numbers_are_plain() -> None:
    assert [number(value) for value in (0.0, 1500.0, -12.34, 123456.7)] == [
        b"0",
        b"1500",
        b"-12.3",
        b"123456.7",
    ]
