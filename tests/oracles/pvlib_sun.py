"""Where pvlib sees the sun; prints elevations and azimuths in degrees as JSON.

Runs in an environment of its own. usage: pvlib_sun.py LATITUDE LONGITUDE SECONDS,SECONDS,…
"""

# mypy: ignore-errors
# pvlib is in that other environment only.

from __future__ import annotations

import json
import sys

import pandas as pd
import pvlib

latitude, longitude = map(float, sys.argv[1:3])
moments = pd.to_datetime([int(text) for text in sys.argv[3].split(",")], unit="s", utc=True)
seen = pvlib.solarposition.get_solarposition(moments, latitude, longitude)
print(json.dumps([list(seen["elevation"]), list(seen["azimuth"])]))
