"""The parts of the Homevolt simulator, which encode by tables of their own."""
