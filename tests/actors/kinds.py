"""Every kind that there is, and the skeleton copied the way CONTRIBUTING.md says."""

from __future__ import annotations

import contextlib
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.config.kinds import Kind, KindRegistry, all_kinds
from bridge.contract import load_contract
from bridge.device import Device
from bridge.mqtt import Endpoint
from bridge.runner import Runner
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.actor import Actor
    from tests.runtime.links import Link

ROOT = Path(__file__).parents[2]
COPY = "yourkind"
INVERTER = "yourinverter"
_PACKAGE = "kinds_of_a_newcomer"
_QUICK = {"interval": 0.1, "timeout": 0.3, "retries": 0}

NAMES = (*all_kinds(), COPY, INVERTER)
# Devices; services of the internet have tests of their own (test_tariffs.py).
_SERVICES = ("tariffs", "forecasts")
_SIMULATED = [
    name
    for name, kind in all_kinds().items()
    if (kind.folder / "sim.py").is_file() and kind.role not in _SERVICES
]
# They live on the broker of the house, and cannot be read without it (test_on_broker.py).
ON_BROKER = [
    name for name in _SIMULATED if not getattr(all_kinds()[name].load(), "reads_directly", True)
]
SIMULATED = (
    *(name for name in _SIMULATED if name not in ON_BROKER),
    COPY,
    INVERTER,
)
# What keeps an actor away for longer than a test waits, on purpose.
LASTING = {
    ("homevolt", "login"): "a wrong password is tried once a minute",
    ("http_switch", "login"): "a wrong password is tried once a minute",
    ("lg_ess", "password"): "a wrong password is tried once a minute",
    ("lg_ess", "session"): "sessions that end at once are renewed after 15 s at the soonest",
    ("shelly", "login"): "a wrong password is tried once a minute",
    ("wattpilot", "login"): "a wrong password is tried once a minute",
}


def contributing_commands(copy: str = COPY) -> list[str]:
    """The shell lines that make the folder of that name, as CONTRIBUTING.md shows them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if lines[0].startswith("cp -r") and lines[0].endswith(f"/{copy}"):
            return lines
    raise AssertionError(f"CONTRIBUTING.md must show how to make {copy}")


def copy_template(folder: Path, copy: str = COPY) -> Kind:
    """Copy a skeleton by the commands of CONTRIBUTING.md into a package of its own."""
    package_name = f"{_PACKAGE}_{copy}"
    role = folder / "actors" / "devices"
    role.mkdir(parents=True)
    skeletons = sorted((ROOT / "actors").glob("_template*"))
    for skeleton in skeletons:
        shutil.copytree(
            skeleton,
            folder / "actors" / skeleton.name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for tests in sorted((ROOT / "tests").glob("_template*")):
        shutil.copytree(
            tests, folder / "tests" / tests.name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for command in contributing_commands(copy):
        subprocess.run(["sh", "-c", command], cwd=folder, check=True, timeout=10)
    # `actors` is the real package in this process: the copy gets another name.
    for skeleton in skeletons:
        shutil.rmtree(folder / "actors" / skeleton.name)
    package = (folder / "actors").rename(folder / package_name)
    for inner in (package, package / "devices"):
        (inner / "__init__.py").write_text('"""A package."""\n')
    copied = (package / "devices" / copy, folder / "tests" / copy)
    for path in [path for each in copied for path in each.glob("*.py")]:
        path.write_text(path.read_text().replace("actors.devices", f"{package_name}.devices"))
    for name in [name for name in sys.modules if name.partition(".")[0] == package_name]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    return KindRegistry(package_name).find(copy)


def kind_of(actor: type[Actor]) -> Kind:
    """The kind of a class, wherever its folder is."""
    module = actor.__module__.rpartition(".")[0]
    folder = Path(inspect.getfile(actor)).parent
    return Kind(actor.kind, folder.parent.name, folder, module)


def is_device(kind: Kind) -> bool:
    return issubclass(kind.load(), Device)


def settings_for(kind: Kind, sim: Any, **more: Any) -> Any:
    """Settings that point the kind at its simulator, quick enough for a test."""
    fields = set(kind.settings().__struct_fields__)
    given: dict[str, Any] = {name: value for name, value in _QUICK.items() if name in fields}
    if "url" in fields:
        given["url"] = f"http://{sim.host}:{sim.port}"
    elif "host" in fields:
        given |= {"host": sim.host, "port": sim.port}
    else:
        given |= sim.settings()
    simulator: Any = kind.simulator()
    given |= dict(getattr(simulator, "SETTINGS", {}))
    return kind.settings()(**given | more)


def make(kind: Kind, settings: Any, state: Path, place: Endpoint | None = None) -> Actor:
    """One actor of the kind, not running; `dut` is its id."""
    context = Context(
        "dut",
        settings,
        Config(state=state),
        load_contract(),
        place or Endpoint("localhost", 1),
        Clock(),
    )
    return kind.load()(context)


@contextlib.asynccontextmanager
async def running(kind: Kind, settings: Any, state: Path, port: int) -> AsyncIterator[Link]:
    """The actor under a real runner on a real broker; what it publishes is in the link."""
    place = endpoint(port)

    def build(restarts: int) -> Context:
        config = Config(state=state)
        return Context("dut", settings, config, load_contract(), place, Clock(), restarts)

    async def report(*_: object) -> None:
        return

    runner = Runner(build, kind.load(), name="dut", stops_first=False, report=report)
    async with link(place, "eyes", filters=("heliograph/#",)) as them:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runner.run)
            yield them
            runner.stop()
            await runner.finished.wait()
        assert runner.restarts == 0
        await them.until(lambda: last(them, "Actors/dut/Status") == "offline")


def last(them: Link, address: str) -> str | None:
    """The newest payload of an address as text."""
    found = them.payloads(f"heliograph/{address}")
    return found[-1].decode() if found else None


def declared(actor: type[Device], names: Mapping[str, Any]) -> set[str]:
    """Those of `names` that the class does not declare, families resolved."""
    contract = load_contract()
    known = set(actor.quantities)
    return {name for name in names if not {name, contract.quantity(name).family} & known}
