"""The parts of the simulated go-e charger."""
