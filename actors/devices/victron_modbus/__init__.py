"""Victron GX devices (Cerbo GX, Ekrano GX, Venus GX, MultiPlus-II GX …) over Modbus TCP."""
