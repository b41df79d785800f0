"""Bundles made by the tool, and a folder that looks like a GX, with the programs of busybox."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "venus"
TOOL = ROOT / "tools" / "venus_bundle.py"
CACHE = ROOT / "build" / "venus"
TOP = "heliograph-venus"
OFFLINE = "cannot be downloaded"
BUSYBOX = shutil.which("busybox")
needs_busybox = pytest.mark.skipif(BUSYBOX is None, reason="busybox is not installed")
# What the scripts may use of the GX beside Python and daemontools.
APPLETS = (
    *("awk", "cat", "chmod", "cmp", "cp", "cut", "df", "dirname", "du", "grep", "head", "ln"),
    *("mkdir", "mv", "readlink", "rm", "sed", "sh", "sha256sum", "sleep", "stat", "sync", "tail"),
    *("tr", "uname"),
)


def run_tool(
    out: Path,
    *archs: str,
    folder: Path = CACHE,
    tool: Path = TOOL,
    more: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """`make venus-bundle`, one at a time on this machine: all share the downloaded wheels."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [word for arch in archs for word in ("--arch", arch)]
    command = [sys.executable, str(tool), *chosen, "--out", str(out), "--cache", str(folder)]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(
            command, check=False, capture_output=True, text=True, env={**os.environ, **(more or {})}
        )


def make_bundle(out: Path, arch: str) -> Path:
    """The archive for one processor. Without a network the test is skipped; in CI it fails."""
    done = run_tool(out, arch)
    if done.returncode != 0 and OFFLINE in done.stderr:
        sentence = f"the bundle cannot be created: {done.stderr.strip()}"
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(sentence)
        pytest.skip(sentence)
    assert done.returncode == 0, done.stderr
    (archive,) = out.glob(f"*-{arch}.tar.gz")
    return archive


def copy_project(target: Path) -> Path:
    """What a bundle is made of, elsewhere; the tool in the copy."""
    parts = ("bridge", "actors", "deploy", "tools", "config", "topics.yaml", "pyproject.toml")
    target.mkdir()
    for name in (*parts, "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name)
        else:
            shutil.copy(source, target / name)
    return target / "tools" / TOOL.name


@cache
def pythons() -> dict[str, Path]:
    """Pythons of this machine that the injector supports, by version; ours is one of them."""
    ours = Path(os.path.realpath(sys.executable))
    found = {f"{sys.version_info[0]}.{sys.version_info[1]}": ours}
    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        which = shutil.which(name)
        beside = sorted(Path(sys.base_prefix).parent.glob(f"*/bin/{name}"))
        for path in [*([Path(which)] if which else []), *beside]:
            # What stands on the PATH may be a stand-in that starts nothing.
            works = subprocess.run([path, "-c", ""], check=False, capture_output=True)
            if works.returncode == 0:
                found.setdefault(name.removeprefix("python"), path)
    return found


class Machine:
    """A GX as a folder: `/data`, `/service` … below `root`; nothing on the PATH but ours."""

    def __init__(self, folder: Path, bundle: Path, *, python: Path | None = None) -> None:
        self.root = folder / "gx"
        self.bundle = folder / "usb" / TOP
        for each in ("data", "service", "var/log", "run"):
            (self.root / each).mkdir(parents=True)
        with tarfile.open(bundle) as archive:
            archive.extractall(folder / "usb", filter="data")
        self.programs = folder / "programs"
        self.programs.mkdir()
        assert BUSYBOX is not None
        for name in APPLETS:
            (self.programs / name).symlink_to(BUSYBOX)
        versions = pythons()
        chosen = python or versions.get("3.12") or next(iter(versions.values()))
        (self.programs / "python3").symlink_to(chosen)

    @property
    def home(self) -> Path:
        """Where Heliograph is installed."""
        return self.root / "data" / "heliograph"

    @property
    def rc_local(self) -> Path:
        """What Venus OS runs at the end of a boot."""
        return self.root / "data" / "rc.local"

    @property
    def environment(self) -> dict[str, str]:
        """Of everything that runs on it."""
        return {"PATH": str(self.programs), "HELIOGRAPH_ROOT": str(self.root)}

    def sh(self, script: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script by the shell of busybox."""
        return subprocess.run(
            [self.programs / "sh", script, *arguments],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.environment,
            timeout=300,
        )

    def install(self, *options: str) -> str:
        """From the bundle; what it said."""
        done = self.sh(self.bundle / "install.sh", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def again(self, *options: str) -> str:
        """The installer where it was installed."""
        done = self.sh(self.home / "app" / "install.sh", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *options: str) -> str:
        """The sentence with which the installer refuses; nothing must have changed."""
        before = self.picture()
        done = self.sh(self.bundle / "install.sh", *options)
        assert done.returncode == 1
        assert self.picture() == before
        return done.stderr

    def uninstall(self, *options: str) -> str:
        """Take it off; what it said."""
        done = self.sh(self.home / "app" / "uninstall.sh", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def update_firmware(self) -> None:
        """All is lost but /data."""
        for each in self.root.iterdir():
            if each.name != "data":
                shutil.rmtree(each)
        for name in ("service", "var/log", "run"):
            (self.root / name).mkdir(parents=True)

    def boot(self) -> None:
        """/service is made anew, then rc.local runs, if it can be executed."""
        for each in (self.root / "service").iterdir():
            each.unlink()
        if os.access(self.rc_local, os.X_OK) and self.rc_local.stat().st_mode & 0o111:
            text = self.rc_local.read_text(encoding="utf-8").replace("/data/", f"{self.root}/data/")
            script = self.root / "run" / "rc.local"
            script.write_text(text, encoding="utf-8")
            self.sh(script)

    def picture(self) -> dict[str, tuple[int, bytes | str]]:
        """Everything there is, with mode and content, or what a link points to."""
        found: dict[str, tuple[int, bytes | str]] = {}
        for path in sorted(self.root.rglob("*")):
            content: bytes | str = ""
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = path.read_bytes()
            found[str(path.relative_to(self.root))] = (path.lstat().st_mode, content)
        return found
