"""Links to devices that are made of registers: Modbus TCP, RTU, Solarman V5, GoodWe."""
