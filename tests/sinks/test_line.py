"""Line protocol: whatever a topic and a value are, a reader gets them back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.sinks.influx.line import Lines, about, field, name, stamp
from bridge.contract import load_contract
from bridge.sinks.sample import Sample, Samples
from tests.sinks.parts import read_line
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "line_protocol_check.py"
AT = 1_795_132_800_123_456_000
ids = st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True)
texts = st.text(min_size=1, max_size=40)
values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**9), 10**9),
    st.booleans(),
    texts,
)
times = st.integers(0, 4_000_000_000_000_000_000)


def lines(**tags: str) -> Lines:
    return Lines("heliograph", tags, "ms", words=True)


@pytest.mark.parametrize(
    ("sample", "wanted"),
    [
        (
            Sample("Devices", "device", "meter", "GridPower", -1200.5, AT),
            "Devices,base=heliograph,device=meter GridPower=-1200.5 1795132800123000000",
        ),
        (
            Sample("Site", None, None, "BatterySoc", 85.0, AT),
            "Site,base=heliograph BatterySoc=85 1795132800123000000",
        ),
        (
            Sample("Requests", "consumer", "pool", "IsAutomatic", True, AT),
            "Requests,base=heliograph,consumer=pool IsAutomatic=true 1795132800123000000",
        ),
        (
            Sample("Devices", "device", "car", "VehicleState", "charging", AT),
            'Devices,base=heliograph,device=car VehicleState="charging" 1795132800123000000',
        ),
    ],
)
def test_the_layout(sample: Sample, wanted: str) -> None:
    assert lines().line(sample) == wanted.encode()
    assert about(wanted.encode()) == wanted[: wanted.rindex("=")]


def test_further_tags_are_sorted_and_escaped() -> None:
    sample = Sample("Site", None, None, "GridPower", 1, AT)
    found = lines(house="my house, a=b", area="x").line(sample)
    assert (
        found
        == rb"Site,area=x,base=heliograph,house=my\ house\,\ a\=b GridPower=1 "
        + str(AT // 10**6 * 10**6).encode()
    )


def test_the_id_wins_over_a_tag_of_the_owner() -> None:
    sample = Sample("Devices", "device", "meter", "Power", 1, AT)
    assert b"device=meter" in (lines(device="mine").line(sample) or b"")


def test_what_is_no_number_has_no_line() -> None:
    assert field(float("nan")) is None
    assert field(float("-inf")) is None
    assert Lines("b", {}, "s", words=False).line(Sample("Site", None, None, "x", "w", 1)) is None


def test_precision_cuts_and_keeps_nanoseconds() -> None:
    assert stamp(AT, "ms") == 1_795_132_800_123_000_000
    assert stamp(AT, "s") == 1_795_132_800_000_000_000


def test_strange_ids_do_not_fill_the_memory() -> None:
    found = lines()
    for number in range(20_001):
        found.line(Sample("Devices", "device", f"d{number}", "Power", 1, AT))
    assert len(found._heads) <= 20_000


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (10**15, "1000000000000000.0"),
        (2**63, "9.223372036854776e+18"),
        (-(10**18) - 1, "-1e+18"),
        (1e308, "1e+308"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (10**400, None),
        ("a\nb\r\0c", '"a_b__c"'),
        ('"', '"\\""'),
        ("\\", '"\\\\"'),
    ],
)
def test_odd_values_stay_floats_and_one_line(value: Any, wanted: str | None) -> None:
    assert field(value) == wanted


def expected(sample: Sample, tags: dict[str, str]) -> dict[str, Any]:
    """What must come back, with what the protocol cannot say replaced."""

    def said(text: str, forbidden: str) -> str:
        return "".join("_" if unsayable(each, forbidden) else each for each in text)

    wanted = {said(k, "\\"): said(v, "\\") for k, v in tags.items()}
    wanted |= {"base": "heliograph"}
    if sample.owner and sample.id:
        wanted[sample.owner] = said(sample.id, "\\")
    value = sample.value
    if isinstance(value, str):
        value = "".join(
            "_" if each < " " or "\ud800" <= each <= "\udfff" else each for each in value
        )
    return {
        "measurement": said(sample.group, "\\"),
        "tags": wanted,
        "field": said(sample.name, "\\"),
        "value": value,
        "time": sample.at // 10**6 * 10**6,
    }


def unsayable(each: str, forbidden: str) -> bool:
    odd = each < " " or each in "\x7f\x85\u2028\u2029" or "\ud800" <= each <= "\udfff"
    return odd or each in forbidden


@given(group=texts, id_=texts, quantity=texts, value=values, at=times, tag=texts, text=texts)
@settings(max_examples=300, deadline=None)
def test_any_line_is_read_back(
    group: str, id_: str, quantity: str, value: Any, at: int, tag: str, text: str
) -> None:
    sample = Sample(group, "device", id_, quantity, value, at)
    tags = {} if name(tag) in {"base", "device"} else {tag: text}
    line = lines(**tags).line(sample)
    assert line is not None
    assert b"\n" not in line
    assert read_line(line.decode()) == expected(sample, tags)


CONTRACT = load_contract()
PLAIN = sorted(
    f"Devices/x/{name}"
    for name, each in [*CONTRACT.quantities.items(), *CONTRACT.controls.items()]
    if "{" not in name and each.kind in {"number", "flag", "word"}
)


@given(address=st.sampled_from(PLAIN), number=st.floats(-1e6, 1e6), device=ids, at=times)
@settings(max_examples=200, deadline=None)
def test_a_payload_that_the_contract_takes_is_read_back(
    address: str, number: float, device: str, at: int
) -> None:
    address = address.replace("/x/", f"/{device}/")
    series = Samples(CONTRACT).series(address)
    assert series is not None
    kind = series.channel.value
    assert kind is not None
    payload = b"true" if kind.kind == "flag" else f"{number:.3f}".encode()
    if kind.kind == "word":
        payload = (kind.options or ("word",))[0].encode()
    elif kind.kind == "number" and kind.min is not None and kind.max is not None:
        payload = f"{min(max(number, kind.min), kind.max):.3f}".encode()
    sample = series.sample(payload, at)
    assert sample is not None
    found = read_line((lines().line(sample) or b"").decode())
    assert found["tags"] == {"base": "heliograph", "device": device}
    assert found["field"] == address.rpartition("/")[2]
    assert found["value"] == sample.value
    assert type(found["value"]) is (float if kind.kind == "number" else type(sample.value))


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_another_parser_reads_the_same(tmp_path: Path) -> None:
    python = oracle_python(["line-protocol-parser==2.0.1"])
    odd = [
        "plain",
        "a b",
        "a,b",
        "a=b",
        'say "hi"',
        "back\\slash",
        "end\\",
        "tab\there",
        "ümläut",
        "日本",
    ]
    some: list[Any] = [1.5, -0.0, 1e22, 1e-9, 12345678901234.0, True, False, *odd]
    cases = [
        (Sample(group, "device", id_, quantity, value, AT), {tag: text})
        for group, id_, quantity, tag, text in zip(
            odd, odd[1:], odd[2:], odd[3:], odd[4:], strict=False
        )
        for value in some
    ]
    given_lines = [(lines(**tags).line(sample) or b"").decode() for sample, tags in cases]
    place = tmp_path / "lines.json"
    place.write_text(json.dumps(given_lines))
    answers = await ask_oracle(python, SCRIPT, str(place))
    assert len(answers) == len(cases) > 80
    for answer, (sample, tags) in zip(answers, cases, strict=True):
        wanted = expected(sample, tags)
        assert answer == {
            "measurement": wanted["measurement"],
            "tags": wanted["tags"],
            "fields": {wanted["field"]: wanted["value"]},
            "time": wanted["time"],
        }
