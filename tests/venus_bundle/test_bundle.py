"""What is in the archives for a GX, looked at file by file."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from tests.venus_bundle.machine import (
    BUSYBOX,
    CACHE,
    DEPLOY,
    OFFLINE,
    ROOT,
    TOP,
    copy_project,
    needs_busybox,
    pythons,
    run_tool,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SITE = "env/lib/python3.12/site-packages"
ELF, AARCH64 = b"\x7fELF", 183
# Venus OS 3.60 has glibc 2.39; nothing may ask for more.
LIBRARY = 39
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(LIBRARY, 16, -1)]
# Of LICENSE.txt in the sources of pySerial 3.5.
PYSERIAL = "f91cb9813de6a5b142b8f7f2dede630b5134160aedaeaf55f4d6a7e2593ca3f3"
# Packed and unpacked, in MB.
BOUNDS = {"armv7l": (1, 3), "aarch64": (15, 60)}
# Of the target that the wheels are for.
TARGET = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.12.3",
    "python_version": "3.12",
    "sys_platform": "linux",
    "extra": "",
}
EVERYTHING = """\
import importlib, json, pathlib, pkgutil, sys
lib = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(lib))
found = [each.name for each in pkgutil.walk_packages([str(lib)])]
names = [name for name in found if not name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
allowed = set(sys.stdlib_module_names) | {"injector", "dbus_fast", "paho", "__main__"}
foreign = sorted(name for name in sys.modules if name.partition(".")[0] not in allowed)
outside = sorted(
    name for name, module in sys.modules.items()
    if name.partition(".")[0] in {"injector", "dbus_fast", "paho"}
    and not pathlib.Path(module.__file__).is_relative_to(lib)
)
print(json.dumps({"names": names, "foreign": foreign, "outside": outside}))
"""


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as file:
        return {
            entry.name.removeprefix(f"{TOP}/"): file.extractfile(entry).read()  # type: ignore[union-attr]
            for entry in file.getmembers()
        }


@pytest.fixture(scope="module")
def small_files(small: Path) -> dict[str, bytes]:
    return contents(small)


@pytest.fixture(scope="module")
def large_files(large: Path) -> dict[str, bytes]:
    return contents(large)


@pytest.fixture(params=["armv7l", "aarch64"])
def bundle(
    request: pytest.FixtureRequest, small: Path, large: Path
) -> tuple[str, Path, dict[str, bytes]]:
    archive = small if request.param == "armv7l" else large
    return request.param, archive, contents(archive)


@pytest.fixture(scope="module")
def unpacked(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(small) as archive:
        archive.extractall(folder, filter="data")
    return folder / TOP


def compiled(files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        path: content
        for path, content in files.items()
        if content.startswith(ELF) or re.search(r"\.(so|pyd|dll|dylib|pyc|o|a)(\.|$)", path)
    }


def test_the_small_one_holds_nothing_that_is_compiled(small_files: dict[str, bytes]) -> None:
    assert compiled(small_files) == {}
    assert not any("msgspec" in path for path in small_files)
    assert not any(path.startswith("env/") for path in small_files)
    tops = {path.split("/")[1] for path in small_files if path.startswith("lib/")}
    assert tops == {"injector", "dbus_fast", "paho"}


def test_the_large_one_is_for_one_processor(large_files: dict[str, bytes]) -> None:
    found = compiled(large_files)
    assert {path for path in found if "/msgspec/" in path}
    assert {path for path in found if "/aiohttp/" in path}
    for path, content in found.items():
        assert content.startswith(ELF), path
        # 64 bits, little-endian, AArch64.
        assert content[4:6] == b"\x02\x01", path
        assert int.from_bytes(content[18:20], "little") == AARCH64, path
        assert path.startswith(SITE), path
        if ".cpython-" in path:
            assert ".cpython-312-aarch64-linux-gnu.so" in path, path


def test_both_hold_the_same_injector(
    small_files: dict[str, bytes], large_files: dict[str, bytes]
) -> None:
    folder = ROOT / "actors" / "venus" / "venus_dbus" / "injector"
    ours = {f"lib/injector/{path.name}": path.read_bytes() for path in folder.glob("*.py")}
    assert ours
    for path, content in small_files.items():
        if path.startswith("lib/"):
            assert large_files[path] == content
    assert {path: small_files[path] for path in ours} == ours


@pytest.mark.parametrize("version", sorted(pythons()))
def test_all_that_the_injector_imports_is_there(unpacked: Path, version: str) -> None:
    done = subprocess.run(
        [pythons()[version], "-I", "-S", "-B", "-W", "error", "-c", EVERYTHING, unpacked / "lib"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"injector.app", "dbus_fast.aio.message_bus", "paho.mqtt.client"} <= set(found["names"])
    assert found["foreign"] == found["outside"] == []


@pytest.mark.parametrize("version", sorted(pythons()))
def test_it_starts_alone(unpacked: Path, version: str) -> None:
    command: list[Path | str] = [pythons()[version], "-I", "-S", "-B", unpacked / "start.py"]
    done = subprocess.run([*command, "--help"], check=True, capture_output=True, text=True)
    assert "--broker" in done.stdout
    done = subprocess.run(
        [*command, "--broker", "http://x"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "the broker's url must be" in done.stderr


def imported(source: bytes) -> set[str]:
    """First names of everything that a module of ours imports at any time."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_all_that_the_bridge_imports_is_there(large_files: dict[str, bytes]) -> None:
    inside = [path.removeprefix(f"{SITE}/") for path in large_files if path.startswith(SITE)]
    there = {re.split(r"[/.]", path)[0] for path in inside}
    wanted: dict[str, str] = {}
    for path in inside:
        if path.startswith(("bridge/", "actors/")) and path.endswith(".py"):
            wanted |= dict.fromkeys(imported(large_files[f"{SITE}/{path}"]), path)
    # The embedded broker is no part of it: a GX has a broker. The injector is a package of its own.
    missing = set(wanted) - there - set(sys.stdlib_module_names) - {"amqtt", "injector"}
    assert {name: wanted[name] for name in missing} == {}
    assert {"bridge/topics.yaml", "bridge/demo.yaml", "bridge/cli/main.py"} <= set(inside)


def test_all_that_the_packages_need_is_there(large_files: dict[str, bytes]) -> None:
    versions = {
        each["name"]: each["version"]
        for each in json.loads(large_files["manifest.json"])["packages"]
        if each["under"] == SITE
    }
    wanted = list(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    for path, content in large_files.items():
        if path.startswith(SITE) and path.endswith(".dist-info/METADATA"):
            head = content.decode().split("\n\n")[0]
            wanted += re.findall(r"^Requires-Dist: (.+)$", head, re.MULTILINE)
    for line in wanted:
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate(TARGET):
            name = re.sub(r"[-_.]+", "-", need.name).lower()
            assert name in versions, f"{line}: run `make lock`"
            assert need.specifier.contains(versions[name]), line


def test_what_is_in_it_is_what_was_locked(bundle: tuple[str, Path, dict[str, bytes]]) -> None:
    _, _, files = bundle
    locked = (DEPLOY / "requirements.txt").read_text()
    general = (ROOT / "requirements.txt").read_text()
    for each in json.loads(files["manifest.json"])["packages"]:
        assert f"{each['name']}=={each['version']} " in locked
        assert f"--hash=sha256:{each['sha256']}" in locked
        if f"\n{each['name']}==" in general:
            assert f"\n{each['name']}=={each['version']} " in general, "run `make lock`"


def test_every_package_brings_its_licence(bundle: tuple[str, Path, dict[str, bytes]]) -> None:
    _, _, files = bundle
    packages = json.loads(files["manifest.json"])["packages"]
    assert {"dbus-fast", "paho-mqtt"} <= {each["name"] for each in packages}
    for each in packages:
        folder = f"licences/{each['name']}-{each['version']}/"
        texts = [content for path, content in files.items() if path.startswith(folder)]
        assert max(map(len, texts), default=0) > 300, folder
        assert each["licence"], folder
    assert files["LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_no_licence_of_a_wheel_is_left_out(large_files: dict[str, bytes]) -> None:
    """Each, and each as it is there: two of a package may have the same name."""
    packages = json.loads(large_files["manifest.json"])["packages"]
    without = set()
    for each in packages:
        folder = f"licences/{each['name']}-{each['version']}/"
        ours = [content for path, content in large_files.items() if path.startswith(folder)]
        with zipfile.ZipFile(CACHE / "aarch64" / each["wheel"]) as wheel:
            metadata = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
            head = wheel.read(metadata[0]).decode().split("\n\n")[0]
            named = re.findall(r"^License-File: (.+)$", head, re.MULTILINE)
            listed = [name for name in wheel.namelist() if "/licenses/" in name and name[-1] != "/"]
            assert len(ours) >= len(named), each["name"]
            assert all(wheel.read(name) in ours for name in listed), each["name"]
            if not named and not listed:
                without.add(each["name"])
    # Old packages that name none; pySerial's is the file LICENSE.txt of its sources.
    assert {"pyserial"} <= without
    own = (DEPLOY / "licences" / "pyserial.txt").read_bytes()
    assert hashlib.sha256(own).hexdigest() == PYSERIAL
    assert large_files["licences/pyserial-3.5/LICENSE.txt"] == own


def test_every_wheel_fits_the_python_and_the_c_library_of_the_gx(
    large_files: dict[str, bytes],
) -> None:
    fitting = {
        *cpython_tags((3, 12), ["cp312", "abi3"], PLATFORMS),
        *compatible_tags((3, 12), "cp312", PLATFORMS),
    }
    for each in json.loads(large_files["manifest.json"])["packages"]:
        if each["under"] == SITE:
            assert parse_wheel_filename(each["wheel"])[3] & fitting, each["wheel"]
    for path, content in compiled(large_files).items():
        assert b"libc.musl" not in content, path
        needed = {int(number) for number in re.findall(rb"GLIBC_2\.(\d+)\b", content)}
        assert max(needed, default=0) <= LIBRARY, path


def test_the_manifest_and_the_sums_name_every_file(
    bundle: tuple[str, Path, dict[str, bytes]],
) -> None:
    arch, archive, files = bundle
    manifest: dict[str, Any] = json.loads(files["manifest.json"])
    assert manifest["arch"] == arch == files["ARCH"].decode().strip()
    assert manifest["version"] == files["VERSION"].decode().strip()
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    listed = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert listed == {path: value for path, value in sums.items() if path != "SHA256SUMS"}
    in_manifest = {path: each["sha256"] for path, each in manifest["files"].items()}
    apart = {"SHA256SUMS", "manifest.json"}
    assert in_manifest == {path: value for path, value in sums.items() if path not in apart}
    whole = hashlib.sha256(archive.read_bytes()).hexdigest()
    said = archive.with_name(f"{archive.name}.sha256").read_text()
    assert said == f"{whole}  {archive.name}\n"


def test_it_stays_small(bundle: tuple[str, Path, dict[str, bytes]]) -> None:
    arch, archive, files = bundle
    packed, whole = BOUNDS[arch]
    assert archive.stat().st_size < packed * 1e6
    assert sum(map(len, files.values())) < whole * 1e6


def test_nothing_in_it_depends_on_where_and_when_it_was_made(
    bundle: tuple[str, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    arch, archive, _ = bundle
    # From a copy and a copy of that, so that nobody changes a file in between.
    first = copy_project(tmp_path / "one")
    shutil.copytree(first.parents[1], tmp_path / "two" / "deeper", copy_function=shutil.copyfile)
    second = tmp_path / "two" / "deeper" / "tools" / first.name
    packed = []
    for tool in (first, second):
        out = tool.parents[1] / "dist"
        assert run_tool(out, arch, tool=tool).returncode == 0
        packed.append((out / archive.name).read_bytes())
    assert packed[0] == packed[1]
    with tarfile.open(archive) as file:
        entries = file.getmembers()
    assert [each.name for each in entries] == sorted(each.name for each in entries)
    assert len({each.mtime for each in entries}) == 1
    for each in entries:
        assert (each.uid, each.gid, each.uname, each.gname) == (0, 0, "", "")
        program = each.name.endswith((".sh", "/run"))
        assert each.mode == (0o755 if program else 0o644), each.name
        assert each.isreg()
        assert ".." not in each.name.split("/")


@needs_busybox
def test_the_gx_can_unpack_it(large: Path, tmp_path: Path) -> None:
    assert BUSYBOX is not None
    subprocess.run([BUSYBOX, "tar", "xzf", large, "-C", tmp_path], check=True)
    done = subprocess.run(
        [BUSYBOX, "sha256sum", "-c", "SHA256SUMS"],
        check=False,
        cwd=tmp_path / TOP,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_wheel_that_was_changed_is_not_used(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "aarch64"
    folder.mkdir(parents=True)
    for path in (CACHE / "aarch64").glob("*.whl"):
        if path.name.startswith(("paho_mqtt", "dbus_fast")):
            shutil.copy(path, folder)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}
    made = run_tool(tmp_path / "good", "armv7l", folder=folder.parent, more=offline)
    assert made.returncode == 0, made.stderr
    assert next((tmp_path / "good").glob("*.gz")).read_bytes() == small.read_bytes()
    (paho,) = folder.glob("paho_mqtt*")
    paho.write_bytes(paho.read_bytes() + b"\0")
    made = run_tool(tmp_path / "bad", "armv7l", folder=folder.parent, more=offline)
    assert made.returncode == 1
    assert OFFLINE in made.stderr
    assert "Traceback" not in made.stderr
    assert not (tmp_path / "bad").exists()
