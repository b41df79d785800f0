"""Installing, booting, updating and uninstalling on a folder that looks like a GX, with busybox."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from tests.venus_bundle.machine import Machine, needs_busybox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), needs_busybox]
NAME = "heliograph-injector"
LINE = "[ ! -x /data/heliograph/boot.sh ] || /data/heliograph/boot.sh"
ES_ESS = "/data/es-ESS/install.sh"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def link(gx: Machine, name: str = NAME) -> Path:
    return gx.root / "service" / name


def with_es_ess(gx: Machine, name: str = "es-ESS") -> None:
    service = gx.root / "data" / name / "service"
    service.mkdir(parents=True)
    (service / "run").write_text("#!/bin/sh\n")
    link(gx, name).symlink_to(service)
    gx.rc_local.write_text(f"#!/bin/bash\n\n/data/{name}/install.sh\n")
    gx.rc_local.chmod(0o755)


def test_it_starts_now_and_at_every_boot(gx: Machine) -> None:
    said = gx.install("--broker", "mqtt://192.168.1.10:1883", "--venus", "gx")
    assert f"as the service {NAME}" in said
    assert link(gx).readlink() == gx.home / "service" / NAME
    assert mode(link(gx) / "run") == mode(link(gx) / "log" / "run") == 0o755
    assert gx.rc_local.read_text() == f"#!/bin/sh\n{LINE}\n"
    assert mode(gx.rc_local) == 0o755
    for _ in range(2):
        gx.boot()
        assert (link(gx) / "run").exists()
    gx.update_firmware()
    assert not link(gx).exists()
    gx.boot()
    assert (link(gx) / "run").exists()


def test_what_is_set_is_private_and_stays(gx: Machine, tmp_path: Path) -> None:
    secret, authority = tmp_path / "password", tmp_path / "authority.pem"
    secret.write_text("correct horse\n")
    authority.write_text("PEM\n")
    gx.install("--broker", "mqtts://house:8883", "--username", "a b$HOME", "--venus", "gx")
    gx.again("--password-file", str(secret), "--ca", str(authority))
    etc = gx.home / "etc"
    assert mode(etc) == 0o700
    assert mode(etc / "injector.conf") == mode(etc / "broker-password") == 0o600
    assert (etc / "broker-password").read_text() == "correct horse\n"
    assert (etc / "ca.pem").read_text() == "PEM\n"
    lines = (etc / "injector.conf").read_text().splitlines()
    for line in (
        "BROKER='mqtts://house:8883'",
        "USERNAME='a b$HOME'",
        "VENUS='gx'",
        "CA='/data/heliograph/etc/ca.pem'",
    ):
        assert lines.count(line) == 1
    before = (etc / "injector.conf").read_bytes()
    gx.install()
    assert (etc / "injector.conf").read_bytes() == before
    gx.install("--broker", "mqtt://other")
    lines = (etc / "injector.conf").read_text().splitlines()
    assert [line for line in lines if "BROKER=" in line] == ["BROKER='mqtt://other'"]
    assert "correct horse" not in "".join(gx.picture())


def test_twice_is_as_once(gx: Machine) -> None:
    gx.rc_local.write_text("#!/bin/sh\necho hello\n")
    gx.install("--broker", "mqtt://x")
    once = gx.picture()
    gx.install("--broker", "mqtt://x")
    assert gx.picture() == once
    gx.again()
    assert gx.picture() == once
    assert gx.rc_local.read_text().count(LINE) == 1


def test_an_upgrade_leaves_nothing_of_the_old_program(gx: Machine) -> None:
    gx.install("--broker", "mqtt://x")
    (gx.home / "app" / "lib" / "injector" / "left.py").write_text("")
    (gx.home / "state" / "learned").write_text("7")
    (gx.home / "service" / NAME / "supervise").mkdir()
    gx.install()
    assert not (gx.home / "app" / "lib" / "injector" / "left.py").exists()
    assert (gx.home / "state" / "learned").read_text() == "7"
    assert (gx.home / "service" / NAME / "supervise").is_dir()
    assert not list(gx.home.glob("app.*"))


def test_power_that_failed_in_an_upgrade_leaves_the_old_program(gx: Machine) -> None:
    gx.install("--broker", "mqtt://x")
    (gx.home / "app").rename(gx.home / "app.old")
    (gx.home / "app.new").mkdir()
    gx.boot()
    assert (gx.home / "app" / "start.py").exists()
    assert (link(gx) / "run").exists()
    gx.install()
    assert not list(gx.home.glob("app.*"))


RC_LOCALS = {
    "absent": None,
    "ours alone": (b"#!/bin/sh\n", 0o755),
    "others": (b"#!/bin/bash\n\n/data/other/install.sh\n", 0o755),
    "ends with exit": (b"#!/bin/sh\necho x >/dev/null\nexit 0\n", 0o755),
    "stops at errors": (b"#!/bin/sh -e\nfalse\n", 0o700),
    "not executable": (b"#!/bin/sh\n# nothing yet\n", 0o644),
    "not executable, with others": (b"#!/bin/sh\n/data/other/install.sh\n", 0o600),
    "no newline": (b"#!/bin/sh\n/data/other/install.sh", 0o755),
    "one line without newline": (b"#!/bin/sh", 0o755),
    "no shebang": (b"/data/other/install.sh\n", 0o755),
    "env": (b"#!/usr/bin/env bash\n: x\n", 0o755),
    "empty": (b"", 0o755),
}


@pytest.mark.parametrize("before", RC_LOCALS.values(), ids=RC_LOCALS)
def test_rc_local_starts_us_and_is_restored_to_the_byte(
    gx: Machine, before: tuple[bytes, int] | None
) -> None:
    if before is not None:
        gx.rc_local.write_bytes(before[0])
        gx.rc_local.chmod(before[1])
    picture = gx.picture()
    said = gx.install("--broker", "mqtt://x")
    off = before is not None and not before[1] & 0o100
    assert ("was not executable" in said) == (off and b"other" in before[0] if before else False)
    gx.install()
    text = gx.rc_local.read_text().splitlines()
    assert text.count(LINE) == 1
    if before is not None:
        rest = [line for line in text if line != LINE]
        assert rest == before[0].decode().splitlines()
    gx.boot()
    assert (link(gx) / "run").exists()
    gx.uninstall("--purge")
    shutil.rmtree(gx.root / "run")
    (gx.root / "run").mkdir()
    assert gx.picture() == picture


def test_what_others_add_later_stays(gx: Machine) -> None:
    gx.install("--broker", "mqtt://x")
    with gx.rc_local.open("a") as file:
        file.write("/data/later/install.sh\n")
    gx.install()
    gx.uninstall()
    assert gx.rc_local.read_text() == "#!/bin/sh\n/data/later/install.sh\n"
    assert mode(gx.rc_local) == 0o755


def test_a_linked_rc_local_stays_a_link(gx: Machine) -> None:
    real = gx.root / "data" / "mine.sh"
    real.write_text("#!/bin/sh\n: mine\n")
    real.chmod(0o755)
    gx.rc_local.symlink_to(real)
    before = gx.picture()
    gx.install("--broker", "mqtt://x")
    assert gx.rc_local.is_symlink()
    assert LINE in real.read_text()
    gx.uninstall("--purge")
    assert gx.picture() == before


def test_an_uninstall_keeps_what_the_owner_wrote(gx: Machine) -> None:
    gx.install("--broker", "mqtt://x")
    (gx.home / "state" / "learned").write_text("7")
    said = gx.uninstall()
    assert "--purge" in said
    assert {path.name for path in gx.home.iterdir()} == {"etc", "state"}
    assert "BROKER='mqtt://x'" in (gx.home / "etc" / "injector.conf").read_text()
    assert not link(gx).is_symlink()
    gx.boot()
    assert not link(gx).is_symlink()
    gx.install()
    assert "BROKER='mqtt://x'" in (gx.home / "etc" / "injector.conf").read_text()
    gx.uninstall("--purge")
    assert not gx.home.exists()


@pytest.mark.parametrize("name", ["es-ESS", "dbus-es-ess"])
def test_es_ess_is_left_alone_unless_it_shall_stop(gx: Machine, name: str) -> None:
    with_es_ess(gx, name)
    text = gx.rc_local.read_text()
    said = gx.install("--broker", "mqtt://x")
    assert "Attention: es-ESS starts on this GX" in said
    assert link(gx, name).is_symlink()
    assert f"\n/data/{name}/install.sh\n" in gx.rc_local.read_text()
    said = gx.again("--es-ess", "off")
    assert f"{name} is stopped" in said
    assert not link(gx, name).is_symlink()
    assert f"\n#heliograph-off# /data/{name}/install.sh\n" in gx.rc_local.read_text()
    assert "Attention" not in gx.again()
    gx.again("--es-ess", "on")
    assert link(gx, name).is_symlink()
    assert gx.rc_local.read_text().replace(f"{LINE}\n", "") == text


@pytest.mark.parametrize("touched", [False, True])
def test_an_uninstall_brings_es_ess_back(gx: Machine, touched: bool) -> None:
    with_es_ess(gx)
    before = gx.picture()
    gx.install("--broker", "mqtt://x", "--es-ess", "off")
    gx.install("--es-ess", "off")
    if touched:
        with gx.rc_local.open("a") as file:
            file.write("/data/later/install.sh\n")
    gx.uninstall("--purge")
    if touched:
        gx.rc_local.write_text(gx.rc_local.read_text().replace("/data/later/install.sh\n", ""))
    assert gx.picture() == before


def test_es_ess_may_stay_off(gx: Machine) -> None:
    with_es_ess(gx)
    gx.install("--broker", "mqtt://x", "--es-ess", "off")
    gx.uninstall("--purge", "--es-ess-stays-off")
    assert not link(gx, "es-ESS").is_symlink()
    assert gx.rc_local.read_text() == f"#!/bin/bash\n\n#heliograph-off# {ES_ESS}\n"


def test_a_damaged_bundle_is_refused(gx: Machine) -> None:
    with (gx.bundle / "lib" / "injector" / "app.py").open("a") as file:
        file.write("# changed\n")
    assert "damaged or incomplete" in gx.refused()
    (gx.bundle / "lib" / "injector" / "app.py").unlink()
    assert "damaged or incomplete" in gx.refused()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--bridge"], "only the injector"),
        (["--broker"], "--broker needs a value"),
        (["--frob"], "--frob is not an option"),
        (["--venus", "a'b"], "quotation mark or a line break"),
        (["--venus", "a\nb"], "quotation mark or a line break"),
        (["--password-file", "/nowhere"], "/nowhere cannot be read"),
        (["--es-ess", "maybe"], "on, off or keep"),
    ],
)
def test_a_wrong_option_changes_nothing(gx: Machine, options: list[str], sentence: str) -> None:
    assert sentence in gx.refused(*options)


def test_a_machine_that_does_not_fit_is_refused(gx: Machine) -> None:
    gx.rc_local.write_text("#!/usr/bin/python3\n")
    assert "is not a shell script" in gx.refused()
    gx.rc_local.unlink()
    python = gx.programs / "python3"
    real = python.readlink()
    python.unlink()
    assert "python3 is missing" in gx.refused()
    # Venus OS before 3.60: the version is asked for first, and the answer is no.
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert "Venus OS has from version 3.60 on" in gx.refused()
    # An image that lacks a part of the standard library.
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in *start.py*) echo "No module named asyncio" >&2; exit 1 ;; esac\n'
        f'exec {real} "$@"\n'
    )
    assert "cannot start on this machine: No module named asyncio" in gx.refused()
    (gx.root / "service").rmdir()
    assert "There is no /service" in gx.refused()


def test_a_full_flash_is_noticed_before(gx: Machine) -> None:
    # A function, because the shell of busybox may prefer its own df to one on the PATH.
    script = 'df() { printf "h\\ndev 10000 9000 1000 90%% /data\\n"; }; . "$0"'
    before = gx.picture()
    done = gx.sh("-c", script, str(gx.bundle / "install.sh"))
    assert done.returncode == 1
    assert "/data has 1000 kB free" in done.stderr
    assert gx.picture() == before


def test_a_flash_that_cannot_be_written_is_noticed_before(gx: Machine) -> None:
    data = gx.root / "data"
    data.rmdir()
    # Nobody can make a file there, not even root.
    data.symlink_to("/proc")
    assert "Nothing can be written to /data" in gx.refused()


@pytest.mark.parametrize("failing", ["cp", "sync", "chmod", "mv"])
def test_a_step_that_fails_leaves_all_as_it_was(gx: Machine, failing: str) -> None:
    gx.install("--broker", "mqtt://x")
    before = gx.picture()
    # As on a full flash. A function, because the shell of busybox may prefer its own applets.
    script = f'{failing}() {{ echo "No space left on device" >&2; return 1; }}; . "$0"'
    done = gx.sh("-c", script, str(gx.bundle / "install.sh"), "--broker", "mqtt://y")
    assert done.returncode == 1
    assert "what ran before runs on" in done.stderr
    assert gx.picture() == before
    gx.install("--broker", "mqtt://y")
    assert "BROKER='mqtt://y'" in (gx.home / "etc" / "injector.conf").read_text()


def test_an_update_that_was_ended_between_two_programs_loses_neither(gx: Machine) -> None:
    gx.install("--broker", "mqtt://x")
    (gx.home / "app").rename(gx.home / "app.old")
    script = 'cp() { return 1; }; . "$0"'
    assert gx.sh("-c", script, str(gx.bundle / "install.sh")).returncode == 1
    assert (gx.home / "app" / "start.py").exists()


def test_what_a_failed_update_left_is_not_taken_for_a_program(gx: Machine) -> None:
    gx.install("--broker", "mqtt://x")
    (gx.home / "app.new").mkdir()
    gx.again("--venus", "gx")
    assert (gx.home / "app" / "start.py").exists()
