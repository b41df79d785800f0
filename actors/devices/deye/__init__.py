"""Deye and Sunsynk hybrid inverters over Modbus or a Solarman stick."""
