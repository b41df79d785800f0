"""Every type a Settings struct may have: what is taken, and what is said when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.config.helpers import Judge


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("count: 5", "count", 5),
        ("count: -5", "count", -5),
        ("count: 0x1F", "count", 31),
        ("share: 0.25", "share", 0.25),
        ("share: 2.5e-1", "share", 0.25),
        ("share: .5", "share", 0.5),
        ("flag: true", "flag", True),
        ("flag: on", "flag", True),
        ("flag: No", "flag", False),
        ("name: on", "name", "on"),
        ("name: 08:00", "name", "08:00"),
        ("name: 12:30:45", "name", "12:30:45"),
        ("name: 0123", "name", "0123"),
        ("name: 1e3", "name", "1e3"),
        ("name: 'true'", "name", "true"),
        ("name: 24-12-01", "name", "24-12-01"),
        ("name: !!str 12", "name", "12"),
        ("name: a$$b$c", "name", "a$b$c"),
        ("shape: aaa", "shape", "aaa"),
        ("mode: hold", "mode", "hold"),
        ("mode: 5", "mode", 5.0),
        ("phases: 3", "phases", 3),
        ("equation: 5000", "equation", 5000.0),
        ("equation: 5000 - 40*SOC", "equation", "5000 - 40*SOC"),
        ("equation: '5'", "equation", "5"),
        ("words: a", "words", ("a",)),
        ("words: [a, b]", "words", ("a", "b")),
        ("words: []", "words", ()),
        ("table: {x: 80}", "table", {"x": 80}),
        ("table:", "table", {}),
        ("unique: [a, b]", "unique", {"a", "b"}),
        ("maybe:", "maybe", None),
        ("maybe: ~", "maybe", None),
        ("maybe: 3", "maybe", 3),
        ("channel: all", "channel", "all"),
        ("channel: 2", "channel", 2),
        ("from: x", "from_", "x"),
        (
            "anything: {a: [1, 2.5, yes, true, null, 08:00]}",
            "anything",
            {"a": [1, 2.5, "yes", True, None, "08:00"]},
        ),
    ],
)
def test_taken(judge: Judge, text: str, name: str, value: Any) -> None:
    found = getattr(judge.settings(text), name)
    assert found == value
    assert type(found) is type(value)


def test_enum_path_and_nested(judge: Judge) -> None:
    settings = judge.settings("colour: green\npath: data/day.csv\nplanes: [{tilt: 30}]")
    assert settings.colour.value == "green"
    assert settings.path == judge.path.parent / "data" / "day.csv"
    assert (settings.planes[0].tilt, settings.planes[0].azimuth) == (30.0, 180.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("count: abc", "'count' must be a whole number, but is 'abc'"),
        ("count: 1.5", "'count' must be a whole number, but is '1.5'"),
        ("count: 1_000", "'count' must be a whole number, but is '1_000'"),
        (
            "count: '5'",
            "'count' must be a whole number, but is '5' as text: leave the quotes out",
        ),
        (
            "count: 0123",
            "'count' must be a whole number, but is '0123': leave the leading zero out",
        ),
        ("count: 12:30", "'count' must be a whole number, but is '12:30'"),
        ("count: true", "'count' must be a whole number, but is 'true'"),
        ("count: [1]", "'count' must be a whole number, but is a list"),
        ("count: {a: 1}", "'count' must be a whole number, but is a section"),
        ("count:", "'count' has no value: it must be a whole number"),
        ("count: ''", "'count' must be a whole number, but is empty"),
        ("count: " + "9" * 5000, f"'count' must be a whole number, but is '{'9' * 39}…'"),
        ("share: 1.0", "'share' must be a number below 1, but is '1.0'"),
        ("share: 0", "'share' must be a number above 0, but is '0'"),
        ("share: .nan", "'share' must be a number, but is '.nan'"),
        ("share: 1e999", "'share' must be a finite number, but is '1e999'"),
        (
            "share: 0,5",
            "'share' must be a number, but is '0,5': write '.' for the decimal mark",
        ),
        ("even: 3", "'even' must be a whole number that is a multiple of 2, but is '3'"),
        ("even: -2", "'even' must be a whole number of at least 0, but is '-2'"),
        ("below: 11", "'below' must be a whole number of at most 10, but is '11'"),
        ("flag: maybe", "'flag' must be true or false, but is 'maybe'"),
        ("flag: 1", "'flag' must be true or false, but is '1'"),
        (
            "flag: 'true'",
            "'flag' must be true or false, but is 'true' as text: leave the quotes out",
        ),
        ("name: ''", "'name' must not be empty, but is empty"),
        (
            "name: true",
            "'name' must be text, but is 'true': put it in quotes if it is meant so",
        ),
        (
            "name: longer than this",
            "'name' must have at most 8 characters, but is 'longer than this' (16 characters)",
        ),
        ('name: "a\\0"', "'name' must be text without invisible characters, but is 'a\\x00'"),
        ("long: ab", "'long' must have at least 3 characters, but is 'ab'"),
        ("shape: b", "'shape' must be text of the form ^a+$, but is 'b'"),
        ("token: {a: b}", "'token' must be text, but is a section"),
        ("mode: hodl", "'mode' must be one of 'auto', 'hold' or a number, but is 'hodl'"),
        ("channel: al", "'channel' must be a whole number or 'all', but is 'al'"),
        ("phases: 2", "'phases' must be one of '1', '3', but is '2'"),
        (
            "colour: gren",
            "'colour' must be one of 'red', 'green', but is 'gren': did you mean 'green'?",
        ),
        ("equation: [1]", "'equation' must be a number or text, but is a list"),
        ("planes: {tilt: 3}", "'planes' must be a list, but is a section"),
        ("planes: [{tilt: 91}]", "'planes[1].tilt' must be a number from 0 to 90, but is '91'"),
        ("planes: [{tilt: 1}, {}]", "'planes[2].tilt' is missing"),
        (
            "planes: [{tilt: 1, tild: 2}]",
            "unknown key 'tild' in 'planes[1]' of actor 'one'",
        ),
        (
            "planes: [x]",
            "'planes[1]' must be a section with keys of its own, but is a single value",
        ),
        (
            "words: [a, 'b c']",
            "'words[2]' must be an id of 1 to 32 letters, digits, '_' or '-', but is 'b c'",
        ),
        (
            "words: b/c",
            "'words' must be an id of 1 to 32 letters, digits, '_' or '-', but is 'b/c'",
        ),
        ("words: [a, b, c, d]", "'words' must have at most 3 entries"),
        ("table: {x: 0}", "'table.x' must be a whole number from 1 to 65535, but is '0'"),
        ("unique: [a, a]", "'unique' names something twice"),
        ("from_: x", "unknown key 'from_' in actor 'one': did you mean 'from'?"),
        ("Count: 3", "unknown key 'Count' in actor 'one': did you mean 'count'?"),
        ("zzzzz: 3", "unknown key 'zzzzz' in actor 'one'"),
    ],
)
def test_refused(judge: Judge, text: str, sentence: str) -> None:
    found = judge.fault(text)
    prefix = "" if sentence.startswith("unknown") else "actor 'one': "
    assert found == f"4: {prefix}{sentence}"


def test_lines_are_those_of_the_key(judge: Judge) -> None:
    text = "planes:\n  - tilt: 10\n  - tilt: 100\n\ncount:\n  abc\nshare: 2"
    found = judge.problems(f"actors:\n  one:\n    kind: everything\n{_indent(text)}")
    assert found == [
        "6: actor 'one': 'planes[2].tilt' must be a number from 0 to 90, but is '100'",
        "8: actor 'one': 'count' must be a whole number, but is 'abc'",
        "10: actor 'one': 'share' must be a number below 1, but is '2'",
    ]


def test_the_check_hook(judge: Judge) -> None:
    assert judge.fault("flag: true\ncount: 13") == "5: actor 'one': 'count' must not be 13"


def test_the_check_hook_points_into_lists_and_shows_no_secret(judge: Judge) -> None:
    judge.env["NAME"] = "peter"
    text = "count: 14\nplanes:\n  - {tilt: 1}\n  - {tilt: 2}\nname: ${NAME}\ntoken: hunter2"
    assert judge.fault(text) == "7: actor 'one': bad with *** and ***"


def test_a_hook_that_crashes_is_a_problem_not_a_traceback(judge: Judge) -> None:
    assert judge.fault("count: 15") == (
        "2: actor 'one': its settings cannot be judged (RuntimeError)"
    )


def test_a_struct_that_refuses_itself(judge: Judge) -> None:
    judge.env["SUM"] = "hunter2"
    assert judge.fault("count: 16\nequation: ${SUM}") == "2: actor 'one': 16 does not go with ***"


def _indent(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())
