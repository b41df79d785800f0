"""What a simulated switch on MQTT says and understands."""
