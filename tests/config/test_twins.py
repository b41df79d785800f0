"""One device, one actor: two that lend the same registers would destroy the owner's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config import ConfigError, find_kind, load_text

if TYPE_CHECKING:
    from pathlib import Path

_ONE = "host: 127.0.0.1, port: 21003"
_STICK = "transport: solarman, serial: 2712345678"


def _problems(*actors: str, env: dict[str, str] | None = None) -> list[str]:
    text = "actors:\n" + "".join(f"  {each}\n" for each in actors)
    try:
        load_text(text, "c.yaml", env or {})
    except ConfigError as error:
        return [str(each) for each in error.problems]
    return []


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (f"kind: deye, {_ONE}", f"kind: deye, {_ONE}, unit: 1", "127.0.0.1:21003, unit 1"),
        (
            "kind: deye, host: Ess.lan",
            "kind: deye, host: ess.LAN, port: 502",
            "ess.lan:502, unit 1",
        ),
        (
            f"kind: deye, host: stick, {_STICK}",
            f"kind: deye, host: stick, port: 8899, {_STICK}",
            "stick:8899, unit 1",
        ),
        (
            "kind: deye, transport: serial, tty: /dev/no-such",
            "kind: sunspec, transport: serial, tty: /dev/../dev/no-such, baudrate: 19200",
            "/dev/no-such, unit 1",
        ),
        (
            "kind: goodwe, host: et",
            "kind: goodwe, host: et, port: 8899, unit: 247",
            "et:8899, unit 247",
        ),
        (
            "kind: goodwe, host: dt, family: dt",
            "kind: goodwe, host: dt, unit: 127",
            "dt:8899, unit 127",
        ),
        ("kind: sma, host: si", "kind: sma, host: si, unit: 3", "si:502, unit 3"),
        ("kind: sun2000, host: su", "kind: sunspec, host: su", "su:502, unit 1"),
        (
            "kind: victron_modbus, host: gx",
            "kind: victron_modbus, host: 'gx:502', unit: 100",
            "gx:502, unit 100",
        ),
    ],
)
def test_the_same_device_twice(first: str, second: str, words: str) -> None:
    assert _problems(f"dey: {{{first}}}", f"dey2: {{{second}}}") == [
        f"c.yaml:3: dey2 names the same device as dey ({words}): one actor per device"
    ]


def test_what_shares_a_gateway_is_no_twin() -> None:
    assert not _problems(
        "one: {kind: sunspec, host: gateway}",
        "meter: {kind: sunspec, host: gateway, unit: 200}",
        "battery: {kind: sma, host: gateway}",
        "other: {kind: deye, host: gateway, port: 1502}",
        "plug: {kind: shelly, host: gateway}",
        "socket: {kind: shelly, host: gateway}",
        "left: {kind: external}",
        "right: {kind: external}",
    )


def _warnings(*actors: str) -> list[str]:
    text = "actors:\n" + "".join(f"  {each}\n" for each in actors)
    return [str(each) for each in load_text(text, "c.yaml", {}).warnings]


@pytest.mark.parametrize("more", ["", ", port: 8883, tls: true", ", tls: true"])
def test_two_ways_to_one_gx(more: str) -> None:
    (found,) = _warnings(
        "ess: {kind: victron_modbus, host: GX.lan}",
        f"gx: {{kind: venus_mqtt, host: gx.LAN{more}}}",
    )
    sentence = "set its controls through one of them only, or they undo each other's"
    assert found == f"c.yaml:3: ess and gx are both the GX at gx.lan: {sentence}"


def test_two_gx_are_two() -> None:
    assert not _warnings(
        "ess: {kind: victron_modbus, host: one}",
        "gx: {kind: venus_mqtt, host: two}",
        "a: {kind: victron_modbus, host: 127.0.0.1, port: 21001}",
        "b: {kind: venus_mqtt, host: 127.0.0.1, port: 21002}",
    )


def test_one_gx_with_tls_and_without() -> None:
    assert _problems(
        "gx: {kind: venus_mqtt, host: gx}",
        "gx2: {kind: venus_mqtt, host: gx, tls: true}",
    ) == ["c.yaml:3: gx2 names the same device as gx (mqtt gx): one actor per device"]


def test_a_hidden_address_is_not_repeated() -> None:
    (found,) = _problems(
        "a: {kind: deye, host: '${PLACE}'}",
        "b: {kind: deye, host: '${PLACE}'}",
        env={"PLACE": "secret.lan"},
    )
    assert found == (
        "c.yaml:3: b names the same device as a (***:502, unit 1): one actor per device"
    )


@pytest.mark.parametrize(
    ("kind", "maps"),
    [
        ("deye", {"sg04lp3", "sg0xlp1"}),
        ("goodwe", {"et"}),
        ("sma", {"sunny_island", "sbs", "stp"}),
        ("sun2000", {None}),
        ("victron_modbus", {"system"}),
    ],
)
def test_the_usual_unit_is_the_tables(kind: str, maps: set[str | None], tmp_path: Path) -> None:
    config = load_text(f"actors: {{a: {{kind: {kind}, host: h, port: 502}}}}", tmp_path / "c", {})
    words = config.actors["a"].settings.identity()
    found = find_kind(kind).load()
    units = {found.map(name).unit for name in maps}  # type: ignore[attr-defined] # all of registers
    assert {f"h:502, unit {unit}" for unit in units} == {words}


_HOUSE = """\
site: {{grid: meter, battery: ess}}
actors:
  meter: {{kind: external}}
  ess: {{kind: external}}
  car: {{kind: external}}
  prices: {{kind: external}}
  distributor: {{kind: distributor, reservation: 0}}
  guard: {{kind: battery_guard, battery: ess, chargers: car, {guard}}}
  night:
    {{kind: grid_charge, battery: ess, tariff: prices, power: 3000, capacity: 9000, {night}}}
"""


@pytest.mark.parametrize(
    ("guard", "night", "warned"),
    [
        ("control: GridSetpoint", "control: BatterySetpoint", True),
        ("control: BatteryMode, mode: hold", "control: GridSetpoint", True),
        ("control: BatterySetpoint", "control: BatterySetpoint", False),
        ("control: MaxDischargePower", "control: BatterySetpoint", False),
    ],
)
def test_two_services_on_one_battery_use_one_control(guard: str, night: str, warned: bool) -> None:
    found = load_text(_HOUSE.format(guard=guard, night=night), "c.yaml", {}).warnings
    steered = [each for each in found if "steer the same battery" in each.sentence]
    assert [each.line for each in steered] == ([9] if warned else [])
    if warned:
        assert steered[0].sentence.startswith("guard and night steer the same battery by ")
