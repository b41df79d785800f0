"""A switch behind URLs."""
