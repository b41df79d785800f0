"""Tibber, a retailer that passes on the price of the day-ahead market."""
