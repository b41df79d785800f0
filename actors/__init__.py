"""One folder per kind of actor, grouped by role; found by name, never imported by the bridge."""
