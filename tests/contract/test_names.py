"""Every name of the contract is there, as promised to users: pattern, retain flag, QoS, reach."""

from __future__ import annotations

import pytest
import yaml

from bridge.contract import Contract, contract_file, load_contract
from bridge.errors import ContractError

C = load_contract()

YES1 = ("yes", 1)
YES0 = ("yes", 0)
TOPICS = {
    "Bridge/Status": YES1,
    "Bridge/Info": YES1,
    "Bridge/Ping": ("never", 1),
    "Actors/{actor}/Status": YES1,
    "Actors/{actor}/Health": YES1,
    "Actors/{actor}/Messages/{Level}": YES0,
    "Devices/{device}/Status": YES1,
    "Devices/{device}/{Quantity}": YES0,
    "Devices/{device}/State": YES0,
    "Devices/{device}/Info": YES1,
    "Devices/{device}/{Control}": YES1,
    "Devices/{device}/{Control}/Set": ("never", 1),
    "Devices/{device}/{Control}/Result": ("no", 1),
    "Site/{Value}": YES0,
    "Site/State": YES0,
    "Site/Balance": ("no", 0),
    "Site/Hold": ("no", 1),
    "Site/Pause": YES1,
    "Site/Pause/Set": ("never", 1),
    "Requests/{consumer}/{Field}": ("consumer", "any"),
    "Requests/{consumer}": ("consumer", "any"),
    "Requests/{consumer}/Allowance": YES1,
    "Requests/{consumer}/Grant": YES1,
    "Requests/{consumer}/Reason": YES1,
    "Requests/{consumer}/{Field}/Set": ("never", 1),
    "Requests/{consumer}/Energy": YES1,
    "Requests/{consumer}/Error": YES1,
    "Tariffs/{tariff}/{Value}": YES1,
    "Tariffs/{tariff}/Curve": YES1,
    "Tariffs/{tariff}/Cheapest/{Window}/Start": YES1,
    "Forecasts/{forecast}/{Value}": YES1,
    "Forecasts/{forecast}/Curve": YES1,
    "Carbon/{carbon}/{Value}": YES1,
    "Carbon/{carbon}/Curve": YES1,
    "Venus/{venus}/Services": YES1,
    "Venus/{venus}/Status": YES1,
    "Venus/{venus}/Shown": YES1,
}
QUANTITIES = [
    "GridPower",
    "GridPowerL1",
    "GridPowerL2",
    "GridPowerL3",
    "GridVoltageL1",
    "GridVoltageL2",
    "GridVoltageL3",
    "GridCurrentL1",
    "GridCurrentL2",
    "GridCurrentL3",
    "GridFrequency",
    "GridImportEnergy",
    "GridExportEnergy",
    "PvPower",
    "PvString1Power",
    "PvString2Voltage",
    "PvString12Current",
    "PvEnergy",
    "PvEnergyToday",
    "BatteryPower",
    "BatterySoc",
    "BatterySoh",
    "BatteryVoltage",
    "BatteryCurrent",
    "BatteryTemperature",
    "BatteryCapacity",
    "BatteryChargeEnergy",
    "BatteryDischargeEnergy",
    "BatteryTimeToGo",
    "LoadPower",
    "LoadEnergy",
    "InverterPower",
    "InverterTemperature",
    "InverterState",
    "Power",
    "PowerL1",
    "PowerL2",
    "PowerL3",
    "Voltage",
    "VoltageL1",
    "Current",
    "CurrentL3",
    "Energy",
    "Temperature",
    "Humidity",
    "Pressure",
    "VehicleState",
    "ChargingCurrent",
    "ChargingPhases",
    "SessionEnergy",
    "GridPowerFactorL1",
    "GridApparentPowerL2",
    "GridReactivePowerL3",
    "GridImportEnergyL1",
    "GridExportEnergyL3",
    "PowerFactor",
    "ApparentPower",
    "ReactivePower",
]
CONTROLS = [
    "BatterySetpoint",
    "BatteryMode",
    "MinSoc",
    "MaxSoc",
    "MaxChargePower",
    "MaxDischargePower",
    "GridSetpoint",
    "Switch",
    "ChargeCurrent",
    "ChargePhases",
    "ChargeMode",
]
LEASES = {"BatterySetpoint", "BatteryMode", "GridSetpoint", "ChargeCurrent", "ChargeMode"}
FIELDS = {
    "IsAutomatic": False,
    "Consumption": None,
    "CustomName": None,
    "IgnoreBatReservation": False,
    "Request": 0,
    "StepSize": None,
    "Minimum": 0,
    "Priority": 100,
    "PriorityShift": 0,
    "StartDelay": 0,
    "StopDelay": 0,
    "MinOn": 0,
    "MinOff": 0,
    "OffFor": None,
    "Note": None,
    "VRMInstanceID": None,
    "IsScriptedConsumer": None,
}
SITE = [
    "GridPower",
    "PvPower",
    "BatteryPower",
    "BatterySoc",
    "LoadPower",
    "ControlledPower",
    "Surplus",
    "Reservation",
    "Available",
    "Assigned",
    "Remaining",
]


def test_the_topics_are_these_with_their_retain_flag_and_qos() -> None:
    assert {t.pattern: (t.retain, t.qos) for t in C.topics.values()} == TOPICS


@pytest.mark.parametrize("name", QUANTITIES)
def test_quantity(name: str) -> None:
    quantity = C.quantity(name)
    assert quantity.name == name
    assert quantity.doc
    assert quantity.max_age
    channel = C.match(f"Devices/meter/{name}")
    assert channel is not None
    assert channel.topic.key == "quantity"
    assert channel.max_age == quantity.max_age
    assert (channel.retain, channel.qos, channel.expiry) == (True, 0, None)


