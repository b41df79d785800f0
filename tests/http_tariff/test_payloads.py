"""Answers as services send them: our samples, and those in `$HELIOGRAPH_FACTS/payloads/`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.tariffs.http_tariff.settings import TEMPLATES
from bridge.cloud.described import load_template
from bridge.curve.document import Reader

FACTS = os.environ.get("HELIOGRAPH_FACTS")
DAY = datetime(2026, 11, 19, 23, tzinfo=UTC)
AGILE = {"product": "AGILE-24-10-01", "region": "C"}
# template, options, file, number, currency, first and last value per kWh
CASES = [
    ("awattar_de", {}, "awattar/marketdata_24.json", 24, "EUR", 0.07686, 0.0821),
    ("energy_charts", {}, "energy-charts/price_de_lu_192.json", 192, "EUR", 0.07561, 0.07713),
    ("octopus", AGILE, "octopus/agile_48.json", 48, "GBP", 0.161343, 0.157227),
    (
        "nordpool",
        {"zone": "SE3", "currency": "SEK"},
        "nordpool/dayahead_se3_96.json",
        *(96, "SEK", 0.52927, 0.58156),
    ),
    ("elering", {}, "elering/nps_ee_96.json", 96, "EUR", 0.07561, 0.08308),
    ("omie", {"zone": "es"}, "omie/int_pbc_96.txt", 96, "EUR", 0.06147, 0.05598),
    ("omie", {"zone": "pt"}, "omie/int_pbc_96.txt", 96, "EUR", 0.06452, 0.05546),
]


SAMPLES = Path(TEMPLATES).with_name("samples")
OURS = [
    ("awattar_de", {}, "awattar_de.json", 2, "EUR", 0.0815, -0.0032),
    ("energy_charts", {}, "energy_charts.json", 3, "EUR", 0.0815, -0.0032),
    ("octopus", AGILE, "octopus.json", 2, "GBP", 0.21, -0.021),
    ("nordpool", {"zone": "SE3"}, "nordpool.json", 2, "SEK", 0.5005, -0.0125),
    ("elering", {}, "elering.json", 3, "EUR", 0.0815, -0.0032),
    ("omie", {"zone": "es"}, "omie.txt", 96, "EUR", 0.0015, 0.0965),
    ("omie", {"zone": "pt"}, "omie.txt", 96, "EUR", -0.00125, -0.09625),
]
GIVEN = [(SAMPLES, case) for case in OURS]
if FACTS:
    GIVEN += [(Path(FACTS) / "payloads", case) for case in CASES]


@pytest.mark.parametrize(("folder", "case"), GIVEN, ids=[f"{c[2]}-{c[1]}" for _, c in GIVEN])
def test_an_answer(
    folder: Path, case: tuple[str, dict[str, str], str, int, str, float, float]
) -> None:
    name, options, file, count, currency, first, last = case
    template = load_template(TEMPLATES, name)
    text = (folder / file).read_text(encoding="utf-8")
    reader = Reader(template.parts["import"], template.values(options))
    found = reader.read(text if file.endswith("txt") else json.loads(text))
    assert len(found.curve) == count
    assert found.currency == currency
    assert found.curve.notes == ()
    assert found.curve.slots[0].value == pytest.approx(first)
    assert found.curve.slots[-1].value == pytest.approx(last)
    begin = datetime(2026, 11, 20, tzinfo=UTC) if name == "octopus" else DAY
    assert found.curve.start == begin
    if file != "energy_charts.json":  # which has a null in it
        assert found.curve.horizon(begin) == found.curve.end


def test_an_area_that_is_not_final_is_not_there_yet() -> None:
    template = load_template(TEMPLATES, "nordpool")
    document = json.loads((SAMPLES / "nordpool.json").read_text(encoding="utf-8"))
    reader = Reader(template.parts["import"], template.values({"zone": "SE4"}))
    assert not reader.read(document).ready
