"""Ini files as people have them."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.importing.ini import Ini, decode, parse


def values(ini: Ini, name: str) -> dict[str, str]:
    section = ini.get(name)
    return {key: section.value(option)[0] for key, option in section.options.items()}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_comments_and_blanks(end: str) -> None:
    text = end.join(["# one", "; two", "[ A ]", "Key = a = b ", "", "  # three", "Other:c"])
    assert values(parse(text), "a") == {"key": "a = b", "other": "c"}


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("[A]\nN=Wärme\n".encode(), None),
        ("[A]\nN=Wärme\n".encode("utf-8-sig"), None),
        ("[A]\nN=Wärme\n".encode("utf-16"), None),
        ("[A]\nN=Wärme\n".encode("latin-1"), "the file is not UTF-8; it was read as Latin-1"),
    ],
)
def test_encodings(content: bytes, note: str | None) -> None:
    text, found = decode(content)
    assert found == note
    assert values(parse(text), "A") == {"n": "Wärme"}


def test_percent_signs() -> None:
    text = "[DEFAULT]\nh=x\n[A]\na=100%%\nb=5%\nc=%(h)s/%(a)s\nd=%(none)s\ne=%(f)s\nf=%(e)s\n"
    section = parse(text).get("A")
    assert section.value(section.options["a"]) == ("100%", None)
    assert section.value(section.options["b"])[0] == "5%"
    assert "single %" in str(section.value(section.options["b"])[1])
    assert section.value(section.options["c"]) == ("x/100%", None)
    assert section.value(section.options["d"])[0] == "%(none)s"
    assert section.value(section.options["e"])[1] is not None


def test_what_refers_to_itself_many_times_does_not_grow_without_end() -> None:
    section = parse("[A]\na=" + "%(a)s" * 500).get("A")
    assert len(section.value(section.options["a"])[0]) <= 4096


def test_several_lines_of_one_value() -> None:
    assert values(parse("[A]\nk = one\n   two\n\n\tthree\nnext=4"), "A") == {
        "k": "one\ntwo\nthree",
        "next": "4",
    }


def test_what_is_broken_is_told_and_passed_over() -> None:
    ini = parse("k=1\n[A]\nno key\n=2\nk=1\nk=2\n[B\nk=3\n[a]\nl=4\n")
    assert values(ini, "A") == {"k": "2", "l": "4"}
    assert [each.name for each in ini.sections.values()] == ["A"]
    assert [number for *_, number in ini.notes] == [1, 3, 4, 5, 7, 8, 9]


def test_inherited_options_are_found_and_the_own_one_wins() -> None:
    ini = parse("[A]\nk=own\n[Default]\nK=1\nL=2\n")
    section = ini.get("A")
    assert [section.find(key).raw for key in ("K", "l")] == ["own", "2"]  # type: ignore[union-attr]
    assert section.find("m") is None


PLAIN = st.text(st.sampled_from("abcÄ .:/=?&\"'\\$€"), max_size=20)


@given(st.dictionaries(st.sampled_from(["Ab", "c", "Dd"]), PLAIN, max_size=3))
@settings(max_examples=200, deadline=None)
def test_good_files_mean_what_they_mean_to_es_ess(options: dict[str, str]) -> None:
    text = "[A]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
    theirs = configparser.ConfigParser()
    theirs.optionxform = str  # type: ignore[assignment,method-assign]
    theirs.read_string(text)
    assert values(parse(text), "A") == {key.lower(): theirs["A"][key] for key in options}


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_file(content: bytes) -> None:
    ini = parse(decode(content)[0])
    for section in ini.sections.values():
        for option in section.options.values():
            assert isinstance(section.value(option)[0], str)
