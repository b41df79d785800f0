"""`heliograph alphaess …`, as a person types it."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.devices.alphaess.sim import APP_ID, APP_SECRET, Simulator
from bridge.cli.main import main
from tests.alphaess.rig import SN

if TYPE_CHECKING:
    from pathlib import Path

Capsys = pytest.CaptureFixture[str]


async def run(*words: str) -> int:
    return await anyio.to_thread.run_sync(main, words)


def house(folder: Path, sim: Simulator) -> list[str]:
    path = folder / "house.yaml"
    path.write_text(
        f"state: {folder}/state\nactors:\n  ess: {{kind: alphaess, url: '{sim.url}', "
        f"app_id: {APP_ID}, app_secret: '{APP_SECRET}', gap: 0}}\n"
    )
    return ["--config", str(path)]


async def told(capsys: Capsys, *words: str) -> list[dict]:
    assert await run("alphaess", *words, "--format", "json") == 0
    found: list[dict] = json.loads(capsys.readouterr().out)["rows"]
    return found


async def test_systems_are_listed_bound_and_unbound(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator() as sim:
        place, new = house(tmp_path, sim), "AL7011099000099"
        assert [row["serial"] for row in await told(capsys, "list", *place)] == [SN]
        assert await run("alphaess", "verification-code", new, "WRONG", *place) == 1
        assert "6004" in capsys.readouterr().err
        assert sim.account.mails == []
        await told(capsys, "verification-code", new, "CHECK99", *place)
        assert sim.account.mails == [(new, "1000")]
        assert await run("alphaess", "bind", new, "9", *place) == 1
        assert "6046" in capsys.readouterr().err
        (row,) = await told(capsys, "bind", new, "1000", *place)
        assert row["done"] == "it is bound to the account"
        (row,) = await told(capsys, "bind", new, "1000", *place)
        assert row["done"] == "it was bound to the account already"
        assert len(await told(capsys, "list", *place)) == 2
        assert await run("alphaess", "show", *place) == 2
        assert "--serial" in capsys.readouterr().err
        assert await told(capsys, "show", "--serial", new, *place)
        await told(capsys, "unbind", new, *place)
        assert len(await told(capsys, "list", *place)) == 1


async def test_powers_sums_and_days(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator(hour=13) as sim:
        place = house(tmp_path, sim)
        values = {row["name"]: row["value"] for row in await told(capsys, "show", *place)}
        assert 1 < values["BatterySoc"] <= 100
        sums = {row["name"]: row for row in await told(capsys, "summary", *place)}
        assert sums["todayIncome"] == {"name": "todayIncome", "value": None, "unit": "EUR"}
        assert sums["eselfConsumption"]["unit"] == "%"
        assert await run("alphaess", "day", "2026-01-19", "--format", "csv", *place) == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert len(rows) == 288
        assert rows[12]["uploadTime"] == "2026-01-19 01:00:04"
        energies = {
            r["name"]: r["value"] for r in await told(capsys, "energy", "2026-01-19", *place)
        }
        pv = sum(float(row["ppv"]) for row in rows) / 12_000
        assert energies["epv"] == pytest.approx(pv, abs=0.01)
        assert await run("alphaess", "day", "19.1.2026", *place) == 2
        assert "write it like" in capsys.readouterr().err
        assert await run("alphaess", "day", "2999-01-01", *place) == 0
        assert "no such thing" in capsys.readouterr().out


async def test_settings_are_shown_and_changed(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator() as sim:
        place = house(tmp_path, sim)
        charge, discharge = await told(capsys, "settings", *place)
        assert (charge["stop"], charge["first"], charge["second"]) == (90, "01:00-05:15", "off")
        assert (discharge["on"], discharge["stop"]) == (False, 10)
        words = ["--stop", "80", "--second", "13:00-14:30", "--grid", "off"]
        (row,) = await told(capsys, "charge", *words, *place)
        assert (row["on"], row["stop"], row["first"]) == (False, 80, "01:00-05:15")
        words = ["--timed", "on", "--stop", "20", "--first", "17:00-21:00"]
        (row,) = await told(capsys, "discharge", *words, *place)
        assert (row["on"], row["stop"], row["first"]) == (True, 20, "17:00-21:00")
        before = len(sim.requests)
        for words, why in (
            (["--stop", "0.9"], "write 90"),
            (["--first", "01:01-02:00"], "no quarter hour"),
            (["--first", "01:00-03:00", "--second", "02:00-04:00"], "overlap"),
        ):
            assert await run("alphaess", "charge", *words, *place) == 2
            assert why in capsys.readouterr().err
        assert await run("alphaess", "charge", *place) == 2
        assert len(sim.requests) == before
        assert await run("alphaess", "schedule", *place) == 1
        assert "6017" in capsys.readouterr().err


async def test_the_newer_schedule(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator(model="scheduled") as sim:
        place = house(tmp_path, sim)
        assert await run("alphaess", "settings", *place) == 1
        assert "heliograph alphaess schedule" in capsys.readouterr().err
        text = "charge 02:00-04:00 sat,sun 80%; discharge 18:00-20:00 mon-fri 2500W 25%"
        rows = await told(capsys, "schedule", text, *place)
        assert [(row["sort"], row["days"], row["power"]) for row in rows] == [
            ("charge", "sat-sun", None),
            ("discharge", "mon-fri", 2500),
        ]


async def test_chargers(tmp_path: Path, capsys: Capsys) -> None:
    async with Simulator(chargers=1) as sim:
        place, car = house(tmp_path, sim), sim.account.stations[SN].cars[0]
        (row,) = await told(capsys, "ev", *place)
        assert row == {"charger": car.serial, "model": "SMILE-EVCT11"}
        (row,) = await told(capsys, "ev", "status", *place)
        assert (row["status"], row["car"]) == (3, "charging")
        await told(capsys, "ev", "stop", *place)
        assert car.status == 6
        await told(capsys, "ev", "start", car.serial, *place)
        assert car.status == 3
        (row,) = await told(capsys, "ev", "current", "10", *place)
        assert row["value"] == sim.account.stations[SN].current == 10
        assert await run("alphaess", "ev", "current", "much", *place) == 2


async def test_an_account_that_is_typed(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator() as sim:
        path = tmp_path / "empty.yaml"
        path.write_text(f"state: {tmp_path}/state\nactors: {{}}\n")
        place = ["--config", str(path)]
        assert await run("alphaess", "list", *place) == 2
        assert "--app-id" in capsys.readouterr().err
        secret = tmp_path / "secret"
        secret.write_text(f"{APP_SECRET}\n")
        words = ["--app-id", APP_ID, "--url", sim.url, "--app-secret-file", str(secret), *place]
        assert len(await told(capsys, "list", *words)) == 1
        monkeypatch.setenv("HELIOGRAPH_ALPHAESS_APP_ID", APP_ID)
        monkeypatch.setenv("HELIOGRAPH_ALPHAESS_APP_SECRET", "wrong")
        assert await run("alphaess", "list", "--url", sim.url, *place) == 1
        assert "6007" in capsys.readouterr().err
    kept = [each for each in (tmp_path / "state").rglob("*") if each.is_file()]
    assert kept
    for each in kept:
        assert APP_SECRET.encode() not in await anyio.Path(each).read_bytes()
