"""From the owner's settings to the plan, and what the injector makes of a plan; all without I/O."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.venus.venus_dbus.core import plan, summary
from actors.venus.venus_dbus.injector import figures
from actors.venus.venus_dbus.injector.house import ORPHANED, House, number, standing, topics
from actors.venus.venus_dbus.injector.items import Items
from actors.venus.venus_dbus.injector.layout import fixed, layout
from actors.venus.venus_dbus.injector.plan import SORTS, Entry, PlanError, read_plan
from actors.venus.venus_dbus.injector.values import Spec, asked, fit, text, variant
from actors.venus.venus_dbus.settings import (
    Battery,
    Charger,
    Grid,
    Inverter,
    Load,
    Settings,
    Temperature,
)
from bridge.contract import load_contract

CONTRACT = load_contract()
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


def read(*services: dict[str, Any]) -> tuple[Entry, ...]:
    return read_plan(json.dumps({"services": list(services)}).encode())


FULL = Settings(
    temperatures={"garage": Temperature(type="outdoor"), "cells": Temperature(device="ess")},
    grids={"meter": Grid(name="Grid")},
    inverters={"roof": Inverter(phase="all", position="output"), "barn": Inverter(phase=3)},
    chargers={"car": Charger(position="input", consumer="ev")},
    batteries={"ess": Battery(time_to_go="ttg")},
    consumers={"pool": Load(), "heat": Load(show="battery", instance=7)},
    reservation=Load(show="battery"),
)


def test_what_the_actor_publishes_is_what_the_injector_reads() -> None:
    made = plan(FULL, {"garage": 300.0, "meter": 1.0}, {"pool": 42})
    channel = CONTRACT.channel("Venus/{venus}/Services", venus="gx")
    entries = {each.key: each for each in read_plan(channel.encode(made))}
    assert len(entries) == len(made["services"]) == 10
    assert entries["temperature/garage"].type == 4
    assert entries["temperature/garage"].silence == 900
    assert entries["temperature/cells"].device == "ess"
    assert entries["grid/meter"].silence == 15
    assert entries["grid/meter"].name == "Grid"
    assert (entries["pvinverter/roof"].phase, entries["pvinverter/roof"].position) == (0, 1)
    assert (entries["pvinverter/barn"].phase, entries["pvinverter/barn"].position) == (3, 0)
    assert (entries["evcharger/car"].position, entries["evcharger/car"].consumer) == (1, "ev")
    assert entries["battery/ess"].time_to_go == "ttg"
    assert (entries["consumer/pool"].kind, entries["consumer/pool"].instance) == ("acload", 42)
    assert (entries["consumer/heat"].kind, entries["consumer/heat"].instance) == ("battery", 1000)
    assert entries["reservation/reservation"].kind == "battery"


def test_every_consumer_that_comes() -> None:
    settings = Settings(every_consumer=True, loads_as="battery", consumers={"pool": Load()})
    made = plan(settings, {}, {"pool": None, "heat": 1008, "boiler": 5})
    assert [(each["id"], each["class"], each.get("instance")) for each in made["services"]] == [
        ("pool", "battery", None),
        ("boiler", "battery", 1000),
        ("heat", "battery", 1008),
    ]


def test_how_it_stands_in_a_sentence() -> None:
    shown = {
        "bus": None,
        "services": {
            "grid/meter": {"state": "shown"},
            "grid/b": {"state": "waiting", "why": "nothing was heard yet"},
        },
    }
    assert summary(shown, 2) == (
        "1 of 2 services are shown on the GX; grid/b: nothing was heard yet",
        None,
    )
    assert summary({**shown, "bus": "the D-Bus is gone"}, 2)[1] == "the D-Bus is gone"
    assert summary({}, 2) == ("0 of 2 services are shown on the GX", None)


def test_a_restart_of_the_actor_is_not_seen() -> None:
    entry, house = read({"what": "temperature", "id": "garage", "silence": 900})[0], House()
    house.take("Devices/garage/State", b'{"Temperature": 20}', 0.0, retained=False)
    for now in (10.0, 20.0):
        house.take_actor(b"offline", now)
    assert standing(entry, house, 10.0 + ORPHANED) == ("shown", None)
    sentence = "the actor that shows it is offline"
    assert standing(entry, house, 10.1 + ORPHANED) == ("silent", sentence)
    assert standing(entry, house, 10.1 + entry.drop) == ("gone", sentence)
    house.take_actor(b"online", 700.0)
    assert standing(entry, house, 700.0) == ("shown", None)


# ------------------------------------------------------------------------------------ the plan


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        ({"what": "x", "id": "a"}, "'x' is not a sort of service that can be shown"),
        ({"what": "grid"}, "'id' of a grid is not an id of 1 to 32 letters, digits, '_' or '-'"),
        ({"what": "grid", "id": "a/b"}, "'id' of a grid is not an id of 1 to 32 letters"),
        ({"what": "grid", "id": "a", "class": "battery"}, "a grid cannot be shown as 'battery'"),
        ({"what": "grid", "id": "a", "instance": -1}, "'instance' is not a number from 0 to 65535"),
        ({"what": "grid", "id": "a", "silence": "long"}, "'silence' is not a number from 1 to"),
        ({"what": "grid", "id": "a", "name": 5}, "'name' is not a text"),
        ({"what": "grid", "id": "a", "phase": True}, "'phase' is not a number from 0 to 3"),
    ],
)
def test_a_plan_that_cannot_be(service: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        read(service)
    assert str(caught.value).startswith(sentence)


def test_plans_that_are_none() -> None:
    assert read_plan(b"") == ()
    for payload in (b"x", b"[]", b"{}", b'{"services": 5}', b'{"services": [5]}', b"\xff"):
        with pytest.raises(PlanError):
            read_plan(payload)
    with pytest.raises(PlanError):
        read({"what": "grid", "id": "a"}, {"what": "grid", "id": "a"})
    with pytest.raises(PlanError):
        read(*({"what": "grid", "id": f"a{number}"} for number in range(201)))


@given(payload=st.binary(max_size=200) | JSON.map(lambda found: json.dumps(found).encode()))
def test_no_plan_crashes_it(payload: bytes) -> None:
    with contextlib.suppress(PlanError):
        assert isinstance(read_plan(payload), tuple)


@given(found=st.fixed_dictionaries({}, optional=dict.fromkeys(Entry.__annotations__, JSON)))
def test_no_service_crashes_it(found: dict[str, Any]) -> None:
    for what in SORTS:
        try:
            (entry,) = read({**found, "what": what, "id": "x"})
        except PlanError:
            continue
        assert entry.kind == SORTS[what]


# ------------------------------------------------------------------------------- any message


@given(state=JSON, grant=JSON, retained=st.booleans())
def test_no_message_crashes_it_and_every_value_fits_its_path(
    state: Any, grant: Any, retained: bool
) -> None:
    house = House()
    for entry in read(*({"what": what, "id": "a"} for what in SORTS)):
        for topic in topics(entry):
            found = grant if topic.endswith("Grant") else state
            house.take(topic, json.dumps(found).encode(), 0.0, retained=retained)
        phases = figures.own_phases(entry, house) or figures.planned_phases(entry)
        specs = layout(entry, phases)
        items = Items(specs, lambda *_: 2)
        items.put(fixed(entry, "x", phases))
        values = figures.figures(entry, house, phases)
        assert set(values) <= set(specs)
        items.put({**values, **figures.words(entry, house)})
        assert items.shown().keys() == specs.keys()
        assert standing(entry, house, 5.0)[0] in {"waiting", "shown"}
        assert figures.default_name(entry, house)
        figures.suffix(entry, house)


# ------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("d", 1, 1.0),
        ("d", -0.0, 0.0),
        ("d", float("nan"), None),
        ("d", float("inf"), None),
        ("d", "1", None),
        ("d", True, None),
        ("i", 2.6, 3),
        ("i", 2**31, None),
        ("s", "x", "x"),
        ("s", 5, None),
        ("s", None, None),
    ],
)
def test_what_fits_a_path(kind: str, value: Any, fits: Any) -> None:
    found = fit(Spec(kind), value)
    assert found == fits
    assert variant(Spec(kind), found).signature == ("ai" if fits is None else kind)


def test_texts() -> None:
    assert text(Spec("d", "kWh", 2), 3.2) == "3.20kWh"
    assert text(Spec("i"), 5) == "5"
    assert text(Spec("d"), None) == "---"


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [("d", 5, 5.0), ("d", "5.5", 5.5), ("i", True, 1), ("i", 3.0, 3), ("s", "x", "x")],
)
def test_what_people_write(kind: str, value: Any, wanted: Any) -> None:
    assert asked(Spec(kind), value) == wanted


@pytest.mark.parametrize(
    ("kind", "value"),
    [("d", "warm"), ("d", float("nan")), ("d", [1]), ("i", 0.5), ("i", 2**40), ("s", 5)],
)
def test_what_people_write_and_cannot_be(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"due here|could not convert"):
        asked(Spec(kind), value)


def test_numbers() -> None:
    assert number(5) == 5.0
    assert number(True) is None
    assert number("5") is None
    assert figures.number_of("12.5") == 12.5
    assert figures.number_of("nan") is None
    assert figures.number_of(None) is None
