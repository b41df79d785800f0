"""What every kind must keep to, whoever wrote it: found by folder, none is named here."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import pytest

from bridge.contract import load_contract
from bridge.device import Device
from bridge.errors import DeviceError
from bridge.registers import Pacing
from tests.actors.kinds import (
    LASTING,
    NAMES,
    ROOT,
    SIMULATED,
    declared,
    is_device,
    last,
    make,
    running,
    settings_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bridge.config.kinds import Kind
    from tests.support.mosquitto import Mosquitto

every_kind = pytest.mark.parametrize("kind", NAMES, indirect=True)
every_simulated_kind = pytest.mark.parametrize("kind", SIMULATED, indirect=True)
CONTRACT = load_contract()
PATTERNS = {topic.pattern for topic in CONTRACT.topics.values()}


# -------------------------------------------------------------------------------- what is declared


@every_kind
def test_what_it_writes_is_in_topics_yaml(kind: Kind) -> None:
    assert set(kind.load().writes) <= PATTERNS


@every_kind
def test_its_quantities_and_controls_are_in_topics_yaml(kind: Kind) -> None:
    actor = kind.load()
    if not issubclass(actor, Device):
        return
    for name in actor.quantities:
        member = re.sub(r"\{\w+\}", "1", name)
        quantity = CONTRACT.quantity(member)
        assert name in {quantity.name, quantity.family}
    assert set(actor.controls) <= set(CONTRACT.controls)
    for table in (actor.watchdog, actor.tolerance, actor.daily_writes):
        assert set(table) <= set(actor.controls)


@every_kind
def test_a_device_that_is_controlled_can_be_written(kind: Kind) -> None:
    actor = kind.load()
    if issubclass(actor, Device) and actor.controls:
        assert actor.write_control is not Device.write_control


def table_of_settings(readme: str) -> set[str]:
    """The names in the first column of every table whose head begins with `setting`."""
    found: set[str] = set()
    inside = False
    for line in readme.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|"):
            inside = False
        elif cells[0] == "setting":
            inside = True
        elif inside:
            found |= set(re.findall(r"`(\w+)`", cells[0]))
    return found


@every_kind
def test_the_readme_lists_exactly_the_settings(kind: Kind) -> None:
    readme = (kind.folder / "README.md").read_text(encoding="utf-8")
    assert table_of_settings(readme) == set(kind.settings().__struct_encode_fields__)


def test_a_table_of_settings_is_read() -> None:
    table = "| setting | x |\n|---|---|\n| `a`, `b_c` | `d` |\n\n| other | |\n| `e` | |\n"
    assert table_of_settings(table) == {"a", "b_c"}


# ---------------------------------------------------------------------------------- pure is pure

WAITING = {
    *("anyio", "asyncio", "time", "socket", "select", "threading", "subprocess", "sched"),
    *("aiohttp", "aiomqtt", "amqtt", "paho", "httpx", "requests", "urllib", "http"),
    *("bridge.bus", "bridge.mqtt", "bridge.broker", "bridge.actor", "bridge.device"),
    *("bridge.clock", "bridge.state", "bridge.runner", "bridge.supervisor"),
}
CORES = sorted(
    path
    for path in (ROOT / "actors").rglob("*.py")
    if path.name in {"core.py", "decode.py"} and "__pycache__" not in path.parts
)


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules and names that are imported when the module runs, not those for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from imports(node)


def waits(name: str) -> bool:
    levels = name.split(".")
    return any(".".join(levels[: count + 1]) in WAITING for count in range(len(levels)))


def closure(path: Path, seen: dict[Path, ast.Module] | None = None) -> dict[Path, ast.Module]:
    """The file and all of our own files that it imports."""
    seen = {} if seen is None else seen
    if path in seen or not path.is_file():
        return seen
    seen[path] = ast.parse(path.read_text(encoding="utf-8"))
    for name in imports(seen[path]):
        if name.startswith(("actors.", "bridge.")):
            inner = ROOT / name.replace(".", "/")
            for found in (inner.with_suffix(".py"), inner.parent.with_suffix(".py")):
                closure(found, seen)
    return seen


@pytest.mark.parametrize("core", CORES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_core_imports_nothing_that_waits(core: Path) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in closure(core).items()
        for name in imports(tree)
        if waits(name)
    }
    assert found == set()


@pytest.mark.parametrize("core", CORES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_core_has_no_clock_and_never_awaits(core: Path) -> None:
    for path, tree in closure(core).items():
        if not path.is_relative_to(ROOT / "actors"):
            continue
        for node in ast.walk(tree):
            assert not isinstance(node, (ast.AsyncFunctionDef, ast.Await)), path
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"utcnow", "monotonic", "today"}, path
                assert ast.unparse(node) != "datetime.now", path


def test_the_check_of_cores_sees_what_it_must() -> None:
    tree = ast.parse("import anyio\nfrom bridge.bus import Bus\ndef f():\n    import time\n")
    assert sorted(filter(waits, imports(tree))) == ["anyio", "bridge.bus.Bus", "time"]
    hidden = "if TYPE_CHECKING:\n    import anyio\nimport math\nimport timeless\n"
    assert not list(filter(waits, imports(ast.parse(hidden))))
    assert any("distributor" in str(core) for core in CORES)
    assert len(closure(ROOT / "actors" / "distributor" / "core.py")) > 3


# -------------------------------------------------------------------------------- the simulator


def faults_of(kind: Kind) -> tuple[str, ...]:
    simulator: Any = kind.simulator()
    return tuple(simulator.FAULTS)


def plain(text: str) -> bool:
    """One line that says something, and shows nothing of the program's insides."""
    insides = ("Traceback", "Error(", "object at 0x", "<class", "NoneType")
    return 10 < len(text) < 300 and text.isprintable() and not any(w in text for w in insides)


