"""Which topics have samples, and what is one."""

from __future__ import annotations

import pytest

from bridge.contract import load_contract
from bridge.errors import PayloadError
from bridge.sinks.sample import Sample, Samples

SAMPLES = Samples(load_contract())


def take(address: str, payload: bytes) -> Sample | None:
    series = SAMPLES.series(address)
    assert series is not None
    return series.sample(payload, 7)


@pytest.mark.parametrize(
    ("address", "payload", "wanted"),
    [
        (
            "Devices/meter/GridPower",
            b"-1200.5",
            ("Devices", "device", "meter", "GridPower", -1200.5),
        ),
        ("Devices/ess/PvString3Power", b"20", ("Devices", "device", "ess", "PvString3Power", 20.0)),
        ("Devices/plug/Switch", b"on", ("Devices", "device", "plug", "Switch", True)),
        ("Devices/plug/Status", b"stale", ("Devices", "device", "plug", "Status", "stale")),
        ("Site/Surplus", b"7", ("Site", None, None, "Surplus", 7.0)),
        ("Site/Pause", b"false", ("Site", None, None, "Pause", False)),
        (
            "Requests/pool/Allowance",
            b"1365.5",
            ("Requests", "consumer", "pool", "Allowance", 1365.5),
        ),
        ("Requests/pool/priority", b"5", ("Requests", "consumer", "pool", "Priority", 5.0)),
        ("Tariffs/a/ImportPrice", b"0.3", ("Tariffs", "tariff", "a", "ImportPrice", 0.3)),
        ("Forecasts/f/PvPower", b"900", ("Forecasts", "forecast", "f", "PvPower", 900.0)),
        ("Actors/pool/Status", b"online", ("Actors", "actor", "pool", "Status", "online")),
        ("Bridge/Status", b"online", ("Bridge", None, None, "Status", "online")),
    ],
)
def test_numbers_flags_and_words(address: str, payload: bytes, wanted: tuple[object, ...]) -> None:
    sample = take(address, payload)
    assert sample is not None
    assert tuple(sample) == (*wanted, 7)
    assert sample.address.casefold() == address.casefold()


@pytest.mark.parametrize(
    "address",
    [
        *("Devices/meter/State", "Devices/meter/Info", "Site/State", "Site/Balance"),
        *("Requests/pool/Reason", "Requests/pool/CustomName", "Requests/pool", "Tariffs/a/Curve"),
        *("Devices/plug/Switch/Set", "Devices/plug/Switch/Result", "Requests/pool/Priority/Set"),
        *("Site/Pause/Set", "Actors/pool/Messages/Error", "Devices/meter/NoSuchThing", "Nonsense"),
    ],
)
def test_json_sentences_wishes_and_unknown_names_have_none(address: str) -> None:
    assert SAMPLES.series(address) is None
    assert SAMPLES.series(address) is None  # remembered


def test_unknown_is_no_sample_and_never_0() -> None:
    assert take("Devices/meter/GridPower", b"") is None


@pytest.mark.parametrize("payload", [b"nan", b"1e999", b"12 W", b"2000000", b"\xff"])
def test_what_the_contract_refuses_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        take("Devices/meter/GridPower", payload)
