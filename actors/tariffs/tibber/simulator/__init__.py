"""A simulated Tibber: its GraphQL, its account, and its faults."""
