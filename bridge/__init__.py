"""The runtime of Heliograph: knows MQTT and the contract, knows no device."""

__version__ = "0.1.0"
