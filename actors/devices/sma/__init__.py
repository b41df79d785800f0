"""SMA inverters over their own Modbus profile: Sunny Island, Sunny Boy Storage, Sunny Tripower."""
