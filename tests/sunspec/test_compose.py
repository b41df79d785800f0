"""Which devices a chain makes, what they tell and what they offer: words in, maps out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.sunspec.chain import Walk
from actors.devices.sunspec.compose import Part, Wishes, compose
from actors.devices.sunspec.models import known, model_at
from actors.devices.sunspec.sim import Simulator
from bridge.registers.check import check
from bridge.registers.codec import decode, scale_power
from bridge.registers.needed import needed
from bridge.registers.plan import plan
from bridge.registers.quantities import Quantities
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.plant import Plant

if TYPE_CHECKING:
    from actors.devices.sunspec.models import Model
    from bridge.registers.model import Value

PROFILES = (
    *("fronius_gen24", "fronius_gen24_float", "solaredge", "kostal", "sma"),
    *("der2018", "der2018_hybrid"),
)
RATES = {"BatterySetpoint", "BatteryMode", "MaxChargePower", "MaxDischargePower"}
HOUSE: dict[str, Any] = {"pv": 3000.0, "load": 1800.0, "soc": 55.0}


def models(unit: Unit) -> list[list[Model]]:
    """What stands on a simulated unit."""
    walk = Walk()
    while walk.ask is not None:
        try:
            walk.hear(unit.read(*walk.ask))
        except Refuse:
            walk.hear(None)
    assert walk.chain is not None
    return [
        [
            model_at(place, [unit.words[place.address + index] for index in range(place.words)])
            for place in group
            if known(place.model)
        ]
        for group in walk.chain.groups()
    ]


def parts(profile: str, plant: Plant | None = None, **wishes: Any) -> dict[str | None, Part]:
    """The devices of a profile by the end of their names."""
    sim = Simulator(profile=profile, plant=plant)
    return {part.suffix: part for part in compose(models(sim.device), Wishes(**wishes))}


def values(profile: str, suffix: str | None = None, **wishes: Any) -> dict[str, Value | None]:
    """The quantities of one device, read from the simulated registers."""
    has_battery = profile != "sma"
    sim = Simulator(profile=profile, plant=Plant(has_battery=has_battery, **HOUSE))
    part = next(p for p in compose(models(sim.device), Wishes(**wishes)) if p.suffix == suffix)
    words = sim.device.words

    def power(factor: str | None) -> int | None:
        return 0 if factor is None else scale_power(words, part.table[factor])

    trusted = [row for row in part.table.registers if row.trusted]
    rows = {row.name: decode(row, words, power(row.scale_factor)) for row in trusted}
    return Quantities(part.table, frozenset(rows)).of(rows)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_composed_table_holds_together(profile: str) -> None:
    found = parts(profile)
    assert None in found
    for part in found.values():
        check(part.table)
        assert set(part.recipes) == set(part.table.controls)


def test_a_hybrid_of_fronius_tells_sun_and_battery_apart_by_the_names_of_its_inputs() -> None:
    for profile in ("fronius_gen24", "fronius_gen24_float"):
        found = values(profile)
        assert found["PvPower"] == 3000
        assert found["BatteryPower"] == -1200
        assert found["InverterPower"] == 1800
        assert found["PvString1Power"] == 1800
        assert found["PvString2Power"] == 1200
        assert "PvString3Power" not in found
        assert found["PvEnergy"] == 1234.5
        assert found["BatterySoc"] == 55
        assert found["BatteryState"] == "charging"
        assert found["InverterState"] == "running"


def test_an_inverter_without_a_battery_is_its_ac_power() -> None:
    found = values("sma")
    assert found["PvPower"] == found["InverterPower"] == 3000
    assert found["PvEnergy"] == 1433.5
    assert not [name for name in found if name.startswith("Battery")]


def test_the_meters_of_solaredge_count_export_and_are_turned() -> None:
    assert values("solaredge", "meter1")["GridPower"] == pytest.approx(0, abs=1)
    plant = Plant(pv=0.0, load=9000.0)
    sim = Simulator(profile="solaredge", plant=plant)
    assert sim.device["meter1_m203_W"] == -4000
    part = parts("solaredge", plant)["meter1"]
    assert part.table["m203_W"].factor == -1
    assert part.table["m203_W"].quantity == "GridPower"
    assert parts("solaredge", plant, meter_sign="import")["meter1"].table["m203_W"].factor == 1
    assert parts("solaredge", plant)["meter2"].table["m203_W"].quantity == "Power"


def test_solaredge_with_its_battery() -> None:
    assert "BatteryPower" not in values("solaredge")
    found = values("solaredge", solaredge_storage=True)
    assert found["BatteryPower"] == -1200
    assert found["PvPower"] == 3000
    assert found["BatterySoc"] == 55
    assert found["BatteryChargeEnergy"] == 222


def test_the_sign_of_model_802_is_the_owners_word() -> None:
    assert values("kostal").get("BatteryPower") is None
    assert values("kostal", battery_sign="charge")["BatteryPower"] == -1200
    assert values("kostal", battery_sign="charge")["BatteryCurrent"] == -3
    assert values("kostal", battery_sign="discharge")["BatteryPower"] == 1200
    found = values("kostal")
    assert (found["BatterySoc"], found["BatteryCycles"], found["GridPower"]) == (55, 321, 0)


def test_a_meter_in_each_role() -> None:
    def quantities(role: str) -> dict[str, float]:
        part = parts("solaredge", role=lambda _s, _f, _a: role)["meter1"]
        found = {row.quantity: row.factor for row in part.table.registers if row.quantity}
        return found | dict.fromkeys(part.table.quantities, 0.0)

    grid, load, pv, device = map(quantities, ("grid", "load", "pv", "device"))
    assert grid["GridPower"] == -1
    assert grid["GridImportEnergy"] == 0.001
    assert load["LoadPower"] == -1
    assert load["LoadEnergy"] == 0.001
    assert "LoadEnergyL1" not in load
    assert pv["PvPower"] == 1
    assert pv["PvEnergyL2"] == 0.001
    assert device["Power"] == -1
    assert {"CurrentL1", "CurrentL2", "CurrentL3"} <= set(device)
    assert not any(name.startswith("Grid") for name in {**load, **pv, **device})


def test_a_storage_inverter_of_2018_has_no_panels() -> None:
    found = values("der2018")
    assert found["BatteryPower"] == found["InverterPower"] == -1200
    assert "PvPower" not in found
    hybrid = values("der2018_hybrid")
    assert (hybrid["PvPower"], hybrid["BatteryPower"]) == (3000, -1200)
    assert hybrid["BatteryCapacity"] == 10000


def test_what_a_device_can_do_is_offered_and_nothing_else() -> None:
    limits = {"PvLimit"}
    storage = {"BatteryMode", "MaxChargePower", "MaxDischargePower", "MinSoc"}
    assert set(parts("fronius_gen24")[None].recipes) == limits | storage | {"BatterySetpoint"}
    assert set(parts("sma")[None].recipes) == limits
    assert set(parts("solaredge")[None].recipes) == set()
    assert set(parts("kostal")[None].recipes) == limits | {"MinSoc", "MaxSoc"}
    assert set(parts("der2018")[None].recipes) == {"BatterySetpoint"}
    assert set(parts("der2018_hybrid")[None].recipes) == limits
    assert parts("fronius_gen24")[None].recipes["BatteryMode"].options == (
        *("hold", "no_charge", "no_discharge", "charge", "discharge"),
    )


def test_another_makers_storage_is_not_forced_unless_the_owner_asks() -> None:
    sim = Simulator(profile="fronius_gen24")
    sim.device["m1_Mn"] = "Another"

    def recipes(**wishes: bool) -> Any:
        return compose(models(sim.device), Wishes(**wishes))[0].recipes  # type: ignore[arg-type]

    assert "BatterySetpoint" not in recipes()
    assert recipes()["BatteryMode"].options == ("hold", "no_charge", "no_discharge")
    assert "BatterySetpoint" in recipes(unconfirmed=True)


@pytest.mark.parametrize(
    ("rows", "gone"),
    [
        (
            {"m124_WChaMax": 0},
            RATES,
        ),
        ({"m121_WMax": None, "m120_WRtg": None}, {"PvLimit"}),
        ({"m123_WMaxLim_Ena": None}, {"PvLimit"}),
        ({"m124_MinRsvPct": None}, {"MinSoc"}),
        (
            {"m124_InWRte": None},
            RATES,
        ),
    ],
)
def test_a_point_that_is_not_implemented_takes_its_control_away(
    rows: dict[str, Value | None], gone: set[str]
) -> None:
    sim = Simulator(profile="fronius_gen24")
    before = set(compose(models(sim.device), Wishes())[0].recipes)
    sim.device.put(rows)
    assert before - set(compose(models(sim.device), Wishes())[0].recipes) == gone


def test_a_device_without_a_reversion_time_is_not_written_one() -> None:
    sim = Simulator(profile="fronius_gen24")
    sim.device.put({"m123_WMaxLimPct_RvrtTms": None, "m124_InOutWRte_RvrtTms": None})
    for recipe in compose(models(sim.device), Wishes())[0].recipes.values():
        assert not [row for row in recipe.touches if "RvrtTms" in row]


def test_model_713_without_a_battery_says_nothing() -> None:
    sim = Simulator(profile="der2018_hybrid")
    sim.device.put({"m713_WHRtg": 0, "m713_SoC": 0})
    part = compose(models(sim.device), Wishes())[0]
    assert not [name for name in part.table.produced if name.startswith("Battery")]
    assert part.table.quantities["PvPower"] == "InverterPower"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_value_and_its_scale_factor_come_in_one_read(profile: str) -> None:
    for part in parts(profile).values():
        polled = needed(part.table)
        for blocks in (
            plan(polled["fast"], part.table.limits),
            plan([*polled["fast"], *polled["slow"]], part.table.limits),
        ):
            for block in blocks:
                names = {row.name for row in block.rows}
                assert {row.scale_factor for row in block.rows if row.scale_factor} <= names
