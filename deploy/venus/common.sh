# Sourced by install.sh and uninstall.sh. For the ash of busybox. HELIOGRAPH_ROOT: the root, for tests.
# shellcheck shell=dash
root=${HELIOGRAPH_ROOT:-}
home=$root/data/heliograph
notes=$home/.installed
rclocal=$root/data/rc.local
our_line='[ ! -x /data/heliograph/boot.sh ] || /data/heliograph/boot.sh'
off_mark='#heliograph-off# '
es_ess_names='es-ESS dbus-es-ess'

say() {
    printf '%s\n' "$*"
}

stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Sets the content of a file at once, or not at all; its mode stays, or is $2. A link stays a link.
# usage: put FILE MODE <content
put() {
    target=$1
    [ ! -L "$target" ] || target=$(readlink -f "$target")
    mode=$2
    [ ! -f "$target" ] || mode=$(stat -c %a "$target")
    if cat >"$target.new" && chmod "$mode" "$target.new" && mv "$target.new" "$target"; then
        return 0
    fi
    rm -f "$target.new"
    return 1
}

# ------------------------------------------------------------------ services

# Ends a service and waits for it: values unknown, allowances 0, setpoints given back.
service_down() {
    has svc && [ -d "$1/supervise" ] || return 0
    svc -d "$1" 2>/dev/null || return 0
    has svstat || return 0
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        case $(svstat "$1") in
            *": down"*) return 0 ;;
        esac
        sleep 1
    done
    # One that hangs would else go on beside the next.
    svc -k "$1" 2>/dev/null || true
}

# Takes a service out of svscan for good. usage: service_gone NAME
service_gone() {
    folder=$(readlink -f "$root/service/$1" 2>/dev/null) || folder=
    [ -n "$folder" ] || folder=$home/service/$1
    service_down "$folder"
    [ ! -L "$root/service/$1" ] || rm -f "$root/service/$1"
    if has svc && [ -d "$folder/supervise" ]; then
        svc -dx "$folder" 2>/dev/null || true
        [ ! -d "$folder/log/supervise" ] || svc -dx "$folder/log" 2>/dev/null || true
        # Until they have ended, supervise and multilog still write into the folder.
        left=10
        while [ "$left" -gt 0 ] && { svok "$folder" || svok "$folder/log"; } 2>/dev/null; do
            left=$((left - 1))
            sleep 1
        done
    fi
}

# ------------------------------------------------------------------ rc.local

# Before any change: what it was, so that an uninstall can restore it to the byte.
rc_begin() {
    mkdir -p "$notes"
    if [ ! -f "$notes/rc.mode" ]; then
        if [ -f "$rclocal" ]; then
            stat -L -c %a "$rclocal" >"$notes/rc.mode"
            cat "$rclocal" >"$notes/rc.before"
        else
            echo absent >"$notes/rc.mode"
            : >"$notes/rc.before"
        fi
        rc_untouched=yes
    elif [ -f "$notes/rc.after" ] && cmp -s "$rclocal" "$notes/rc.after"; then
        rc_untouched=yes
    else
        rc_untouched=
        rm -f "$notes/rc.before" "$notes/rc.after"
    fi
}

rc_end() {
    [ -z "$rc_untouched" ] || cat "$rclocal" >"$notes/rc.after"
}

# Stops where our line cannot be put in.
rc_check() {
    [ -f "$rclocal" ] || return 0
    case $(head -n 1 "$rclocal") in
        '#!'*sh | '#!'*sh' '*) ;;
        '#!'*) stop "/data/rc.local is not a shell script, so nothing can be added to it: make it one first." ;;
    esac
}

# Right after the first line: others may end theirs with exit.
rc_add() {
    if [ ! -f "$rclocal" ]; then
        printf '#!/bin/sh\n%s\n' "$our_line" | put "$rclocal" 755
    elif ! grep -qxF -e "$our_line" "$rclocal"; then
        first=$(head -n 1 "$rclocal")
        case $first in
            '#!'*)
                {
                    printf '%s\n%s\n' "$first" "$our_line"
                    tail -n +2 "$rclocal"
                } | put "$rclocal" 755
                ;;
            *)
                { printf '%s\n' "$our_line" && cat "$rclocal"; } | put "$rclocal" 755
                ;;
        esac
    fi
    if [ ! -x "$rclocal" ]; then
        if grep -vxF -e "$our_line" "$rclocal" | grep -q '^[[:space:]]*[^#[:space:]]'; then
            say "Attention: $rclocal was not executable, so its other lines did not run. From the next boot on they will."
        fi
        chmod a+x "$rclocal"
    fi
}

rc_remove() {
    [ -f "$notes/rc.mode" ] || return 0
    was=$(cat "$notes/rc.mode")
    [ -f "$rclocal" ] || return 0
    if [ -f "$notes/rc.after" ] && cmp -s "$rclocal" "$notes/rc.after"; then
        put "$rclocal" 755 <"$notes/rc.before"
    else
        { grep -vxF -e "$our_line" "$rclocal" || true; } | put "$rclocal" 755
    fi
    if [ "$was" != absent ]; then
        chmod "$was" "$rclocal"
    elif ! grep -vx '#!/bin/sh' "$rclocal" | grep -q .; then
        rm -f "$rclocal"
    fi
}

# ------------------------------------------------------------------ es-ESS

# Prints the names under which es-ESS would start here.
es_ess_here() {
    for name in $es_ess_names; do
        if [ -e "$root/service/$name" ] || [ -L "$root/service/$name" ] ||
            grep -q "^[^#]*/data/$name/" "$rclocal" 2>/dev/null; then
            printf '%s\n' "$name"
        fi
    done
}

# Stops one and keeps it from starting; its own files stay as they are. Between rc_begin and rc_end.
es_ess_off() {
    target=$(readlink "$root/service/$1" 2>/dev/null) || target=
    grep -q "^$1 " "$notes/es-ess" 2>/dev/null || printf '%s %s\n' "$1" "$target" >>"$notes/es-ess"
    if grep -q "^[^#]*/data/$1/" "$rclocal" 2>/dev/null; then
        sed "s|^\([^#]*/data/$1/\)|$off_mark\1|" "$rclocal" | put "$rclocal" 755
    fi
    service_gone "$1"
    # Its run script does not exec, so Python outlives the shell that svc ends.
    for process in /proc/[0-9]*; do
        case $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) in
            *python*" $root/data/$1/"*.py*) kill "${process##*/}" 2>/dev/null || true ;;
        esac
    done
}

# Lets every one start again that we have stopped.
es_ess_on() {
    [ -f "$notes/es-ess" ] || return 0
    if [ -f "$rclocal" ]; then
        sed "s|^$off_mark||" "$rclocal" | put "$rclocal" 755
    fi
    while read -r name target; do
        if [ -n "$target" ] && [ ! -e "$root/service/$name" ]; then
            ln -s "$target" "$root/service/$name"
        fi
    done <"$notes/es-ess"
    rm -f "$notes/es-ess"
}
