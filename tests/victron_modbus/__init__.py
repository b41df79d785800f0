"""Victron GX over Modbus TCP."""
