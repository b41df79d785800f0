"""The parts of the simulated Wattpilot."""
