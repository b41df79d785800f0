"""Whole files of es-ESS users, and what becomes of them, word for word.

`HELIOGRAPH_GOLDEN=write` writes the expectations anew; read the difference before you keep it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bridge.importing import convert
from tests.importing.support import FILES, checked

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("small", "full", "broken", "fork")


@pytest.mark.parametrize("name", NAMES)
def test_the_result_and_the_report_are_as_expected(name: str) -> None:
    made = convert((FILES / f"{name}.ini").read_bytes())
    report = "".join(f"{line}\n" for line in made.lines)
    for place, text in ((f"{name}.yaml", made.yaml), (f"{name}.report", report)):
        golden: Path = FILES / place
        if os.environ.get("HELIOGRAPH_GOLDEN") == "write":
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_result_passes_check(name: str, tmp_path: Path) -> None:
    made = convert((FILES / f"{name}.ini").read_bytes())
    assert checked(made, tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_password_is_in_the_configuration_or_the_report(name: str) -> None:
    text = (FILES / f"{name}.ini").read_text(encoding="utf-8")
    made = convert(text)
    assert "never-shown" in text
    assert "never-shown" not in made.yaml
    assert not any("never-shown" in f"{line!r}{line}" for line in made.lines)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_in_the_report(name: str) -> None:
    from bridge.importing.ini import parse

    content = (FILES / f"{name}.ini").read_text(encoding="utf-8")
    told = {(line.section.lower(), line.key.lower()) for line in convert(content).lines}
    for section in parse(content).sections.values():
        for option in section.options:
            assert (section.name.lower(), option) in told
