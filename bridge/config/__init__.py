"""The configuration: one YAML file, read and judged as a whole, with file and line for each fault.

Times such as `08:00` and words such as `on` or `no` stay text where a text is wanted: YAML 1.1's
habit of turning them into numbers and flags is not followed (see `tree.py`).
"""

from bridge.config.address import BrokerAddress
from bridge.config.changes import Changes, changes
from bridge.config.kinds import Kind, KindError, KindRegistry, all_kinds, find_kind
from bridge.config.load import load_config, load_text
from bridge.config.model import ActorConfig, Config
from bridge.config.paths import config_path, demo_path, state_path
from bridge.config.secret import Secret
from bridge.config.settings import (
    BrokerSettings,
    CompatSettings,
    ConsumerSettings,
    DeviceSettings,
    DiscoverySettings,
    SiteSettings,
)
from bridge.errors import ConfigError, Problem

__all__ = [
    "ActorConfig",
    "BrokerAddress",
    "BrokerSettings",
    "Changes",
    "CompatSettings",
    "Config",
    "ConfigError",
    "ConsumerSettings",
    "DeviceSettings",
    "DiscoverySettings",
    "Kind",
    "KindError",
    "KindRegistry",
    "Problem",
    "Secret",
    "SiteSettings",
    "all_kinds",
    "changes",
    "config_path",
    "demo_path",
    "find_kind",
    "load_config",
    "load_text",
    "state_path",
]
