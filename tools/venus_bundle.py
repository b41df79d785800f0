"""Makes the archives that install Heliograph on a Victron GX without the network.

usage: venus_bundle.py [--arch armv7l|aarch64|x86_64 …] [--out FOLDER] [--cache FOLDER]

Every bundle has the injector of `venus_dbus` with dbus-fast and paho-mqtt in pure Python, which
runs on any processor. aarch64 (Raspberry Pi 5, am62xx) has the whole bridge too, with the wheels of
deploy/venus/requirements.txt, each checked against its locked hash; so has x86_64, for trying on a
PC. 32-bit GXs get the injector only: msgspec has no wheel for them. The same sources and lock file
give the same archive, byte for byte.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from email.message import Message

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy" / "venus"
LOCK = DEPLOY / "requirements.txt"
INJECTOR = "actors/venus/venus_dbus/injector"
INJECTOR_NEEDS = ("dbus-fast", "paho-mqtt")
PYTHON = "3.12"
"""The Python of Venus OS 3.60 and newer, for which the compiled packages are."""
TOP = "heliograph-venus"
MACHINES = {"aarch64": 183, "x86_64": 62}
"""ELF numbers of the processors that the whole bridge can be bundled for."""
ARCHS = ("armv7l", *MACHINES)
GLIBC = ("2014", "_2_17", "_2_28", "_2_31", "_2_34", "_2_35", "_2_36", "_2_39")
EPOCH = 1577836800
SCRIPTS = (
    "install.sh",
    "uninstall.sh",
    "common.sh",
    "boot.sh",
    "start.py",
    "injector.conf",
    "README.md",
)
LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors|edl-|epl-)", re.IGNORECASE)
# Compiled parts and their descriptions; glib needs a package that is not there.
NOT_PURE = re.compile(r"\.(so|pxd|pyx|c)$|^dbus_fast/glib/")


class BundleError(Exception):
    """The bundle cannot be made; one plain sentence."""


@dataclass(frozen=True)
class Locked:
    """A package of the lock file: its version and the hashes of all its archives."""

    name: str
    version: str
    hashes: frozenset[str]


@dataclass
class Bundle:
    """What goes into the archive: file by path, and which of them can be executed."""

    files: dict[str, bytes] = field(default_factory=dict)
    programs: set[str] = field(default_factory=set)
    packages: list[dict[str, str]] = field(default_factory=list)

    def add(self, path: str, content: bytes, *, program: bool = False) -> None:
        """One file. Raises BundleError when it is there with another content."""
        if self.files.setdefault(path, content) != content:
            raise BundleError(f"{path} comes from two packages with different contents")
        if program:
            self.programs.add(path)


# ------------------------------------------------------------------ packages


def plain(name: str) -> str:
    """A package's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> dict[str, Locked]:
    """The packages of a lock file. Raises BundleError for a line without a version or a hash."""
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        match = re.match(r"([A-Za-z0-9._-]+)==(\S+)\s", line)
        hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        if match is None or not hashes:
            raise BundleError(f"the lock file has a line without version and hash: {line[:60]}")
        found[plain(match[1])] = Locked(plain(match[1]), match[2], hashes)
    return found


