"""Any device that speaks SunSpec over Modbus."""
