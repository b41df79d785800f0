"""A simulated Amber: its market, its counting of requests, and its faults."""
