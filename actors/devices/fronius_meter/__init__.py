"""A Fronius Smart Meter, asked through the inverter's Solar API."""
