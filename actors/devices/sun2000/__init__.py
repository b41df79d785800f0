"""Huawei SUN2000 inverters with their meter and LUNA2000 battery, over Modbus."""
