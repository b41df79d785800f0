"""Bad YAML: one plain sentence with the line, whatever it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from tests.config.helpers import Judge

_INDENT = "this line does not fit the lines above: check its indentation, quotes and commas"
_UNCLOSED = "a bracket or brace that is opened here is never closed, or a comma is missing"
_QUOTE = "a quote that is opened here is never closed"
_TAB = "a tab stands where blanks must: indent with spaces only"
_COLON = "a ':' stands where it cannot: check the indentation, or put the value in quotes"
_NO_KEY = "this is no 'key: value' line: a ':' followed by a blank is missing"
_BASE = "base: a\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\tbase: x", f"1: {_TAB}"),
        ("broker:\n\turl: x", f"2: {_TAB}"),
        ("base: a\n\tstate: b", f"2: {_TAB}"),
        ("broker:\n  \turl: x", f"2: {_TAB}"),
        (_BASE + "state: 'x", f"2: {_QUOTE}"),
        (_BASE + 'state: "x\n\n\n', f"2: {_QUOTE}"),
        (_BASE + "actors: [1, 2", f"2: {_UNCLOSED}"),
        (_BASE + "actors: {a: 1\nb: 2}", f"2: {_UNCLOSED}"),
        (
            "broker: {url: embedded, password: ${X}}",
            '1: inside { } and [ ] a ${NAME} must be in quotes, as in {password: "${NAME}"}',
        ),
        (_BASE + "state: a: b", f"2: {_COLON}"),
        (_BASE + "  state: b", f"2: {_COLON}"),
        (_BASE + "state\n", f"2: {_NO_KEY}"),
        (_BASE + "state\nsite: x\n", f"2: {_NO_KEY}"),
        (_BASE + "state: 'x' y", f"2: {_INDENT}"),
        ("site:\n    grid: a\n  pv: b", f"3: {_INDENT}"),
        ("- a\nbase: b", f"2: {_INDENT}"),
        (_BASE + "...\nmore", f"3: {_INDENT}"),
        (_BASE + "state: @x", "2: a value must not begin with '@' unless it is in quotes"),
        (_BASE + "state: %x", "2: a value must not begin with '%' unless it is in quotes"),
        (_BASE + "state: `x`", "2: a value must not begin with '`' unless it is in quotes"),
        (
            _BASE + 'state: "\\q"',
            "2: a '\\' inside double quotes is an escape, and an unknown one: use single quotes",
        ),
        ("%FOO\nbase: a", "1: a line must not begin with '%'"),
        (
            _BASE + "state: &",
            "2: a value must not begin with '&' or '*' unless it is in quotes",
        ),
        (
            _BASE + "state: }",
            "2: a value is missing here, or a bracket or brace is one too many",
        ),
        (
            _BASE + "state: !x!y z",
            "2: a value must not begin with '!' unless it is in quotes or begins with '!file '",
        ),
        (_BASE + "state: !foo b", "2: a value that begins with '!' must be in quotes, or !file"),
        (_BASE + "site: !foo {grid: x}", "2: a section or list must not begin with '!'"),
        (
            _BASE + "state: *hunter",
            "2: '*' repeats an '&' anchor above, and none has that name: put text in quotes",
        ),
        (_BASE + "---\nbase: b", "2: a second document begins here ('---'): one file holds one"),
        (_BASE + "? [a]\n: b", "2: a key must be a plain word"),
        ("a: &x b\n*x : c", "2: a key must not begin with '*'"),
        ("actors: {'': x}", "1: a key is missing before the ':'"),
        ("actors: {!file a: x}", "1: a key must not begin with '!'"),
        (_BASE + "actors: &a [*a]", "2: this section contains itself through its '*' alias"),
        ("- a\n- b\n", "1: a configuration consists of 'key: value' lines"),
        ("hello", "1: a configuration consists of 'key: value' lines"),
        ("", "1: the file is empty: it needs at least 'actors:'"),
        ("\n# only words\n", "1: the file is empty: it needs at least 'actors:'"),
        ("---\n", "1: the file is empty: it needs at least 'actors:'"),
        ("base: a\x00", "1: an invisible character (U+0000) stands here: remove it"),
        ("base: a\r\n# \u2028", "2: an invisible character (U+2028) stands here: remove it"),
        ("a: " + "[" * 40, "1: sections are nested too deeply here"),
    ],
)
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_one_sentence(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, loader: str, text: str, problem: str
) -> None:
    # PyYAML comes with and without libyaml; the two word and place their complaints differently.
    monkeypatch.setattr("bridge.config.tree._LOADER", getattr(yaml, loader))
    assert problem in judge.problems(text)


def test_not_utf8(judge: Judge) -> None:
    found = judge.problem("base: a\r\n\n# für mich\n".encode("latin-1"))
    assert found == "3: this is not UTF-8 text: save the file as UTF-8"


def test_utf16(judge: Judge) -> None:
    assert judge.problem("base: a".encode("utf-16")) == (
        "1: the file is saved as UTF-16: save it as UTF-8"
    )


def test_a_byte_order_mark_is_skipped_with_a_warning(judge: Judge) -> None:
    text = "base: a\nactors: {x: {kind: external}}".encode("utf-8-sig")
    assert judge.load(text).base == "a"
    assert judge.warnings(text) == [
        "1: the file begins with a byte order mark: save it as UTF-8 without BOM"
    ]


def test_too_large(judge: Judge) -> None:
    assert judge.problem(b"#" * 1_000_001) == "1: the file is larger than 1000 kB"
    assert "empty" in judge.problem(b"#" * 1_000_000)


def test_duplicate_keys_name_both_lines(judge: Judge) -> None:
    text = "base: a\nactors:\n  x: {kind: external, kind: external}\n  y: {kind: external}\n"
    text += "  y: {kind: external}\nbase: b\n"
    assert judge.problems(text) == [
        "3: key 'kind' stands here again: line 3 has it already",
        "5: key 'y' stands here again: line 4 has it already",
        "6: key 'base' stands here again: line 1 has it already",
    ]


def test_alias_bomb_is_refused_at_once(judge: Judge) -> None:
    rows = ["actors: &a0 {a: x, b: y}"]
    rows += [f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    begun = time.monotonic()
    found = judge.problems("\n".join(rows))
    assert "5: the file holds more than 20000 values, its aliases counted" in found
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "text",
    ["[" * 900_000, "{" * 900_000, "- " * 450_000, "? " * 450_000, "a: {" * 200_000,
     "- \n" * 300_000, "a:\n" * 300_000, "&a " * 300_000, "*a\n" * 300_000, "!file x\n" * 100_000,
     "a: ${A}" * 100_000, "a: '" + "$" * 900_000 + "'", "'" * 900_000, '"\\' * 400_000,
     "k: " + "<<" * 400_000, "{a: &x {<<: [" + "*x, " * 200_000],
)  # fmt: skip
def test_bulk_is_refused_in_bounded_time(judge: Judge, text: str) -> None:
    judge.env["A"] = "x" * 50_000
    begun = time.monotonic()
    assert judge.problems(text)
    assert time.monotonic() - begun < 20


def test_merge_keys(judge: Judge) -> None:
    config = judge.load(
        "actors:\n"
        "  a: &a {kind: shelly, host: a, port: 81}\n"
        "  b: &b {kind: shelly, host: b, timeout: 9}\n"
        "  c: {<<: *a, host: c}\n"
        "  d: {host: d, <<: [*b, *a]}\n"
    )
    c, d = config.actors["c"].settings, config.actors["d"].settings
    assert (c.host, c.port, c.timeout) == ("c", 81, 3.0)
    assert (d.host, d.port, d.timeout) == ("d", 81, 9.0)


@pytest.mark.parametrize("merged", ["x", "[x]", "[{}, [x]]"])
def test_merge_key_that_is_no_section(judge: Judge, merged: str) -> None:
    found = judge.problem(f"actors:\n  a: {{kind: external, <<: {merged}}}")
    assert found == "2: '<<' must name a section, or a list of sections"


def test_two_merge_keys(judge: Judge) -> None:
    found = judge.problem("actors:\n  a: {<<: {kind: external}, <<: {}}")
    assert found == "2: '<<' stands twice in the same section: give it a list"


def test_hundreds_of_problems_are_cut(judge: Judge) -> None:
    found = judge.problems("\n".join(f"key{n}: 1" for n in range(5000)))
    assert len(found) == 201
    assert found[-1] == "200: more than 200 problems: stopped here"


def test_keys_are_shown_on_one_short_line(judge: Judge) -> None:
    found = judge.problem('"a\\nb\\e[31m' + "x" * 100 + '": 1\nactors: {a: {kind: external}}')
    assert found == f"1: unknown key 'a\\nb\\x1b[31m{'x' * 31}…'"
