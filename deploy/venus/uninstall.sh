#!/bin/sh
# Takes Heliograph off the GX. What you wrote (/data/heliograph/etc) and what it learned (state) stay,
# unless --purge is given. An es-ESS that was stopped by the installer starts again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh
. "$here/common.sh"

main() {
    purge='' es_ess=on
    for each in "$@"; do
        case $each in
            --purge) purge=yes ;;
            --es-ess-stays-off) es_ess=off ;;
            *) stop "usage: sh uninstall.sh [--purge] [--es-ess-stays-off]" ;;
        esac
    done
    cd /
    for name in heliograph heliograph-injector; do
        [ ! -d "$home/service/$name" ] || service_gone "$name"
        rm -rf "$root/var/log/$name" "$root/run/$name.started"
    done
    if [ "$es_ess" = off ] && [ -f "$notes/es-ess" ]; then
        # It is restored line by line then, not from the copy in which es-ESS still starts.
        rm -f "$notes/rc.before" "$notes/rc.after"
    fi
    rc_remove
    if [ "$es_ess" = on ]; then
        es_ess_on
    fi
    rm -rf "$home/app" "$home/app.new" "$home/app.old" "$home/service" "$home/boot.sh" "$notes"
    if [ -n "$purge" ]; then
        rm -rf "$home"
        say "Heliograph is gone, with its configuration and its state."
    else
        say "Heliograph is gone. Its configuration and its state are still in /data/heliograph; --purge removes them too."
    fi
}

main "$@"
exit 0
