"""`heliograph lg-ess …`, and how the command line finds a kind's own commands."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.lg_ess.sim import PASSWORD, Simulator
from bridge.cli.kind import kinds_with_commands, parsed
from bridge.cli.main import main
from tests.actors.kinds import ROOT

if TYPE_CHECKING:
    from pathlib import Path

Capsys = pytest.CaptureFixture[str]


async def run(*words: str) -> int:
    return await anyio.to_thread.run_sync(main, words)


def house(tmp_path: Path, port: int) -> list[str]:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    path = tmp_path / "house.yaml"
    path.write_text(
        f"state: {tmp_path}/state\nactors:\n  ess: {{kind: lg_ess, host: 127.0.0.1, "
        f"port: {port}, password: !file {tmp_path}/password}}\n"
    )
    return ["--config", str(path)]


def stranger(tmp_path: Path, port: int) -> list[str]:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return ["--host", "127.0.0.1", "--port", str(port), "--password-file", f"{tmp_path}/password"]


# ---------------------------------------------------------------------------- the hook


def test_the_kinds_with_commands_are_found_by_their_folders() -> None:
    assert "lg-ess" in kinds_with_commands()
    assert (
        "shelly" not in kinds_with_commands()
        or (ROOT / "actors/devices/shelly/commands.py").is_file()
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["read"], ["no-such-kind"], ["sma"]])
def test_other_words_are_left_to_the_others(words: list[str]) -> None:
    assert parsed(words) is None


def test_a_word_that_nobody_knows_is_answered_as_before(capsys: Capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["no-such-kind"])
    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_an_underscore_will_do_too() -> None:
    found = parsed(["lg_ess", "get-password", "--json"])
    assert found is not None
    assert (found[1].action, found[1].json) == ("get-password", True)


def test_no_kind_is_imported_for_the_other_commands() -> None:
    code = (
        "import sys; from bridge.cli.main import parser; parser(); "
        "print([name for name in sys.modules if name.startswith('actors.') or name == 'zeroconf'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------------------- the password


async def test_the_password_is_told_on_its_own_wifi(capsys: Capsys) -> None:
    async with Simulator(own_wifi=True) as sim:
        words = ["lg-ess", "get-password", "--host", "127.0.0.1", "--port", str(sim.port)]
        assert await run(*words) == 0
        out = capsys.readouterr()
        assert out.out == f"{PASSWORD}\n"
        assert re.search("certificate is taken on trust: [0-9a-f]{64}\n", out.err)
        assert await run(*words, "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"password": PASSWORD}


async def test_elsewhere_a_person_reads_what_to_do(capsys: Capsys) -> None:
    async with Simulator() as sim:
        words = ["lg-ess", "get-password", "--host", "127.0.0.1", "--port", str(sim.port)]
        assert await run(*words) == 1
        told = capsys.readouterr()
        assert "does not tell its password here" in told.err
        assert "in the device's own wifi" in told.err
        assert told.out == ""
        for fault, what in (("rubbish", "is not HTTP"), ("redirect", "redirects")):
            sim.fault = fault  # some other device with that address
            assert await run(*words) == 1
            told = capsys.readouterr()
            assert what in told.err
            assert "in the device's own wifi" in told.err
        await sim.stop()
        assert await run(*words) == 1
        told = capsys.readouterr()
        assert "refuses the connection" in told.err
        assert "in the device's own wifi, where it has the address 192.168.23.1" in told.err


async def test_a_certificate_that_is_not_the_expected_one_is_asked_nothing(capsys: Capsys) -> None:
    async with Simulator(own_wifi=True) as sim:
        words = ["lg-ess", "get-password", "--host", "127.0.0.1", "--port", str(sim.port)]
        assert await run(*words, "--fingerprint", "00" * 32) == 1
        assert "another certificate" in capsys.readouterr().err
        assert sim.requests == []
        assert await run(*words, "--fingerprint", "xyz") == 2


# ---------------------------------------------------------------------------- statistics


async def test_a_graph_of_a_configured_device_as_json(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator() as sim:
        words = ["graph", "ess", "pv", "day", "2026-06-17", "--format", "json"]
        zone = ["--timezone", "Europe/Berlin"]
        assert await run("lg-ess", *words, *zone, *house(tmp_path, sim.port)) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert (found["graph"], found["span"], found["date"]) == ("pv", "day", "2026-06-17")
    assert found["units"]["PvEnergy"] == "kWh"
    assert len(found["rows"]) == 96
    noon = found["rows"][48]
    assert noon == {
        "time": "2026-06-17T12:00:00",
        "at": "2026-06-17T10:00:00Z",
        "PvEnergy": 0.3,
        "GridExportEnergy": 0.075,
        "SelfConsumption": 75.0,
    }
    assert found["total"]["PvEnergy"] == pytest.approx(9.163, abs=0.01)
    assert told.err == ""  # the certificate is kept with the actor


async def test_a_graph_without_a_configuration_as_csv(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator() as sim:
        words = ["graph", *stranger(tmp_path, sim.port), "load", "year", "2026", "--format", "csv"]
        assert await run("lg-ess", *words) == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [row["time"][:7] for row in rows] == [f"2026-{month:02}" for month in range(1, 13)]
    assert rows[9]["LoadEnergy"] == "240.01"  # the later of the two
    assert "1 row told a time twice" in told.err
    assert "taken on trust" in told.err


@pytest.mark.parametrize("span", ["day", "week", "month", "year"])
@pytest.mark.parametrize("what", ["batt", "load", "pv"])
async def test_a_graph_of_now_as_a_table(
    tmp_path: Path, capsys: Capsys, what: str, span: str
) -> None:
    async with Simulator() as sim:
        assert await run("lg-ess", "graph", "ess", what, span, *house(tmp_path, sim.port)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "time"
    assert "kWh" in lines[0]
    assert lines[1].startswith(f"{datetime.now(UTC):%Y-}")
    assert lines[-1].split()[0] == "total"


async def test_a_wrong_password_and_a_device_that_is_away(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator(password="0123456789ab") as sim:
        words = ["lg-ess", "graph", "ess", "pv", "day", *house(tmp_path, sim.port)]
        assert await run(*words) == 1
        told = capsys.readouterr().err
        assert "refuses the password" in told
        assert PASSWORD not in told
        await sim.stop()
        assert await run(*words) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["graph", "ess", "sun", "day"], "'sun' is not one of batt, load, pv"),
        (["graph", "ess", "pv", "decade"], "'decade' is not one of day, week, month, year"),
        (["graph", "ess", "pv", "day", "19.11.2026"], "write it like 2026-11-19"),
        (["graph", "ess", "pv", "month", "2026-11-19"], "write it like 2026-11"),
        (["graph", "ess", "pv"], "say which device"),
        (["graph", "--host", "127.0.0.1", "ess", "pv", "day", "2026-11-19"], "not by both"),
        (["graph", "ess", "pv", "day", "--timezone", "Mars/Base"], "time zone Mars/Base"),
        (["graph", "--host", "127.0.0.1", "pv", "day"], "a password is needed"),
        (["show", "ess", "all"], "'all' is not one of home"),
    ],
)
async def test_what_was_typed_wrong_is_a_sentence(
    capsys: Capsys, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert await run("lg-ess", *words) == 2
    assert sentence in capsys.readouterr().err


async def test_another_kind_is_not_asked(tmp_path: Path, capsys: Capsys) -> None:
    config = tmp_path / "house.yaml"
    config.write_text("actors:\n  meter: {kind: shelly, host: 127.0.0.1}\n")
    words = ["graph", "meter", "pv", "day", "--config", str(config)]
    assert await run("lg-ess", *words) == 2
    assert "meter is of kind shelly, not lg_ess" in capsys.readouterr().err


async def test_the_password_may_stand_in_the_environment(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_LG_ESS_PASSWORD", PASSWORD)
    async with Simulator() as sim:
        words = ["show", "--host", "127.0.0.1", "--port", str(sim.port), "network"]
        assert await run("lg-ess", *words) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "wired"


async def test_a_page_for_a_bug_report_hides_the_serial_number(
    tmp_path: Path, capsys: Capsys
) -> None:
    async with Simulator("home15") as sim:
        for page in ("home", "common", "settings", "system", "network"):
            assert await run("lg-ess", "show", "ess", page, *house(tmp_path, sim.port)) == 0
            text = capsys.readouterr().out
            found: dict[str, Any] = json.loads(text)
            assert found
            assert "DE2001" not in text
