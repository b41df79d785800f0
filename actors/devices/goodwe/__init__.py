"""GoodWe inverters: the ET family with a battery, the DT family without, over UDP or Modbus."""
