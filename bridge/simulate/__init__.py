"""Whole days in virtual time: a house by its written physics, and what a policy makes of its sun.

`scenario` reads what is played, `house` plays it second by second, a `policy` decides, `metrics`
says what came of it. Nothing here knows MQTT, a clock or a device; the policies that decide by a
real core stand in the folder of their kind (`policies.py`).
"""
