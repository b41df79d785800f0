"""The injector by itself: what it imports, what it takes, with which libraries it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from actors.venus.venus_dbus.injector.link import Broker, BrokerError
from actors.venus.venus_dbus.injector.wire import BusError, check_address
from tests.support.oracle import oracle_python
from tests.venus_dbus.gx import KIND, NULL, Injector, name_of, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.venus_dbus.gx import Gx

# What the injector may bring into a process, beside the standard library.
ALLOWED = {"injector", "dbus_fast", "paho"}
LOADED = """\
import json, sys
before = set(sys.modules)
import injector.main
names = {name.partition('.')[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(names - set(sys.stdlib_module_names))))
"""


def test_it_imports_nothing_but_its_two_libraries() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=KIND, capture_output=True, check=True, text=True
    )
    # What is compiled by Cython brings its own runtime, which is no package.
    loaded = {name for name in json.loads(done.stdout) if "cython" not in name}
    assert loaded == ALLOWED


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "injector", *arguments],
        cwd=KIND,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--broker", "http://x"], "the broker's url must be mqtt://"),
        (["--broker", "mqtt://me:secret@x"], "the broker's url must be mqtt://"),
        (["--broker", "mqtt://x", "--bus", "tcp:host=x"], "'tcp:host=x' is not 'system'"),
        (["--broker", "mqtt://x", "--base", "a/#"], "the base must be"),
        (["--broker", "mqtt://x", "--venus", "a b"], "the id must be"),
        (
            ["--broker", "mqtt://x", "--password-file", "/nowhere/x"],
            "the password in /nowhere/x cannot be read: No such file or directory\n",
        ),
        (
            ["--broker", "mqtts://x", "--ca", "/nowhere/x"],
            "the authority in /nowhere/x cannot be used: ",
        ),
        (["--broker", "mqtts://x", "--ca", __file__], f"the authority in {__file__} cannot be"),
        (["--broker", f"mqtt://{'a' * 64}"], "the broker's url must be mqtt://"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: list[str], sentence: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_broker_addresses() -> None:
    assert Broker.from_url("mqtts://nas") == Broker("nas", 8883, tls=True)
    assert Broker.from_url("ws://nas:9001/x") == Broker("nas", 9001, path="/x")
    assert Broker.from_url("mqtt://[::1]:1884") == Broker("::1", 1884)
    assert "geheim" not in repr(Broker.from_url("mqtt://nas", username="u", password="geheim"))
    for url in ("", "nas:1883", "mqtt://", "mqtt://nas:99999"):
        with pytest.raises(BrokerError):
            Broker.from_url(url)


def test_bus_addresses() -> None:
    for good in ("system", "unix:path=/run/x", "tcp:host=192.168.1.4,port=78"):
        assert check_address(good) == good
    for bad in ("", "session", "unix:path=a;unix:path=b", "tcp:host=x,port=y"):
        with pytest.raises(BusError):
            check_address(bad)


def test_with_the_library_of_a_gx(gx: Gx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dbus-fast as Venus OS has it: old, and in pure Python."""
    monkeypatch.setenv("SKIP_CYTHON", "1")
    monkeypatch.setenv("PIP_NO_BINARY", "dbus-fast")
    python = oracle_python(["dbus-fast==2.22.1", "paho-mqtt==2.1.0"])
    packages = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    assert not list((packages / "dbus_fast").rglob("*.so"))
    gx.settings()
    gx.injector = Injector(tmp_path, gx.broker, gx.bus.address, gx.base, python)
    gx.injector.start()
    gx.plan({"what": "evcharger", "id": "car"}, {"what": "temperature", "id": "garage"})
    gx.told.state("car", VehicleState="connected", Power=0)
    gx.told.state("garage", Temperature=20)
    car = name_of("evcharger", "evcharger", "car")
    garage = name_of("temperature", "temperature", "garage")
    gx.there(car)
    assert gx.there(garage)["/Temperature"] == ["d", 20]
    unknown = {"error": "org.freedesktop.DBus.Error.UnknownMethod"}
    for interface in (None, "com.victronenergy.BusItem"):
        assert "body" in gx.reader.call(garage, "/", "GetItems", interface=interface)
        assert "body" in gx.reader.call(garage, "/Temperature", "GetValue", interface=interface)
        assert gx.reader.call(garage, "/None", "GetValue", interface=interface) == unknown
        assert gx.reader.call(garage, "/", "Nothing", interface=interface) == unknown
    assert gx.reader.write(car, "/StartStop", "i", 1) == 0
    until(lambda: gx.told.orders("car", "ChargeEnable"), "an order")
    owner = gx.reader.names()[garage]
    gx.told.state("garage", Temperature=21)
    gx.holds(garage, "/Temperature", 21)
    until(lambda: gx.reader.changes(owner), "a change")
    assert gx.injector.stop() == 0
    assert gx.reader.changes(owner)[-1]["/Temperature"] == NULL
    assert garage not in gx.reader.names()


def test_it_stays_small(gx: Gx) -> None:
    """Twenty services within what Venus OS grants a service; 60 MB is our own promise."""
    gx.settings()
    gx.injector.start()
    names = [f"room{number}" for number in range(20)]
    gx.plan(*({"what": "grid", "id": name} for name in names))
    for name in names:
        gx.told.state(name, GridPowerL1=1, GridPowerL2=2, GridPowerL3=3)
    for name in names:
        gx.there(name_of("grid", "grid", name))
    print(f"injector with 20 grid meters: {gx.injector.memory:.1f} MB resident")
    assert gx.injector.memory < 60
