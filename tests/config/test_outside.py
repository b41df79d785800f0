"""Environment variables and files: taken, missing, odd, and never shown."""

from __future__ import annotations

import copy
import json
import os
import pickle
from typing import TYPE_CHECKING

import msgspec
import pytest

from bridge.config import ConfigError, Secret, load_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.config.helpers import Judge

_CANARY = "canary-5d41402abc4b2a76"


def test_environment_anywhere_in_a_text(judge: Judge) -> None:
    judge.env |= {"A": "left", "_B2": "right", "EMPTY": ""}
    settings = judge.settings(
        "anything: x-${A}-${_B2}${EMPTY}-$${A}-$5\nname: '${A}'\nfrom: ${EMPTY}"
    )
    assert settings.anything == "x-left-right-${A}-$5"
    assert settings.name == "left"
    assert settings.from_ == ""


def test_a_number_from_the_environment_needs_no_plain_style(judge: Judge) -> None:
    judge.env |= {"N": "12", "F": "on"}
    settings = judge.settings('count: ${N}\neven: "${N}"\nflag: ${F}')
    assert (settings.count, settings.even, settings.flag) == (12, 12, True)


def test_missing_variables_are_named_all_at_once(judge: Judge) -> None:
    found = judge.problems("base: ${ONE}\nactors:\n  a: {kind: external}\nstate: ${TWO}/${THREE}")
    assert found == [
        "1: the environment variable ONE is not set",
        "4: the environment variable TWO is not set",
        "4: the environment variable THREE is not set",
    ]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("${", "a '${' is never closed: write ${NAME}, or $$ for a '$'"),
        ("${}", ("between '${' and '}' must stand the name of an environment variable: write $$ "
         "for a '$' that is meant as such")),
        (f"${{{_CANARY}}}", ("between '${' and '}' must stand the name of an environment variable: "
         "write $$ for a '$' that is meant as such")),
        ("${BYTES}", "the environment variable BYTES does not hold UTF-8 text"),
        ("${LONG}", "the environment variables make this value too long"),
        ("${HALF}${HALF}${HALF}", "the environment variables make this value too long"),
    ],
)  # fmt: skip
def test_odd_variables(judge: Judge, value: str, sentence: str) -> None:
    judge.env |= {"BYTES": os.fsdecode(b"\xff"), "LONG": "x" * 70_000, "HALF": "x" * 30_000}
    assert judge.fault(f"name: {value}") == f"4: {sentence}"


def test_file_relative_to_the_configuration(judge: Judge) -> None:
    folder = judge.path.parent / "secrets"
    folder.mkdir()
    secret = folder / "token"
    secret.write_text(f"{_CANARY}\r\n")
    secret.chmod(0o600)
    judge.env["WHERE"] = "secrets"
    text = "actors:\n  a: {kind: everything, token: !file secrets/token,\n"
    text += "      anything: !file '${WHERE}/token'}"
    config = judge.load(text)
    assert config.actors["a"].settings.token.reveal() == _CANARY
    assert config.actors["a"].settings.anything == _CANARY
    assert config.warnings == []
    secret.chmod(0o640)
    assert judge.warnings(text) == [
        "2: the file 'secrets/token' can be read by other users: chmod 600 is safer"
    ]
    judge.env["CREDENTIALS_DIRECTORY"] = str(folder)
    assert judge.warnings(text) == []


def test_a_number_in_a_file(judge: Judge) -> None:
    (judge.path.parent / "n").write_text("8\n")
    assert judge.settings("count: !file n").count == 8


def test_files_that_cannot_be_used(judge: Judge) -> None:
    folder = judge.path.parent
    (folder / "latin").write_bytes(b"\xff\xfe\xfd")
    (folder / "big").write_bytes(b"x" * 70_000)
    os.mkfifo(folder / "pipe")
    assert judge.fault("token: !file none") == "4: the file 'none' does not exist"
    assert judge.fault("token: !file .") == "4: the file '.' is not a regular file"
    assert judge.fault("token: !file pipe") == "4: the file 'pipe' is not a regular file"
    assert judge.fault("token: !file latin") == "4: the file 'latin' does not hold UTF-8 text"
    assert judge.fault("token: !file big") == "4: the file 'big' is larger than 64 kB"
    assert judge.fault("token: !file") == "4: '!file' must be followed by a path"
    assert judge.fault('token: !file "a\\0"') == "4: '!file' must be followed by a path"
    assert judge.fault("token: !file ${NONE}") == "4: the environment variable NONE is not set"
    found = judge.fault("token: !file " + "x" * 300)
    assert found.endswith("cannot be read: File name too long")


