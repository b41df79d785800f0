"""The sections together: defaults, site, distributor, compatibility, warnings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.config import BrokerAddress, config_path, demo_path, load_config, state_path

if TYPE_CHECKING:
    from tests.config.helpers import Judge

_HOUSE = """\
base: home/energy
broker: {url: "mqtts://broker.lan", username: me, password: pass}
discovery: {prefix: ha, form: components}
compat: {es_ess: true}
state: state
site: {grid: meter, pv: [ess, roof], battery: ess-two, load: house}
consumers:
  pool: {priority: 5, max: 1000, name: Pool pump}
actors:
  meter: {kind: shelly, host: 192.168.1.20, role: grid}
  ess: {kind: shelly, host: ess.lan, port: 502, interval: 5}
  roof: {kind: external}
  house: {kind: external}
  distributor: {kind: distributor, reservation: "5000 - 40*SOC"}
"""
_ONE = "actors: {meter: {kind: external}}\n"


def test_a_whole_house(judge: Judge) -> None:
    config = judge.load(_HOUSE)
    assert config.base == "home/energy"
    assert config.broker.address == BrokerAddress("mqtts", "broker.lan", 8883)
    assert not config.broker.embedded
    assert config.broker.password is not None
    assert config.broker.password.reveal() == "pass"
    assert (config.discovery.enabled, config.discovery.form) == (True, "components")
    assert config.state == judge.path.parent / "state"
    assert config.site is not None
    assert config.site.pv == ("ess", "roof")
    assert config.site.battery == ("ess-two",)
    assert config.site.roles("ess") == ("pv",)
    assert config.site.roles("meter") == ("grid",)
    assert config.consumers["pool"].max == 1000
    assert config.consumers["pool"].automatic is None
    assert {id_: actor.kind for id_, actor in config.actors.items()} == {
        "meter": "shelly",
        "ess": "shelly",
        "roof": "external",
        "house": "external",
        "distributor": "distributor",
        "site": "site",
        "es_ess": "es_ess",
    }
    assert config.actors["distributor"].settings.reservation == "5000 - 40*SOC"
    assert config.actors["ess"].line == 11
    assert config.warnings == []


def test_defaults(judge: Judge) -> None:
    judge.env["STATE_DIRECTORY"] = "/var/lib/heliograph:/other"
    config = judge.load(_ONE + "site:\nbroker:\nconsumers:\ndiscovery:\ncompat:\nbase:\nstate:\n")
    assert config.base == "heliograph"
    assert config.broker.embedded
    assert config.broker.address is None
    assert config.broker.listen_address == ("127.0.0.1", 1883)
    assert config.discovery.prefix == "homeassistant"
    assert not config.compat.es_ess
    assert config.site is None
    assert config.consumers == {}
    assert config.state == Path("/var/lib/heliograph")
    assert list(config.actors) == ["meter"]


def test_site_brings_site_and_distributor(judge: Judge) -> None:
    config = judge.load(_ONE + "site: {grid: meter}")
    assert list(config.actors) == ["meter", "site", "distributor"]
    assert config.actors["distributor"].settings.interval == 5.0
    assert config.actors["site"].line == 2


def test_everything_wrong_at_once(judge: Judge) -> None:
    found = judge.problems(
        "base: heliograph/\n"
        "brokr: {url: embedded}\n"
        "site: {grid: metre, pv: [meter, meter], battery: distributor}\n"
        "consumers: {pool: {priority: -5, maxx: 1}, 'a b': {}}\n"
        "actors:\n"
        "  meter: {kind: shelyl, host: x}\n"
        "  Meter: {kind: shelly, host: x, intervall: 5}\n"
        "  lone: {host: x}\n"
        "  'a b': {kind: external}\n"
        "  bridge: {kind: external}\n"
        "  empty:\n"
        "  list: []\n"
        "  unkind: {kind: }\n"
        "  late: {kind: shelly, port: abc}\n"
        "  distributor: {kind: distributor}\n"
    )
    assert found == [
        (
            "1: 'base' must be letters, digits, '_' and '-', with '/' only between them, "
            "but is 'heliograph/'"
        ),
        "2: unknown key 'brokr': did you mean 'broker'?",
        "3: site: 'grid' names 'metre', but no actor has that id: did you mean 'meter'?",
        "3: site: 'meter' stands twice in 'pv'",
        "3: site: 'battery' names 'distributor', which is no device",
        "4: unknown key 'maxx' in consumer 'pool': did you mean 'max'?",
        "4: consumer 'pool': 'priority' must be a number from 0 to 1000000, but is '-5'",
        "4: the id of consumer 'a b' must have 1 to 32 letters, digits, '_' or '-'",
        (
            "6: kind 'shelyl' is not known: did you mean 'shelly'? known kinds: "
            "balancer, borealis, broken, distributor, es_ess, everything, external, nobody, "
            "shelly, site, steward, twins, undescribed, unfit, unset"
        ),
        (
            "7: actor 'Meter' has the same id as 'meter' in line 6: ids must differ in more than "
            "upper and lower case"
        ),
        "7: unknown key 'intervall' in actor 'Meter': did you mean 'interval'?",
        "8: actor 'lone': 'kind' is missing",
        "9: the id 'a b' must have 1 to 32 letters, digits, '_' or '-'",
        "10: the id 'bridge' is kept for the bridge itself",
        "11: actor 'empty': 'kind' is missing",
        "12: actor 'list': it must be a section with at least a 'kind'",
        "13: actor 'unkind': 'kind' has no value",
        "14: actor 'late': 'host' is missing",
        "14: actor 'late': 'port' must be a whole number, but is 'abc'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("actors: x", "1: 'actors' must be a section with one key per actor"),
        ("actors: {a: {kind: external}}\nsite: x",
         "2: site must be a section with keys of its own"),
        ("actors: {a: {kind: external}}\nsite: {pv: a}", "2: site: 'grid' is missing"),
        ("actors: {a: {kind: external}}\nconsumers: [x]",
         "2: 'consumers' must be a section with one key per consumer"),
        ("actors: {distributor: {kind: distributor}}",
         "1: actor 'distributor' needs a 'site' section that names at least the grid meter"),
        ("actors: {site: {kind: site}}",
         "1: actor 'site' needs a 'site' section that names at least the grid meter"),
        ("actors: {d: {kind: distributor}}",
         ("1: actor 'd': there is exactly one actor of kind 'distributor', and its id is "
         "'distributor'")),
        ("actors: {Site: {kind: external}}",
         "1: the id 'Site' is kept for the actor of kind 'site'"),
        ("actors: {es_ess: {kind: es_ess}}",
         "1: actor 'es_ess': kind 'es_ess' is not listed here: write 'compat: {es_ess: true}'"),
        ("actors: {a: {kind: external}}\ncompat: {es_ess: 5}",
         "2: compat: 'es_ess' must be true or false, but is '5'"),
        ("actors: {a: {kind: external}}\ncompat: {es_ess: {request_tl: 5}}",
         "2: unknown key 'request_tl' in actor 'es_ess': did you mean 'request_ttl'?"),
        ("actors: {a: {kind: external}}\ncompat: {request_ttl: 5}",
         "2: unknown key 'request_ttl' in compat"),
        ("actors: {a: {kind: unset}}", "1: kind 'unset' cannot be used: it has no Settings"),
        ("actors: {a: {kind: undescribed}}",
         "1: kind 'undescribed' cannot be used: NameError in its Settings"),
        ("actors: {a: {kind: twins}}",
         ("1: kind 'twins' cannot be used: its actor.py must define one Actor with kind = 'twins', "
         "but defines 2")),
        ("actors: {a: {kind: nobody}}",
         ("1: kind 'nobody' cannot be used: its actor.py must define one Actor with "
         "kind = 'nobody', but defines 0")),
        ("actors: {a: {kind: broken}}",
         ("1: kind 'broken' cannot be loaded: ModuleNotFoundError: No module named "
         "'no_such_module_anywhere'")),
    ],
)  # fmt: skip
def test_refused(judge: Judge, text: str, problem: str) -> None:
    assert judge.problem(text) == problem


def test_two_distributors(judge: Judge) -> None:
    text = _HOUSE + "  other: {kind: distributor}\n"
    assert judge.problem(text) == (
        "15: actor 'other': there is exactly one actor of kind 'distributor', and its id is "
        "'distributor'"
    )


@pytest.mark.parametrize(
    ("es_ess", "ttl"), [("true", 0.0), ("{request_ttl: 120}", 120.0), ("{}", 0.0)]
)
def test_es_ess(judge: Judge, es_ess: str, ttl: float) -> None:
    config = judge.load(_ONE + f"compat: {{es_ess: {es_ess}}}")
    assert config.actors["es_ess"].kind == "es_ess"
    assert config.actors["es_ess"].settings.request_ttl == ttl
    assert (config.compat.es_ess, config.compat.request_ttl) == (True, ttl)


def test_warnings(judge: Judge) -> None:
    assert judge.warnings("actors:\n") == ["1: there are no actors: the bridge has nothing to do"]
    assert judge.warnings("base: a\n") == ["1: there are no actors: the bridge has nothing to do"]
    assert judge.warnings(_ONE + "consumers: {pool: {max: 5}}") == [
        "2: 'consumers' has no effect without a 'site' section"
    ]
    battery = (
        "the site has a battery, but actor 'distributor' has no 'reservation': consumers get the "
        "sun before the battery does"
    )
    assert judge.warnings(_ONE + "site: {grid: meter, battery: meter}") == [f"2: {battery}"]
    listed = "site: {grid: meter, battery: meter}\nactors:\n  meter: {kind: external}\n"
    listed += "  distributor: {kind: distributor"
    assert judge.warnings(listed + "}") == [f"4: {battery}"]
    assert judge.warnings(listed + ", reservation: 0}") == []


def test_default_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_path("a.yaml", {"HELIOGRAPH_CONFIG": "b.yaml"}) == Path("a.yaml")
    assert config_path(None, {"HELIOGRAPH_CONFIG": "b.yaml"}) == Path("b.yaml")
    assert config_path(None, {}) == demo_path()
    assert demo_path().name == "demo.yaml"
    monkeypatch.setattr("bridge.config.paths._PACKAGE", tmp_path / "bridge")
    assert demo_path() == tmp_path / "config" / "demo.yaml"
    (tmp_path / "bridge").mkdir()
    (tmp_path / "bridge" / "demo.yaml").write_text("")
    assert demo_path() == tmp_path / "bridge" / "demo.yaml"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_path({}) == tmp_path / "xdg" / "heliograph"


def test_the_environment_names_the_file(judge: Judge) -> None:
    judge.path.write_text(_HOUSE)
    config = load_config(None, {"HELIOGRAPH_CONFIG": str(judge.path)}, judge.kinds)
    assert config.file == str(judge.path)
    assert len(config.actors) == 7


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ("battery", "gives no BatteryPower, so it cannot be the battery"),
        ("load", "gives no LoadPower, so it cannot be the load meter"),
    ],
)
@pytest.mark.parametrize("device", ["hybrid", "hybrid-two"])
def test_a_role_needs_a_device_that_can_play_it(
    judge: Judge, role: str, sentence: str, device: str
) -> None:
    actors = "actors: {hybrid: {kind: borealis, host: ess.lan}}\n"
    text = f"site:\n  grid: hybrid\n  pv: [hybrid]\n  {role}: {device}\n"
    assert judge.problem(actors + text) == f"5: site: '{device}' (borealis) {sentence}"


def test_a_role_from_the_environment_is_not_repeated(judge: Judge) -> None:
    judge.env["WHO"] = "hybrid"
    actors = "actors: {hybrid: {kind: borealis, host: ess.lan}}\n"
    found = judge.problem(actors + 'site: {grid: hybrid, battery: "${WHO}"}\n')
    assert found == "2: site: its device gives no BatteryPower, so it cannot be the battery"


def test_what_publishes_anything_may_have_any_role(judge: Judge) -> None:
    actors = "actors: {meter: {kind: external}, plug: {kind: shelly, host: a, role: pv}}\n"
    judge.load(actors + "site: {grid: meter, battery: meter, load: meter, pv: plug}\n")


def test_a_kind_whose_table_cannot_be_used_is_told_where_it_is_named(judge: Judge) -> None:
    text = "actors:\n  meter: {kind: external}\n  roof: {kind: unfit}\n"
    assert judge.problem(text + "site: {grid: meter, pv: roof}") == (
        "3: kind 'unfit' cannot be used: unfit/registers.yaml: row 3 (soc): address 70000 is not"
    )
