#!/bin/sh
# Installs Heliograph's part on a Victron GX, or brings it up to date. README.md says what it does.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh
. "$here/common.sh"

usage() {
    cat <<'TEXT'
usage: sh install.sh [options]

  --broker URL          mqtt://host:1883, mqtts://host:8883: the broker of the bridge
  --username NAME       at the broker
  --password-file FILE  with the password; it is copied, readable by root alone
  --ca FILE             PEM file with the broker's authority; it is copied
  --base WORD           first level of all topics (heliograph)
  --venus ID            id of the actor venus_dbus in the bridge's configuration (venus)
  --bridge              the whole bridge here, not just the injector (64-bit GX only)
  --es-ess off|keep     when es-ESS is there: stop it (an uninstall starts it again), or leave it
  --es-ess on           start an es-ESS again that was stopped by this
TEXT
}

options() {
    kind=heliograph-injector es_ess='' password='' authority=''
    newline='
'
    settings=''
    while [ $# -gt 0 ]; do
        case $1 in
            --bridge) kind=heliograph ;;
            --help | -h)
                usage
                exit 0
                ;;
            --broker | --username | --ca | --base | --venus | --password-file | --es-ess)
                [ $# -ge 2 ] || stop "$1 needs a value."
                option=$1 value=$2
                shift
                case $value in
                    *\'* | *"$newline"*) stop "The value of $option must not have a quotation mark or a line break in it." ;;
                esac
                case $option in
                    --password-file)
                        [ -r "$value" ] || stop "$value cannot be read."
                        password=$value
                        ;;
                    --ca)
                        [ -r "$value" ] || stop "$value cannot be read."
                        authority=$value
                        settings="${settings}CA='/data/heliograph/etc/ca.pem'$newline"
                        ;;
                    --es-ess)
                        case $value in
                            on | off | keep) es_ess=$value ;;
                            *) stop "--es-ess is on, off or keep." ;;
                        esac
                        ;;
                    *)
                        key=$(printf '%s' "${option#--}" | tr '[:lower:]' '[:upper:]')
                        settings="$settings$key='$value'$newline"
                        ;;
                esac
                ;;
            *)
                usage >&2
                stop "$1 is not an option."
                ;;
        esac
        shift
    done
}

# Everything that can be known beforehand, before anything is changed.
check() {
    [ -d "$root/data" ] || stop "There is no /data: this is for Venus OS."
    [ -d "$root/service" ] || stop "There is no /service: this is for Venus OS."
    (echo x >"$root/data/.heliograph-try") 2>/dev/null ||
        stop "Nothing can be written to /data: it is full or read-only."
    rm "$root/data/.heliograph-try"
    rc_check
    has sha256sum || stop "sha256sum is missing on this machine."
    (cd "$here" && sha256sum -c SHA256SUMS >/dev/null 2>&1) ||
        stop "The bundle is damaged or incomplete: unpack it again, and compare the archive with its .sha256 file."
    has python3 || stop "python3 is missing on this machine."
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        stop "This needs Python 3.11 or newer, which Venus OS has from version 3.60 on. Update the GX first."
    arch=$(cat "$here/ARCH")
    if [ "$kind" = heliograph ]; then
        [ -d "$here/env" ] || stop "This bundle has only the injector. The whole bridge needs a 64-bit GX and its own bundle."
        [ "$arch" = "$(uname -m)" ] || stop "This bundle is for $arch and this machine is $(uname -m)."
        version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        [ -d "$here/env/lib/python$version" ] || stop "This Venus OS has Python $version, and the bundle has packages for another."
    fi
    needed=$(($(du -sk "$here" | cut -f1) + 4096))
    free=$(df -Pk "$root/data" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$needed" ] || stop "/data has $free kB free, and $needed kB are needed."
    # Starts it far enough to need all its modules: some images leave parts of Python out.
    said=$(python3 -B -I -S "$here/start.py" --help 2>&1) ||
        stop "The injector cannot start on this machine: $(printf '%s\n' "$said" | tail -n 1)"
}

# Brings the new program beside the one that runs.
program() {
    # An installation was ended in the middle of `swap`.
    if [ ! -d "$home/app" ] && [ -d "$home/app.old" ]; then
        mv "$home/app.old" "$home/app"
    fi
    rm -rf "$home/app.new" "$home/app.old"
    mkdir -p "$home/app.new" "$root/run"
    # The injector alone does not need the packages of the bridge.
    for each in "$here"/*; do
        [ "$kind" = heliograph ] || [ "${each##*/}" != env ] || continue
        cp -R "$each" "$home/app.new/"
    done
    if [ "$kind" = heliograph ]; then
        environment "$home/app.new/env"
    fi
    sync
}

