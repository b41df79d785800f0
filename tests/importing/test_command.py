"""`heliograph import-es-ess` as it is typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bridge.cli.main import main
from tests.importing.support import FILES

if TYPE_CHECKING:
    from pathlib import Path

WATTPILOT = (
    "[Services]\nFroniusWattpilot=true\n[Mqtt]\nHost=broker.lan\n"
    "[FroniusWattpilot]\nHost=a.lan\nPassword=never-shown\n"
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "config.ini"
    path.write_text(WATTPILOT)
    return path


def run(*words: object) -> int:
    return main(["import-es-ess", *map(str, words)])


def test_it_writes_the_configuration_and_the_secrets(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "heliograph.yaml"
    assert run(source, "-o", output, "--report") == 0
    secret = output.parent / "secrets" / "Wattpilot"
    assert secret.read_text() == "never-shown"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert output.stat().st_mode & 0o777 == 0o600
    assert secret.parent.stat().st_mode & 0o777 == 0o700
    out = capsys.readouterr()
    assert "[FroniusWattpilot] Password: taken: it is in the file secrets/Wattpilot" in out.out
    assert "never-shown" not in out.out + out.err + output.read_text()
    assert main(["check", str(output)]) == 0
    assert "warning" not in capsys.readouterr().out


def test_nothing_is_overwritten_without_force(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "heliograph.yaml"
    secret = tmp_path / "secrets" / "Wattpilot"
    secret.parent.mkdir()
    secret.write_text("mine")
    assert run(source, "-o", output) == 1
    assert not output.exists()
    assert secret.read_text() == "mine"
    assert "exists already (--force overwrites)" in capsys.readouterr().err
    assert run(source, "-o", output, "--force") == 0
    assert secret.read_text() == "never-shown"
    assert secret.stat().st_mode & 0o777 == 0o600


def test_a_link_is_replaced_and_not_followed(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    output = tmp_path / "heliograph.yaml"
    output.symlink_to(other)
    assert run(source, "-o", output) == 1
    assert run(source, "-o", output, "--force") == 0
    assert other.read_text() == "mine"


def test_without_an_output_it_is_printed_and_nothing_is_written(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(source) == 0
    out = capsys.readouterr()
    assert "kind: wattpilot" in out.out
    assert "--report says what became of each key" in out.err
    assert list(tmp_path.iterdir()) == [source]


def test_the_report_as_json(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"]
    assert found["secrets"] == ["secrets/Wattpilot"]
    assert {"line", "section", "key", "verdict", "why"} == set(found["lines"][0])


def test_the_gx_is_where_the_owner_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.ini"
    path.write_text("[Mqtt]\nHost=localhost\n")
    assert run(path, "--gx", "192.168.1.9") == 0
    assert "url: mqtt://192.168.1.9:1883" in capsys.readouterr().out.replace('"', "")
    assert run(path, "--gx", "not a host") == 1
    assert "--gx is no name or address" in capsys.readouterr().err


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none.ini") == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    large = tmp_path / "large.ini"
    large.write_bytes(b"#" * 1_000_001)
    assert run(large) == 1
    assert "is larger than 1 MB" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(source, "-o", tmp_path / "file" / "heliograph.yaml") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_full_file_is_imported_in_one_go(tmp_path: Path) -> None:
    output = tmp_path / "heliograph.yaml"
    run(FILES / "full.ini", "-o", output)
    names = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert names == {"mqtt", "Wattpilot", "waterplay", "grid_meter"}
