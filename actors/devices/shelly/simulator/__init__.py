"""The parts of the Shelly simulator. It encodes by tables of its own, not by those that decode."""
