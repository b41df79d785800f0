"""A simulated AlphaESS cloud: its account, its systems, its days, its faults."""
