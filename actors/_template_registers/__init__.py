"""The skeleton of an inverter made of registers: copy this folder (CONTRIBUTING.md)."""
