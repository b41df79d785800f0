"""Everything that speaks with a Victron GX."""
