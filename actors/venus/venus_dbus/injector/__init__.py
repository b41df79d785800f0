"""A small process that shows services on Venus OS; it can be run alone on the GX.

Needs Python 3.11 or newer, dbus-fast (2.22 or newer, pure Python will do) and paho-mqtt 2; nothing
else of the bridge. What is shown comes over MQTT topics alone.
"""
