"""Keeps the home battery out of the car: what the sun does not cover comes from the grid."""