def digest(content: bytes) -> str:
    """Its SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def in_cache(locked: Locked, folder: Path) -> Path | None:
    """The wheel of this very version and hash, when it was downloaded before."""
    for path in sorted(folder.glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if plain(name) == locked.name and version == locked.version:
            if digest(path.read_bytes()) in locked.hashes:
                return path
            path.unlink()
    return None


def fetch(wanted: Iterable[Locked], arch: str, folder: Path) -> list[Path]:
    """Their wheels for this processor, downloaded where missing. Raises BundleError."""
    wanted = list(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [each for each in wanted if in_cache(each, folder) is None]
    if missing:
        download(missing, arch, folder)
    found = []
    for each in wanted:
        path = in_cache(each, folder)
        if path is None:
            raise BundleError(f"no wheel of {each.name} {each.version} has a hash of the lock file")
        found.append(path)
    return found


def download(missing: Iterable[Locked], arch: str, folder: Path) -> None:
    """Let pip fetch and check them; no package is ever built. Raises BundleError."""
    lock = folder / "missing.txt"
    lines = (
        f"{each.name}=={each.version} "
        + " ".join(f"--hash=sha256:{value}" for value in sorted(each.hashes))
        for each in missing
    )
    lock.write_text("\n".join(lines) + "\n", encoding="utf-8")
    platforms = [f"--platform=manylinux{glibc}_{arch}" for glibc in GLIBC]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", f"--python-version={PYTHON}"),
        *("--implementation=cp", f"--abi=cp{PYTHON.replace('.', '')}", "--abi=abi3", "--abi=none"),
        *(*platforms, "--dest", str(folder), "--requirement", str(lock)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise BundleError(f"the packages cannot be downloaded: {(said or ['no reason given'])[-1]}")


def unpack(path: Path) -> dict[str, bytes]:
    """The files of a wheel as they are installed; its commands are left out."""
    found = {}
    with zipfile.ZipFile(path) as wheel:
        for each in wheel.infolist():
            parts = PurePosixPath(each.filename).parts
            if each.is_dir():
                continue
            if ".." in parts or each.filename.startswith("/"):
                raise BundleError(f"{path.name} has a file outside of itself: {each.filename}")
            if parts[0].endswith(".data"):
                if parts[1] in {"scripts", "data", "headers"}:
                    continue
                parts = parts[2:]
            found["/".join(parts)] = wheel.read(each)
    return found


def add_wheel(bundle: Bundle, path: Path, under: str, *, pure: bool, machine: int | None) -> None:
    """Put a wheel below a folder, and its licences beside. Raises BundleError."""
    files = unpack(path)
    info = next(name.split("/")[0] for name in files if name.endswith(".dist-info/METADATA"))
    name, version = info.removesuffix(".dist-info").split("-")[:2]
    for each, content in licences_of(plain(name), info, files).items():
        bundle.add(f"licences/{plain(name)}-{version}/{each}", content)
    for each, content in files.items():
        if pure and (NOT_PURE.search(each) or each.startswith(f"{info}/")):
            continue
        if content.startswith(b"\x7fELF") and int.from_bytes(content[18:20], "little") != machine:
            raise BundleError(f"{path.name} has a file for another processor: {each}")
        bundle.add(f"{under}/{each}", content)
    metadata = BytesParser().parsebytes(files[f"{info}/METADATA"])
    bundle.packages.append(
        {
            "name": plain(name),
            "version": version,
            "licence": licence_of(metadata),
            "wheel": path.name,
            "sha256": digest(path.read_bytes()),
            "under": under,
        }
    )


def licences_of(name: str, info: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The licence files of a package, by path: from its wheel, else as its sources have them.

    Raises BundleError when there are none.
    """
    found = {}
    for path, content in files.items():
        if path.startswith(f"{info}/licenses/"):
            found[path.removeprefix(f"{info}/licenses/")] = content
        elif path.startswith(f"{info}/") and LICENCE.search(path.rpartition("/")[2]):
            found[path.removeprefix(f"{info}/")] = content
    own = DEPLOY / "licences" / f"{name}.txt"
    if not found and own.exists():
        found["LICENSE.txt"] = own.read_bytes()
    if not found:
        raise BundleError(f"{name} has no licence in its wheel: add {own.relative_to(ROOT)}")
    return found


def licence_of(metadata: Message) -> str:
    """The licence's name as the package gives it, which has had three places over the years."""
    if expression := metadata["License-Expression"]:
        return str(expression)
    classes = [str(each) for each in metadata.get_all("Classifier", [])]
    named = [each.rpartition(" :: ")[2] for each in classes if each.startswith("License :: ")]
    return ", ".join(named) or str(metadata["License"] or "").partition("\n")[0]


# ------------------------------------------------------------------ our own files


def add_folder(bundle: Bundle, folder: Path, under: str) -> None:
    """All files of a folder, without what Python and editors leave behind."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part == "__pycache__" or part.startswith(".") for part in parts)
        if path.is_file() and not hidden and path.suffix != ".pyc":
            bundle.add(f"{under}/{'/'.join(parts)}", path.read_bytes())


def add_bridge(bundle: Bundle, under: str) -> None:
    """The bridge as its wheel has it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    for package in wheel["packages"]:
        add_folder(bundle, ROOT / package, f"{under}/{package}")
    for source, target in wheel["force-include"].items():
        bundle.add(f"{under}/{target}", (ROOT / source).read_bytes())


