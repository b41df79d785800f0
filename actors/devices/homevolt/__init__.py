"""Homevolt home batteries over their local HTTP interface."""
