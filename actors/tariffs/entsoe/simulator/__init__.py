"""A simulated transparency platform: its documents and its faults."""
