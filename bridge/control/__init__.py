"""Controls: who may set what of a device, for how long, and how it gets back what it had."""
