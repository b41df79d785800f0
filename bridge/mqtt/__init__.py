"""The MQTT side of the bridge; the only package that imports aiomqtt."""

from bridge.mqtt.connection import Connection, Incoming, Will
from bridge.mqtt.endpoint import Endpoint, Protocol

__all__ = ["Connection", "Endpoint", "Incoming", "Protocol", "Will"]
