"""A contract with fixed prices, the same all day or by hours, weekdays and months."""
