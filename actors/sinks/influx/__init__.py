"""InfluxDB, VictoriaMetrics and whoever else takes line protocol over HTTP."""