# The program is replaced as a whole. Whenever the power fails, there is a whole one to start. From here on a lost
# connection does not end the installer: what it has stopped, it starts.
swap() {
    trap '' HUP INT TERM
    bringing=''
    for name in heliograph heliograph-injector; do
        [ ! -d "$home/service/$name" ] || service_down "$home/service/$name"
    done
    [ ! -d "$home/app" ] || mv "$home/app" "$home/app.old"
    mv "$home/app.new" "$home/app"
    put "$home/boot.sh" 755 <"$home/app/boot.sh"
    # A program that ends late may still write there; the next installation removes the rest.
    rm -rf "$home/app.old" || true
}

# Makes the folder a virtual environment of the machine's Python; the module venv may be missing here.
environment() {
    mkdir -p "$1/bin"
    ln -sfn "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" "$1/bin/python"
    printf 'home = %s\ninclude-system-site-packages = false\n' "$(dirname "$(readlink "$1/bin/python")")" >"$1/pyvenv.cfg"
}

# What is given replaces what was set before; what is not given stays.
configuration() {
    mkdir -p "$home/etc" "$home/state"
    chmod 700 "$home/etc" "$home/state"
    [ -z "$password" ] || (umask 077 && put "$home/etc/broker-password" 600 <"$password")
    [ -z "$authority" ] || put "$home/etc/ca.pem" 644 <"$authority"
    [ "$kind" = heliograph-injector ] || return 0
    conf=$home/etc/injector.conf
    [ -f "$conf" ] || put "$conf" 600 <"$here/injector.conf"
    printf '%s' "$settings" | while IFS= read -r line; do
        { grep -v "^#*${line%%=*}=" "$conf" || true; printf '%s\n' "$line"; } | put "$conf" 600
    done
}

services() {
    for other in heliograph heliograph-injector; do
        [ "$other" != "$kind" ] || continue
        if [ -d "$home/service/$other" ]; then
            service_gone "$other"
            rm -rf "${home:?}/service/$other"
        fi
    done
    folder=$home/service/$kind
    mkdir -p "$folder/log"
    for each in run log/run; do
        put "$folder/$each" 755 <"$here/service/$kind/$each"
    done
    rm -f "$root/run/$kind.started"
    # The link comes last: svscan looks for the log when it first sees the folder.
    [ -e "$root/service/$kind" ] || ln -sfn "$folder" "$root/service/$kind"
    if has svc && [ -d "$folder/supervise" ]; then
        svc -u "$folder" 2>/dev/null || true
    fi
}

meet_es_ess() {
    if [ "$es_ess" = on ]; then
        es_ess_on
        return 0
    fi
    found=$(es_ess_here)
    [ -n "$found" ] || return 0
    if [ -z "$es_ess" ] && [ -t 0 ]; then
        printf 'es-ESS starts on this GX. It must not share out the same sun, or show the same things, as Heliograph.\n'
        printf 'Stop it? An uninstall of this starts it again. [y/N] '
        read -r answer
        case $answer in
            [yY]*) es_ess=off ;;
        esac
    fi
    if [ "$es_ess" = off ]; then
        for name in $found; do
            es_ess_off "$name"
            say "$name is stopped. Its files are as they were; 'sh /data/heliograph/app/install.sh --es-ess on' starts it again."
        done
    else
        say "Attention: es-ESS starts on this GX. It must not share out the same sun, or show the same things, as"
        say "Heliograph. To stop it, reversibly: sh /data/heliograph/app/install.sh --es-ess off"
    fi
}

# When something fails on the way: the new program is not in place yet, and the old one was not touched.
# shellcheck disable=SC2317 # called by the trap
unfinished() {
    [ -n "$bringing" ] || return 0
    rm -rf "$home/app.new"
    printf '%s\n' "The installation was not finished; what ran before runs on. Mend the cause and run it again." >&2
}

main() {
    options "$@"
    bringing=''
    # From where it was installed: only what was asked for, the program stays.
    if [ "$here" = "$home/app" ]; then
        [ -d "$home/service/heliograph-injector" ] || kind=heliograph
    else
        check
        bringing=yes
        trap unfinished EXIT
        trap 'exit 1' HUP INT TERM
        program
    fi
    configuration
    rc_begin
    rc_add
    meet_es_ess
    rc_end
    [ -z "$bringing" ] || swap
    services
    say "Heliograph $(cat "$home/app/VERSION") is installed as the service $kind."
    if [ "$kind" = heliograph ] && [ ! -f "$home/etc/heliograph.yaml" ]; then
        say "It waits for its configuration: /data/heliograph/etc/heliograph.yaml"
    elif [ "$kind" = heliograph-injector ] && ! grep -q "^BROKER='..*'" "$home/etc/injector.conf"; then
        say "It waits for its broker: put BROKER='mqtt://…' into /data/heliograph/etc/injector.conf, or run this again with --broker."
    fi
    say "What it says: tail -F /var/log/$kind/current | tai64nlocal"
}

main "$@"
exit 0
