"""`heliograph amber …` against the simulator: what openpower's README shows, line by line."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.tariffs.amber.account import VARIABLE
from actors.tariffs.amber.sim import SITE, TOKEN, Simulator
from bridge.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

Capsys = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.delenv("HELIOGRAPH_CONFIG", raising=False)
    monkeypatch.setenv(VARIABLE, TOKEN)


async def run(sim: Simulator, *words: str) -> int:
    url = ("--url", f"http://127.0.0.1:{sim.port}")
    return await anyio.to_thread.run_sync(main, ["amber", *words, *url])


async def rows(sim: Simulator, capsys: Capsys, *words: str) -> list[dict[str, Any]]:
    assert await run(sim, *words, "--format", "json") == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
    return found


# ---------------------------------------------------------------------------- what it can tell


async def test_the_sites_with_everything_about_them(capsys: Capsys) -> None:
    async with Simulator() as sim:
        found = await rows(sim, capsys, "sites")
        assert [each["status"] for each in found] == ["closed", "active"]
        assert found[1]["id"] == SITE
        assert (found[1]["nmi"], found[1]["network"]) == ("3000000001", "Ausgrid")
        (active,) = await rows(sim, capsys, "sites", "--active")
        assert active == found[1]


async def test_the_prices_of_now_need_no_site(capsys: Capsys) -> None:
    async with Simulator(channels=("general", "controlledLoad", "feedIn")) as sim:
        found = await rows(sim, capsys, "prices")
        assert [each["channel"] for each in found] == ["general", "controlled_load", "feed_in"]
        assert {each["kind"] for each in found} == {"current"}
        found = await rows(sim, capsys, "prices", "--previous", "2", "--next", "3")
        assert len(found) == 18
        (fed,) = await rows(sim, capsys, "prices", "--channel", "feed_in", "--site", SITE.lower())
        assert fed["price"] == pytest.approx(0.93 * fed["spot"] - 0.012, abs=1e-5)


@pytest.mark.parametrize("form", ["table", "csv"])
async def test_prices_for_people_and_programs(capsys: Capsys, form: str) -> None:
    async with Simulator(days=("negative",), length=5) as sim:
        words = ["prices", "--start", "2026-11-02", "--end", "2026-11-02", "--channel", "feed_in"]
        zone = ["--timezone", "Australia/Sydney"]
        assert await run(sim, *words, *zone, "--format", form) == 0
    told = capsys.readouterr()
    assert told.err == ""
    lines = told.out.splitlines()
    assert len(lines) == 289
    if form == "csv":
        noon = list(csv.DictReader(io.StringIO(told.out)))[150]
        assert (noon["start"], noon["date"]) == ("2026-11-02T02:30:00Z", "2026-11-02")
        assert float(noon["price"]) < 0
    else:
        assert "price AUD/kWh" in lines[0]
        assert lines[151].startswith("feed_in  actual  2026-11-02 13:30  2026-11-02 13:35")


async def test_a_month_comes_in_pieces_of_a_week(capsys: Capsys) -> None:
    async with Simulator() as sim:
        words = ["--start", "2026-10-01", "--end", "2026-10-31", "--channel", "general"]
        found = await rows(sim, capsys, "prices", *words)
        assert len(found) == 31 * 48
        asked = [each for each in sim.requests if "startDate" in each]
        assert len(asked) == 5
        assert "startDate=2026-10-29&endDate=2026-10-31" in asked[-1]
        starts = [each["start"] for each in found]
        assert starts == sorted(set(starts))


async def test_usage_with_its_total(capsys: Capsys) -> None:
    async with Simulator() as sim:
        words = ["usage", "--start", "2026-11-01", "--end", "2026-11-02", "--format", "json"]
        assert await run(sim, *words) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["site"], found["start"], found["end"]) == (SITE, "2026-11-01", "2026-11-02")
        fed = [each for each in found["rows"] if each["channel"] == "feed_in"]
        assert sum(each["energy"] for each in fed) == pytest.approx(-2 * 14 * 1.1)
        total = sum(each["energy"] for each in found["rows"])
        assert found["total"]["energy"] == pytest.approx(total)
        assert await run(sim, "usage") == 0
        assert "about a day later" in capsys.readouterr().out


async def test_renewables_of_a_state_without_a_token(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    async with Simulator() as sim:
        found = await rows(sim, capsys, "renewables", "qld", "--previous", "1", "--next", "2")
        assert [each["kind"] for each in found] == ["actual", "current", "forecast", "forecast"]
        assert all(0 <= each["renewables"] <= 100 for each in found)
        with pytest.raises(SystemExit):
            await run(sim, "renewables", "tas")


async def test_the_limits(capsys: Capsys) -> None:
    async with Simulator() as sim:
        await rows(sim, capsys, "sites")
        (found,) = await rows(sim, capsys, "limits")
        assert (found["limit"], found["remaining"], found["policy"]) == (50, 48, "50;w=300")
        assert found["window"] == 300
        assert found["estimated_reset"] > found["refreshed"]
        assert await run(sim, "limits") == 0
        assert "estimated reset" in capsys.readouterr().out


# ---------------------------------------------------------------------------- whose account


async def test_the_actor_of_a_configuration(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    async with Simulator() as sim:
        await anyio.Path(tmp_path / "token").write_text(f"{TOKEN}\n")
        await anyio.Path(tmp_path / "house.yaml").write_text(
            f"state: {tmp_path}/state\nactors:\n  power: {{kind: amber, token: !file "
            f"{tmp_path}/token, url: 'http://127.0.0.1:{sim.port}', timezone: Australia/Perth}}\n"
        )
        config = ["--config", f"{tmp_path}/house.yaml"]
        for words in (["sites", "power"], ["sites"], ["prices", "power"]):
            assert await anyio.to_thread.run_sync(main, ["amber", *words, *config]) == 0
        capsys.readouterr()
        assert await anyio.to_thread.run_sync(main, ["amber", "sites", "roof", *config]) == 2
        assert "no actor roof of kind amber; there are: power" in capsys.readouterr().err
        monkeypatch.setenv("HELIOGRAPH_CONFIG", f"{tmp_path}/house.yaml")
        assert await anyio.to_thread.run_sync(main, ["amber", "limits"]) == 0


async def test_a_token_from_a_file(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    async with Simulator() as sim:
        await anyio.Path(tmp_path / "token").write_text(f"{TOKEN}\n")
        assert await run(sim, "sites", "--token-file", f"{tmp_path}/token") == 0
        capsys.readouterr()
        assert await run(sim, "sites", "--token-file", f"{tmp_path}/none") == 2
        assert "No such file" in capsys.readouterr().err
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        assert await run(sim, "sites") == 2
        assert f"set ${VARIABLE}" in capsys.readouterr().err


# ---------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["prices", "--start", "2026-11-02", "--next", "3"], "leave out the days"),
        (["prices", "--start", "2026-11-02", "--end", "2026-11-01"], "is before --start"),
        (["prices", "--timezone", "Mars/Base"], "time zone 'Mars/Base' is not known"),
    ],
)
async def test_what_makes_no_sense_is_said(capsys: Capsys, words: list[str], sentence: str) -> None:
    async with Simulator() as sim:
        assert await run(sim, *words) == 2
        assert sentence in capsys.readouterr().err
        assert sim.requests == []


async def test_a_wrong_token_and_a_wrong_url(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "psk_wrong")
    async with Simulator() as sim:
        assert await run(sim, "sites") == 1
    told = capsys.readouterr()
    assert "refuses the token" in told.err
    assert "psk_" not in told.err + told.out
    plain = ["amber", "sites", "--url", "http://api.example.org"]
    assert await anyio.to_thread.run_sync(main, plain) == 2
    assert "--url" in capsys.readouterr().err


class Terminal(io.StringIO):
    """A standard error output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


async def test_a_terminal_gets_a_progress_bar_and_a_pipe_gets_none(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["prices", "--start", "2026-10-01", "--end", "2026-10-20", "--format", "csv"]
    async with Simulator() as sim:
        assert await run(sim, *words) == 0
        piped = capsys.readouterr()
        assert piped.err == ""
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setenv("TERM", "xterm")
        assert await run(sim, *words) == 0
    assert "2026-10-15" in screen.getvalue()
    assert "3/3" in screen.getvalue()
    assert capsys.readouterr().out == piped.out