async def read(actor: Any) -> Mapping[str, float | str | None]:
    async with actor.direct():
        found: Mapping[str, float | str | None] = await actor.read_once()
        return found


def simulate(kind: Kind) -> Any:
    simulator: Any = kind.simulator()
    return simulator.Simulator(host="127.0.0.1", port=0)


# What each fault of a kind's simulator ends in, once a test has found it out.
SORTS: dict[str, dict[str, type[DeviceError]]] = {}


async def sorts(
    kind: Kind, sim: Any, settings: Any, folder: Path
) -> Mapping[str, type[DeviceError]]:
    """Faults that end a reading, by the error: as found before, or tried now."""
    if kind.name not in SORTS:
        found: dict[str, type[DeviceError]] = {}
        for fault in faults_of(kind):
            sim.fault = fault
            try:
                await read(make(kind, settings, folder))
            except DeviceError as error:
                found[fault] = type(error)
        sim.fault = None
        SORTS[kind.name] = found
    return SORTS[kind.name]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between requests: what is tested here does not depend on them."""
    monkeypatch.setattr("bridge.register_device.strictest_pacing", lambda _folder: Pacing())


@every_kind
def test_a_device_that_is_read_directly_has_a_simulator(kind: Kind) -> None:
    actor = kind.load()
    if is_device(kind) and actor.reads_directly and "sim" not in kind.role.split("."):  # type: ignore[attr-defined]
        assert kind.simulator() is not None


@every_simulated_kind
async def test_it_reads_its_simulator_directly(kind: Kind, tmp_path: Path) -> None:
    async with simulate(kind) as sim:
        actor = make(kind, settings_for(kind, sim), tmp_path)
        assert isinstance(actor, Device)
        values = await read(actor)
    assert values
    assert declared(type(actor), values) == set()
    assert any(value is not None for value in values.values())


@every_simulated_kind
async def test_every_fault_is_a_plain_sentence_or_a_clean_reading(
    kind: Kind, tmp_path: Path
) -> None:
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        good = set(await read(make(kind, settings, tmp_path)))
        refused = {}
        for fault in faults_of(kind):
            actor = make(kind, settings, tmp_path)
            sim.fault = fault
            sentence = "nothing was wrong with it"
            try:
                assert set(await read(actor)) <= good, fault
            except DeviceError as error:
                sentence = str(error)
                refused[fault] = type(error)
            assert plain(sentence), f"{fault}: {sentence}"
            sim.fault = None
            assert set(await read(make(kind, settings, tmp_path))) == good, fault
    assert len(refused) > len(faults_of(kind)) // 2
    SORTS[kind.name] = refused


@every_simulated_kind
async def test_a_stopped_simulator_is_a_plain_sentence(kind: Kind, tmp_path: Path) -> None:
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        await sim.stop()
        with pytest.raises(DeviceError) as caught:
            await read(make(kind, settings, tmp_path))
        assert plain(str(caught.value))
        await sim.start()
        assert await read(make(kind, settings, tmp_path))


# ------------------------------------------------------------------------- running, on a broker


@every_simulated_kind
async def test_running_it_goes_offline_with_its_device_and_comes_back(
    kind: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        async with running(kind, settings, tmp_path, mosquitto.port) as them:

            async def until(wanted: str) -> None:
                await them.until(lambda: last(them, "Devices/dut/Status") == wanted, 8)

            await until("online")
            await them.until(lambda: last(them, "Devices/dut/State"))
            await sim.stop()
            await until("offline")
            silent = len(them.payloads("heliograph/Devices/dut/State"))
            health = last(them, "Actors/dut/Health") or ""
            assert '"degraded"' in health
            await sim.start()
            await until("online")
            await them.until(lambda: len(them.payloads("heliograph/Devices/dut/State")) > silent, 3)
            await them.until(lambda: '"ok"' in (last(them, "Actors/dut/Health") or ""), 3)
            assert last(them, "Actors/dut/Status") == "online"


@every_simulated_kind
async def test_running_it_gets_over_every_fault(
    kind: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with simulate(kind) as sim:
        settings = settings_for(kind, sim)
        broken: dict[type[DeviceError], str] = {}
        # One of each sort is enough here: each takes three failed readings.
        for fault, sort in (await sorts(kind, sim, settings, tmp_path)).items():
            if (kind.name, fault) not in LASTING:
                broken.setdefault(sort, fault)
        assert len(broken) >= 2
        async with running(kind, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            for fault in broken.values():
                sim.fault = fault
                await them.until(lambda: last(them, "Devices/dut/Status") == "offline")
                sim.fault = None
                await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            assert last(them, "Actors/dut/Status") == "online"
            assert '"restarts":0' in (last(them, "Actors/dut/Health") or "")