def add_service(bundle: Bundle, name: str) -> None:
    """What svscan starts."""
    for each in ("run", "log/run"):
        path = f"service/{name}/{each}"
        bundle.add(path, (DEPLOY / path).read_bytes(), program=True)


def version() -> str:
    """Of Heliograph."""
    text = (ROOT / "bridge" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if match is None:
        raise BundleError("bridge/__init__.py does not say a version")
    return match[1]


def collect(arch: str, cache: Path) -> Bundle:
    """Everything of one archive. Raises BundleError."""
    bundle = Bundle()
    lock = read_lock(LOCK.read_text(encoding="utf-8"))
    for name in SCRIPTS:
        bundle.add(name, (DEPLOY / name).read_bytes(), program=name.endswith(".sh"))
    bundle.add("LICENSE", (ROOT / "LICENSE").read_bytes())
    bundle.add("VERSION", f"{version()}\n".encode())
    bundle.add("ARCH", f"{arch}\n".encode())
    # The Python files of dbus-fast are the same in every wheel; without the compiled ones they do.
    for path in fetch((lock[name] for name in INJECTOR_NEEDS), "aarch64", cache / "aarch64"):
        add_wheel(bundle, path, "lib", pure=True, machine=None)
    add_folder(bundle, ROOT / INJECTOR, "lib/injector")
    add_service(bundle, "heliograph-injector")
    if arch in MACHINES:
        under = f"env/lib/python{PYTHON}/site-packages"
        for path in fetch(lock.values(), arch, cache / arch):
            add_wheel(bundle, path, under, pure=False, machine=MACHINES[arch])
        add_bridge(bundle, under)
        add_service(bundle, "heliograph")
    return bundle


# ------------------------------------------------------------------ the archive


def manifest(bundle: Bundle, arch: str) -> bytes:
    """What is in it and where it is from, as JSON."""
    content = {
        "name": "heliograph",
        "version": version(),
        "arch": arch,
        "python": PYTHON if arch in MACHINES else ">=3.11",
        "packages": sorted(bundle.packages, key=lambda each: (each["under"], each["name"])),
        "files": {
            path: {"sha256": digest(content), "size": len(content)}
            for path, content in sorted(bundle.files.items())
        },
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def sums(files: Mapping[str, bytes]) -> bytes:
    """A list that `sha256sum -c` understands."""
    return "".join(f"{digest(files[path])}  {path}\n" for path in sorted(files)).encode()


def pack(bundle: Bundle, when: int) -> bytes:
    """The archive: sorted, one time, nobody's; the same input gives the same bytes."""
    plain_tar = io.BytesIO()
    with tarfile.open(fileobj=plain_tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(bundle.files):
            entry = tarfile.TarInfo(f"{TOP}/{path}")
            entry.size = len(bundle.files[path])
            entry.mtime = when
            entry.mode = 0o755 if path in bundle.programs else 0o644
            archive.addfile(entry, io.BytesIO(bundle.files[path]))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=when, filename="") as file:
        file.write(plain_tar.getvalue())
    return packed.getvalue()


def build(arch: str, out: Path, cache: Path) -> Path:
    """Write one archive and its .sha256 file. Raises BundleError."""
    bundle = collect(arch, cache)
    bundle.add("manifest.json", manifest(bundle, arch))
    bundle.add("SHA256SUMS", sums(bundle.files))
    content = pack(bundle, int(os.environ.get("SOURCE_DATE_EPOCH") or EPOCH))
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{TOP}-{version()}-{arch}.tar.gz"
    path.write_bytes(content)
    Path(f"{path}.sha256").write_text(f"{digest(content)}  {path.name}\n", encoding="utf-8")
    unpacked = sum(map(len, bundle.files.values()))
    print(f"{path}: {len(content) / 1e6:.1f} MB, {unpacked / 1e6:.1f} MB unpacked")
    return path


def main() -> int:
    """Make what was asked for; 1 with one sentence when that is not possible."""
    parser = argparse.ArgumentParser(description="Makes the archives for a Victron GX.")
    parser.add_argument("--arch", action="append", choices=ARCHS, help="default: armv7l, aarch64")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "venus")
    given = parser.parse_args()
    try:
        for arch in given.arch or ("armv7l", "aarch64"):
            build(arch, given.out, given.cache)
    except BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
