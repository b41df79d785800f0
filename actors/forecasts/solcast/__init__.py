"""Solcast: power expected of the sites that its account knows."""
