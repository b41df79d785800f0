"""Home Assistant discovery, made from the contract and published over MQTT only."""

from bridge.discovery.carbon import carbon_messages
from bridge.discovery.forecasts import forecast_messages
from bridge.discovery.messages import (
    House,
    bridge_messages,
    consumer_messages,
    device_messages,
    site_messages,
)
from bridge.discovery.publisher import Publisher
from bridge.discovery.removal import orphans, removal, shape_of
from bridge.discovery.tariffs import tariff_messages

__all__ = [
    "House",
    "Publisher",
    "bridge_messages",
    "carbon_messages",
    "consumer_messages",
    "device_messages",
    "forecast_messages",
    "orphans",
    "removal",
    "shape_of",
    "site_messages",
    "tariff_messages",
]
