"""How much CO2 a kWh from the grid emits, now and in the time to come."""