def test_a_file_without_permission(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    (judge.path.parent / "locked").write_text("x")

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    # Real permissions would not stop a test that runs as root.
    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert judge.fault("token: !file locked") == (
        "4: the file 'locked' cannot be read: Permission denied"
    )
    with pytest.raises(ConfigError, match="1: the file cannot be read: permission denied"):
        load_config(judge.path, {}, judge.kinds)


@pytest.mark.parametrize(
    "text",
    [
        "count: ${CANARY}",
        "count: !file canary",
        "flag: ${CANARY}",
        "share: x${CANARY}",
        "mode: ${CANARY}",
        "phases: ${CANARY}",
        "colour: !file canary",
        "name: ${CANARY}",
        "shape: ${CANARY}",
        "words: [a, ' ${CANARY}']",
        "planes: ${CANARY}",
        "table: {x: ${CANARY}}".replace("${CANARY}", "'${CANARY}'"),
        f"token: {{a: {_CANARY}}}",
        f"token: [{_CANARY}]",
        f'token: "{_CANARY}\\0"',
        f"token: *{_CANARY}",
        f"token: !{_CANARY}",
        f"token: &{_CANARY} [x]",
        f"token: '{_CANARY}",
        f'token: "\\q{_CANARY}',
        f"token: {_CANARY}: x",
        f"token: @{_CANARY}",
        f"token: [{_CANARY}",
        f"tocken: {_CANARY}",
        f"planes: {_CANARY}",
        f"count: 14\ntoken: {_CANARY}",
        "count: 16\nequation: ${CANARY}",
        f"count: mqtt://x:{_CANARY}@y",
    ],
)
def test_the_canary_is_in_no_problem(judge: Judge, text: str) -> None:
    (judge.path.parent / "canary").write_text(_CANARY)
    judge.env["CANARY"] = _CANARY
    body = "".join(f"    {line}\n" for line in text.splitlines())
    found = judge.problems(f"actors:\n  one:\n    kind: everything\n{body}")
    assert not any("canary-" in each for each in found), found


@pytest.mark.parametrize(
    "text",
    [
        "base: ' ${CANARY}'",
        "broker: ${CANARY}",
        "broker: {url: '${CANARY}'}",
        f"broker: {{url: 'mqtt://u:{_CANARY}@h'}}",
        f"broker: {{url: 'mqtt://{_CANARY} h'}}",
        f"broker: {{url: 'http://u:{_CANARY}@h'}}",
        "broker: {listen: '${CANARY}'}",
        "broker: {url: 'mqtt://h', ca: '${CANARY}'}",
        f"broker: {{password: {_CANARY}}}",
        f"broker: {{users: {{'a b': {_CANARY}}}}}",
        "site: {grid: '${CANARY}', pv: ['${CANARY}', a], battery: '${CANARY}'}",
        "site: ${CANARY}",
        "consumers: ${CANARY}",
        "consumers: {pool: {priority: '${CANARY}'}}",
        "actors: ${CANARY}",
        "actors: {a: {kind: '${CANARY}'}}",
        "actors: {a: '${CANARY}'}",
        "compat: {es_ess: '${CANARY}'}",
        "compat: {es_ess: {request_ttl: '${CANARY}'}}",
        "discovery: {prefix: ' ${CANARY}'}",
    ],
)
def test_the_canary_is_in_no_problem_of_the_house(judge: Judge, text: str) -> None:
    judge.env["CANARY"] = _CANARY
    found = judge.problems(text)
    assert not any("canary-" in each for each in found), found


def test_the_canary_is_in_no_repr_and_no_json(
    judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    config = judge.load(
        f"broker: {{users: {{esp: {_CANARY}}}}}\n"
        f"actors:\n  a: {{kind: everything, token: {_CANARY}, logins: {{x: {_CANARY}}}}}\n"
    )
    settings = config.actors["a"].settings
    print(config, repr(config), settings, config.actors, config.broker, config.broker.users)
    print(f"{settings.token} {settings.token!r} {settings.token:>10} %s" % settings.token)
    print(json.dumps({"x": settings.token}), " ".join([settings.token] * 2), settings.token + "y")
    print(settings.token.encode(), settings.token[:], settings.token.upper(), [*settings.token])
    print(msgspec.structs.asdict(settings), {settings.token: 1})
    shown = capsys.readouterr().out.lower()
    assert "5d41402" not in shown
    assert "***" in shown
    assert settings.token.reveal() == config.broker.users["esp"].reveal() == _CANARY


def test_secret() -> None:
    one = Secret("a")
    assert one == Secret("a") == Secret(one)
    assert one != Secret("b")
    assert one != "a"
    assert one != "***"
    assert hash(one) == hash(Secret("a")) != hash(Secret("b"))
    assert not Secret("")
    assert Secret("").reveal() == ""
    assert copy.deepcopy(one).reveal() == pickle.loads(pickle.dumps(one)).reveal() == "a"  # noqa: S301


def test_the_file_itself_cannot_be_read(judge: Judge) -> None:
    folder = judge.path.parent
    for path, sentence in (
        (folder / "none.yaml", "the file does not exist"),
        (folder, "this is a folder: name the file in it"),
        (folder / ("x" * 300), "the file cannot be read: File name too long"),
        (folder / "a\0b", "the file cannot be read: its name is not valid"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_config(path, {}, judge.kinds)
        assert [each.sentence for each in caught.value.problems] == [sentence]
