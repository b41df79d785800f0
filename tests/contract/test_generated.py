"""What is generated from topics.yaml, and the command that shows it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

import pytest

from bridge.cli import topics
from bridge.contract import contract_file, load_contract
from bridge.contract.docs import markdown

if TYPE_CHECKING:
    from pathlib import Path

C = load_contract()


def heliograph(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    topics.add_parser(parser.add_subparsers(dest="command"))
    return topics.run(parser.parse_args(["topics", *arguments]))


def test_docs_are_up_to_date() -> None:
    page = contract_file().parent / "docs" / "topics.md"
    assert page.read_text(encoding="utf-8") == markdown(C), "run `make docs`"


def test_the_page_has_every_name() -> None:
    page = markdown(C)
    for topic in C.topics.values():
        assert f"| `{topic.pattern}` |" in page
    for name in (*C.quantities, *C.controls, *C.fields, *C.values["site"]):
        assert f"| `{name}` |" in page


def test_check_and_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "topics.md"
    monkeypatch.setattr(topics, "page_file", lambda: page)
    assert heliograph("--check") == 1
    assert heliograph("--write") == 0
    assert heliograph("--check") == 0
    page.write_text(page.read_text().replace("GridPower", "Gridpower", 1))
    capsys.readouterr()
    assert heliograph("--check") == 1
    assert capsys.readouterr().err == (
        "docs/topics.md is not what topics.yaml says: run `make docs`\n"
    )
    monkeypatch.setattr(topics, "page_file", lambda: None)
    assert heliograph("--write") == 1


def test_plain_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert heliograph("--base", "house") == 0
    text = capsys.readouterr().out
    assert text.startswith("Every topic lies below house/.\n")
    for name in (*(t.pattern for t in C.topics.values()), *C.quantities, *C.controls, *C.fields):
        assert f"\n{name} " in text
    assert "\x1b" not in text


def test_table_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    assert heliograph() == 0
    assert "Requests/{consumer}/Allowance" in capsys.readouterr().out


@pytest.mark.parametrize("form", topics.FORMATS)
def test_every_format_goes_to_standard_output(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert heliograph("--format", form, "--base", "a/b") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert len(shown.out.splitlines()) > 50


def test_json_has_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    heliograph("--format", "json", "--base", "house")
    found = json.loads(capsys.readouterr().out)
    assert found["base"] == "house"
    assert set(found["quantities"]) == set(C.quantities)
    assert found["quantities"]["GridPower"]["unit"] == "W"
    assert found["quantities"]["GridPower"]["max_age"] == 8
    assert found["topics"]["allowance"]["expiry"] == 30
    assert found["fields"]["Priority"]["default"] == 100
    assert found["controls"]["BatterySetpoint"]["lease"] is True
