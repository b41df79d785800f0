"""Temperature, humidity and pressure that somebody publishes on a topic."""
