"""A simulated GX: what it holds and how it answers."""
