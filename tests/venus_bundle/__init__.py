"""What is installed on a Victron GX."""
