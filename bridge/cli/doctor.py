"""`heliograph doctor`: tries the configuration, the broker, every permission and every device."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import anyio

from bridge.cli.reach import add_broker_arguments, endpoint_for
from bridge.errors import ConfigError, HeliographError
from bridge.log import configure, get_logger

if TYPE_CHECKING:
    import argparse

    from bridge.config import Config
    from bridge.contract import Contract
    from bridge.mqtt import Connection, Endpoint, Incoming

_CONNECT = 5.0
_ROUND_TRIP = 2.0
_DEVICE = 15.0
# Nothing is read from a sink, and a service counts its calls: the bridge alone asks it.
_LEFT_ALONE = frozenset({"sinks", "tariffs", "forecasts"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. `ok` None is a remark."""

    what: str
    ok: bool | None
    sentence: str


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="try the broker, its permissions and every device; say what is wrong",
        description="Tries the broker and every device that the configuration names and says in "
        "plain words what does not work. Nothing is switched. Exit code 1 when something is wrong.",
    )
    add_broker_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when one of them is bad."""
    from bridge.config import load_config
    from bridge.contract import load_contract

    configure(level="error")
    findings: list[Finding] = []

    def tell(what: str, ok: bool | None, sentence: str) -> None:
        findings.append(Finding(what, ok, sentence))
        if not args.json:
            mark = {True: "ok   ", False: "WRONG", None: "note "}[ok]
            print(f"{mark}  {what}: {sentence}", flush=True)

    try:
        config = load_config(args.config)
    except ConfigError as error:
        for problem in error.problems:
            tell("configuration", False, str(problem))
        _finish(args, findings)
        return 2
    tell("configuration", True, f"{config.file or 'the demo'} can be used")
    for warning in config.warnings:
        tell("configuration", None, str(warning))
    anyio.run(_examine, config, load_contract(), args.broker, tell)
    _finish(args, findings)
    return 1 if any(finding.ok is False for finding in findings) else 0


def _finish(args: argparse.Namespace, findings: list[Finding]) -> None:
    if args.json:
        import msgspec

        print(msgspec.json.encode([asdict(finding) for finding in findings]).decode())
        return
    wrong = sum(finding.ok is False for finding in findings)
    print("everything works" if not wrong else f"{wrong} of {len(findings)} checks failed")


async def _examine(config: Config, contract: Contract, url: str | None, tell: Tell) -> None:
    try:
        endpoint = endpoint_for(config, url)
    except HeliographError as error:
        tell("broker", False, str(error))
    else:
        await _try_broker(config, endpoint, tell)
    async with anyio.create_task_group() as tasks:
        for name in config.actors:
            tasks.start_soon(_try_device, config, contract, name, tell)


# -------------------------------------------------------------------- broker


async def _try_broker(config: Config, endpoint: Endpoint, tell: Tell) -> None:
    from bridge.mqtt import Connection

    inbox: dict[str, bytes] = {}
    retained: dict[str, bytes] = {}

    def receive(message: Incoming) -> None:
        (retained if message.retained else inbox)[message.topic] = message.payload

    name = f"{config.base.replace('/', '_')}-doctor-{uuid.uuid4().hex[:6]}"
    connection = Connection(endpoint, name, log=get_logger("doctor"), receive=receive)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.run)
        with anyio.move_on_after(_CONNECT):
            await connection.connected.wait()
        if connection.is_connected:
            version = endpoint.protocol.value if endpoint.protocol else "?"
            tell("broker", True, f"{endpoint.url} answers and speaks MQTT {version}")
            if version != "5":
                tell("broker", None, "MQTT 5 is missing: leases do not expire on the broker itself")
            await _try_permissions(config, connection, inbox, tell)
            _tell_bridge(config, retained, tell)
        elif config.broker.embedded and connection.why == "nobody listens there":
            tell("broker", None, _embedded_remark())
        else:
            why = connection.why or "it does not answer"
            tell("broker", False, f"{endpoint.url} cannot be used: {why}")
        tasks.cancel_scope.cancel()


def _embedded_remark() -> str:
    from bridge.broker.mosquitto import find_mosquitto

    found = find_mosquitto()
    which = f"{found} will be started" if found else "no mosquitto is installed, amqtt will be used"
    return f"the embedded broker is not running now; {which} by `heliograph run`"


async def _try_permissions(
    config: Config, connection: Connection, inbox: dict[str, bytes], tell: Tell
) -> None:
    """Publish one harmless, unretained message of each sort and wait for it to come back."""
    base, mark = config.base, uuid.uuid4().hex[:8]
    tried = {
        "the bridge's status": f"{base}/Bridge/Ping",
        "actors": f"{base}/Actors/doctor-{mark}/Messages/Operational",
        "devices": f"{base}/Devices/doctor-{mark}/Power",
        "the site": f"{base}/Site/Doctor-{mark}",
        "allowances": f"{base}/Requests/doctor-{mark}/Allowance",
    }
    if config.discovery.enabled:
        own = f"{base.replace('/', '_')}_doctor-{mark}"
        tried["Home Assistant discovery"] = f"{config.discovery.prefix}/device/{own}/config"
    if config.compat.es_ess:
        tried["the es-ESS tree"] = f"es-ESS/SolarOverheadDistributor/Requests/doctor-{mark}/Error"
    await connection.subscribe([(topic, 1) for topic in tried.values()])
    await connection.subscribe([(f"{base}/Bridge/Status", 1)])
    for topic in tried.values():
        connection.send(topic, b"", qos=1)
    with anyio.move_on_after(_ROUND_TRIP):
        while any(topic not in inbox for topic in tried.values()):  # noqa: ASYNC110 - two seconds
            await anyio.sleep(0.02)
    missing = {what: topic for what, topic in tried.items() if topic not in inbox}
    for what, topic in missing.items():
        sentence = f"nothing comes back on {topic}: the broker's ACL must allow reading and writing"
        tell(f"permission for {what}", False, sentence)
    if not missing:
        tell("permissions", True, f"all {len(tried)} parts of the topic tree can be used")


def _tell_bridge(config: Config, retained: dict[str, bytes], tell: Tell) -> None:
    if retained.get(f"{config.base}/Bridge/Status") == b"online":
        tell("bridge", None, f"a bridge is running on base {config.base!r}")


# -------------------------------------------------------------------- devices


async def _try_device(config: Config, contract: Contract, name: str, tell: Tell) -> None:
    from bridge.cli.read import hint, make_device, plain, rounded
    from bridge.cli.table import foremost
    from bridge.config import find_kind

    what = f"{config.actors[name].kind} {name}"
    try:
        device = make_device(config, contract, name)
    except ConfigError:  # no device
        if find_kind(config.actors[name].kind).role in _LEFT_ALONE:
            tell(what, None, "is not tried here; while the bridge runs, its Health says how it is")
        return
    if not device.reads_directly:
        tell(what, None, "is published by somebody else; the bridge only checks it")
        return
    try:
        with anyio.fail_after(_DEVICE):
            async with device.direct():
                found = await device.read_all()
                remarks = device.remarks(found)
    except TimeoutError:
        tell(what, False, f"no reading within {_DEVICE:g} s{hint(config, name)}")
        return
    except HeliographError as error:
        tell(what, False, f"{error}{hint(config, name)}")
        return
    for device_id, values in found.items():
        known = [value for value in rounded(values, contract).values() if value is not None]
        first: dict[str, float | str] = foremost(rounded(values, contract), 4)
        some = ", ".join(f"{key} {plain(value)}" for key, value in first.items())
        one = what if device_id == name else f"{what} ({device_id})"
        if known:
            tell(one, True, f"{len(known)} of {len(values)} values: {some}")
        else:
            # What hangs on a device may be asleep or switched off; the device itself is asked now.
            wrong = False if values and device_id == name else None
            tell(one, wrong, f"it answers, but not one of its {len(values)} values is known")
        for remark in remarks.get(device_id, ()):
            tell(one, None, remark)


if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[str, bool | None, str], None]
