"""A simulated LG ESS: its plant, its pages in three dialects, its faults, its server."""
