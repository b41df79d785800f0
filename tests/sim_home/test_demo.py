"""The house that a newcomer sees first."""

from __future__ import annotations

from pathlib import Path

from actors.sim.sim_home.settings import SimHomeSettings, open_source
from bridge.config import load_text

DEMO = Path(__file__).parents[2] / "config" / "demo.yaml"


def test_it_is_a_valid_configuration_without_warnings() -> None:
    config = load_text(DEMO.read_text(), DEMO, env={"HOME": "/nowhere"})
    assert config.warnings == []
    assert config.broker.embedded
    assert config.discovery.enabled
    assert set(config.actors) == {"home", "meter", "site", "distributor"}
    assert config.site
    assert (config.site.grid, config.site.pv, config.site.battery) == (
        "meter", ("home-pv",), ("home-battery",),
    )  # fmt: skip


def test_the_meter_is_found_where_the_house_puts_it_on_any_port() -> None:
    text = DEMO.read_text()
    port = str(load_text(text, DEMO).actors["meter"].settings.port)
    assert text.count(port) == 2  # nothing else changes when another port is put in its place
    config = load_text(text.replace(port, "18000"), DEMO)
    assert config.actors["meter"].settings.port == 18000
    assert config.actors["home"].settings.meter_port == 18000
    assert config.actors["home"].settings.meter_host == config.actors["meter"].settings.host


def test_there_is_power_to_share_in_the_first_minute_and_clouds_in_the_first_five() -> None:
    settings = load_text(DEMO.read_text(), DEMO).actors["home"].settings
    assert isinstance(settings, SimHomeSettings)
    source, at = open_source(settings)
    real = [source.sample(at + second * settings.speed) for second in range(300)]
    reservation = 5000 - 40 * settings.battery.soc if settings.battery else 0
    assert min(each.pv - each.load for each in real[:60]) > reservation + 4000
    assert min(each.pv for each in real) < 0.6 * max(each.pv for each in real)