@pytest.mark.parametrize("name", CONTROLS)
def test_control(name: str) -> None:
    assert C.control(name).lease == (name in LEASES | {"ChargePhases"})
    for tail, key in (("", "control"), ("/Set", "control_set"), ("/Result", "control_result")):
        channel = C.match(f"Devices/ess/{name}{tail}")
        assert channel is not None
        assert channel.topic.key == key
        assert channel.params == {"device": "ess", "Control": name}


@pytest.mark.parametrize(("name", "default"), FIELDS.items())
def test_field(name: str, default: object) -> None:
    field = C.fields[name]
    assert field.default == default
    assert type(field.default) is not bool or isinstance(default, bool)
    assert C.field(name.lower()) is C.field(name.upper()) is field


def test_there_are_no_other_fields() -> None:
    assert set(C.fields) == set(FIELDS)


@pytest.mark.parametrize("name", SITE)
def test_site_value(name: str) -> None:
    assert C.channel("Site/{Value}", Value=name).address == f"Site/{name}"


def test_max_ages_and_noise_bands() -> None:
    ages = {name: C.quantity(name).max_age for name in QUANTITIES}
    assert ages["GridPower"] == 8
    assert ages["BatteryPower"] == ages["LoadPower"] == 15
    assert ages["PvPower"] == 60
    assert ages["BatterySoc"] == 300
    assert C.quantity("PvPower").noise_floor == C.quantity("LoadPower").noise_floor == -100
    assert C.quantity("GridPower").noise_floor is None
    assert C.quantity("BatteryPower").noise_floor is None


def test_a_family_has_its_members_and_no_more() -> None:
    assert C.quantity("PvString2Power").family == "PvString{n}Power"
    assert C.quantity("GridPower").family is None
    for name in ("PvString0Power", "PvString25Power", "GridPowerL4", "GridPowerL", "gridpower"):
        with pytest.raises(ContractError, match="is not a quantity"):
            C.quantity(name)
        assert C.match(f"Devices/meter/{name}") is None


def test_home_assistant_classes_fit_their_units() -> None:
    units: dict[str, set[str | None]] = {
        "power": {"W"},
        "energy": {"kWh"},
        "energy_storage": {"kWh", "Wh"},
        "battery": {"%"},
        "voltage": {"V"},
        "current": {"A"},
        "frequency": {"Hz"},
        "temperature": {"°C"},
        "humidity": {"%"},
        "atmospheric_pressure": {"hPa"},
        "duration": {"s"},
        "apparent_power": {"VA"},
        "reactive_power": {"var"},
        "power_factor": {None},
        "signal_strength": {"dBm"},
        "enum": {None},
    }
    for quantity in C.quantities.values():
        if quantity.device_class is not None:
            assert quantity.unit in units[quantity.device_class], quantity.name
        # Home Assistant refuses an enum with a state class, and energy as a mere measurement.
        wanted = {"enum": None, "energy": "total_increasing"}
        state_class = wanted.get(quantity.device_class or "", "measurement")
        assert quantity.state_class == state_class, quantity.name
        assert bool(quantity.options) == (quantity.kind == "word"), quantity.name


def test_allowances_expire_with_their_ttl() -> None:
    for name in ("Allowance", "Grant"):
        channel = C.channel(f"Requests/{{consumer}}/{name}", consumer="pool")
        assert channel.expiry == C.limits.allowance_ttl == 30
    assert {t.key for t in C.topics.values() if t.expiry} == {"allowance", "grant"}


def test_wills() -> None:
    wills = {t.pattern: t.will for t in C.topics.values() if t.will}
    statuses = ("Bridge/Status", "Actors/{actor}/Status", "Venus/{venus}/Status")
    assert wills == dict.fromkeys(statuses, "offline")


def test_plain_topics_stay_under_200_bytes() -> None:
    longest = "x" * 32
    for key in ("reason", "request_error"):
        topic = C.topics[key]
        channel = C.channel(topic.pattern, consumer=longest)
        size = len(f"{C.base}/{channel.address}") + len(channel.encode("ü" * 500))
        assert size <= 200


def broken(**changes: object) -> Contract:
    raw = yaml.safe_load(contract_file().read_text())
    for path, value in changes.items():
        table, name = path.split("__")
        raw[table][name] = value
    return Contract(raw)


def test_an_unsound_contract_is_refused() -> None:
    flag = {"type": "flag", "platform": "switch"}
    with pytest.raises(ContractError, match="GridPower both as quantity and as control"):
        broken(controls__GridPower=flag)
    with pytest.raises(ContractError, match="twice"):
        broken(controls__Status=flag)
    with pytest.raises(ContractError, match=r"fields\.Odd .*unknown field"):
        broken(fields__Odd={"type": "flag", "colour": "red"})
    topic: dict[str, object] = {"pattern": "X"}
    topic |= {"payload": {"type": "json", "shape": "nowhere"}, "retain": "no"}
    topic |= {"qos": 0, "writer": "site", "readers": [], "doc": ""}
    with pytest.raises(ContractError, match="unknown table nowhere"):
        broken(topics__x=topic)
    with pytest.raises(ContractError, match="uses maxLength, which is not known"):
        broken(shapes__health={"type": "string", "maxLength": 3}).match("Actors/a/Health")
    with pytest.raises(ContractError, match="needs min, max and digits"):
        broken(quantities__Odd={"type": "number"}).match("Devices/d/Odd")
