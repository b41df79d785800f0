"""No input crashes the importer, and what it writes can always be read."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bridge.importing import convert
from tests.importing.support import FILES, checked


class _Loader(yaml.SafeLoader):
    """YAML, and our `!file`."""


_Loader.add_constructor("!file", lambda _, node: node.value)

NAMES = ("small", "full", "broken", "fork")
LINES = [
    line
    for name in NAMES
    for line in (FILES / f"{name}.ini").read_text(encoding="utf-8").splitlines()
    if line
]
HEADERS = sorted({line for line in LINES if line.startswith("[")})
KEYS = sorted({line.partition("=")[0].strip() for line in LINES if "=" in line})
ODD = [
    *("", "true", "FALSE", "0", "-1", "1e999", "nan", "99999999", "0.5", "1,5", "$", "${HOME}"),
    *("$$", "%", "%%", "a b", "'", '"', "\\", "#", ": ", "- x", "!file x", "{a: b}", "[1]", "null"),
    *(
        "http://[::1",
        "http://u:p@h:99999/",
        "http://h/?q=$x",
        "https://h",
        "//",
        "com.victronenergy.",
    ),
    *("é\x85\u2028", "\U0001f31e", "\x7f\x01", "*", "/", "a/#", "(", "(a)(b)", "SOC**SOC", "1/0"),
]
VALUES = st.one_of(
    st.sampled_from(ODD),
    st.sampled_from([line.partition("=")[2].strip() for line in LINES]),
    st.text(max_size=30),
    st.floats().map(str),
    st.integers().map(str),
)
OPTION = st.tuples(st.sampled_from(KEYS), VALUES).map(" = ".join)
SECTIONS = st.one_of(st.sampled_from(HEADERS), VALUES.map(lambda key: f"[HttpConsumer:{key}]"))
ON = "[Services]\n" + "".join(
    f"{name}=true\n"
    for name in (
        *("SolarOverheadDistributor", "TimeToGoCalculator", "FroniusWattpilot", "MqttExporter"),
        *("MqttTemperature", "NoBatToEV", "Shelly3EMGrid", "ShellyPMInverter"),
        *("FroniusSmartmeterJSON", "MqttPVInverter", "ChargeCurrentReducer"),
    )
)
# A whole configuration is checked each time: making a failure smaller would take minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
RUBBISH = st.lists(st.one_of(SECTIONS, OPTION, OPTION, OPTION, st.text(max_size=40)), max_size=60)


def read(text: str) -> object:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with one tag more


def judge(text: str) -> None:
    made = convert(text)
    assert isinstance(read(made.yaml), dict)
    with tempfile.TemporaryDirectory() as folder:
        assert checked(made, Path(folder)) == []


@given(st.one_of(st.binary(max_size=3000), st.text(max_size=3000)))
@settings(max_examples=200, deadline=None, phases=PHASES)
def test_anything_at_all(content: bytes | str) -> None:
    assert isinstance(read(convert(content).yaml), dict)


@pytest.mark.slow
@given(RUBBISH)
@settings(max_examples=40, deadline=None, phases=PHASES)
def test_sections_keys_and_values_in_any_order_pass_check(lines: list[str]) -> None:
    judge(ON + "\n".join(lines))


@pytest.mark.slow
@given(st.data())
@settings(max_examples=40, deadline=None, phases=PHASES)
def test_a_good_file_with_some_values_changed_passes_check(data: st.DataObject) -> None:
    lines = (FILES / "full.ini").read_text(encoding="utf-8").splitlines()
    places = [index for index, line in enumerate(lines) if "=" in line]
    for index in data.draw(st.lists(st.sampled_from(places), max_size=12)):
        lines[index] = f"{lines[index].partition('=')[0]}= {data.draw(VALUES)}"
    judge("\n".join(lines))


LARGEST = 1_000_000  # what the command reads at most
SWITCHES = "[Services]\nSolarOverheadDistributor=true\n"


@pytest.mark.parametrize(
    "text",
    [
        "[Common]\na" + " " * LARGEST + "b",
        "[Common]\n" + "x\n" * 100_000,
        "[Common]\n" + "x=1\n" * 100_000,
        "[Common]\nA=1\n" + " y\n" * 100_000,
        "[Common]\n" + "".join(f"k{each}=1\n" for each in range(50_000)),
        "".join(f"[s{each}]\n" for each in range(50_000)),
        SWITCHES + "".join(f"[HttpConsumer:{each}]\nOnUrl=x\n" for each in range(20_000)),
    ],
    ids=["one line", "no options", "one key", "one value", "keys", "sections", "consumers"],
)
def test_the_time_grows_with_the_file_and_no_faster(text: str) -> None:
    """Squares of these numbers of lines or characters would be hours."""
    begun = time.monotonic()
    convert(text)
    assert time.monotonic() - begun < 60
