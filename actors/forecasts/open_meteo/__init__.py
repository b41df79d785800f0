"""Open-Meteo: sunlight expected on the panels, made into power here."""
