#!/bin/sh
# Run by /data/rc.local at each boot: /service is made anew then, so the links are too. Never fails, and is
# done in a moment, for the other lines of rc.local.
root=${HELIOGRAPH_ROOT:-}
home=$root/data/heliograph

# The power failed in the middle of an update: what was there before still runs.
if [ ! -d "$home/app" ] && [ -d "$home/app.old" ]; then
    mv "$home/app.old" "$home/app"
fi
for service in "$home"/service/*; do
    [ -x "$service/run" ] || continue
    link=$root/service/${service##*/}
    [ -e "$link" ] || ln -sfn "$service" "$link"
done
exit 0
