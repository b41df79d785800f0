#!/usr/bin/env bash
# A consumer of surplus power in shell, with mosquitto_pub and mosquitto_sub.
#
#   ./consumer.sh [-h HOST] [-p PORT] [-b BASE] [-u USER -P PASSWORD] [-i ID] [-w WATTS] [-n PRIORITY]
#
# It asks for WATTS (default 1200) as the consumer ID (default kettle), all or nothing, and prints
# `on 1200` and `off 0` when it may run and when it must stop. Put your own switch into `switch`.
# The rule it obeys, as every consumer must:
#   - draw nothing unless an Allowance arrived within the last 30 s;
#   - stop when Actors/distributor/Status is offline, ask again when it is online.
set -euo pipefail

host=127.0.0.1 port=1883 base=heliograph id=kettle watts=1200 priority=50
login=()
lease=${LEASE:-30}     # s: an older allowance is none
repeat=${REPEAT:-60}   # s: a request is forgotten after 180 s of silence, so it is repeated
while getopts h:p:b:u:P:i:w:n: option; do
    case $option in
        h) host=$OPTARG ;;
        p) port=$OPTARG ;;
        b) base=$OPTARG ;;
        u) login+=(-u "$OPTARG") ;;
        P) login+=(-P "$OPTARG") ;;
        i) id=$OPTARG ;;
        w) watts=$OPTARG ;;
        n) priority=$OPTARG ;;
        *) exit 2 ;;
    esac
done
broker=(-h "$host" -p "$port" "${login[@]}")
request=$base/Requests/$id

switch() { # switch on|off WATTS [WHY]: your relay here, for example: curl -s "http://relay/?turn=$1"
    echo "$*"
}

tell() { # tell FIELD VALUE
    mosquitto_pub "${broker[@]}" -t "$request/$1" -m "$2"
}

ask() {
    asked=$SECONDS
    { tell Priority "$priority" && tell Consumption "$allowed" && tell Request "$watts" &&
        tell IsAutomatic true; } || echo "the broker does not take the request" >&2
}

allow() { # allow WATTS [WHY]
    if [ "$1" = "$allowed" ]; then
        return
    fi
    allowed=$1
    if [ "$allowed" = 0 ]; then
        switch off "$@"
    else
        switch on "$@"
    fi
    tell Consumption "$allowed" || true # at once: the distributor and the meter see the same
}

whole() { # the whole watts of an allowance; 0 for anything that is not a number
    if [[ $1 =~ ^([0-9]+)(\.[0-9]+)?$ ]]; then
        echo "${BASH_REMATCH[1]}"
    else
        echo 0
    fi
}

allowed=0 heard=$SECONDS asked=$SECONDS online=

# One subscription; each line is the retain flag, the topic and the payload. A retained Allowance has no
# known age and proves nothing: the next live one is at most 10 s away.
exec {messages}< <(exec mosquitto_sub "${broker[@]}" -F '%r %t %p' \
    -t "$request/Allowance" -t "$base/Actors/distributor/Status")
subscriber=$!

leave() {
    trap - EXIT INT TERM
    kill "$subscriber" 2>/dev/null || true
    allow 0 "stopped"
    tell Request 0 || true
}
trap leave EXIT
trap 'exit 0' INT TERM

while true; do
    code=0
    IFS=' ' read -r -t 1 -u "$messages" retained topic payload || code=$?
    if [ "$code" -eq 1 ]; then
        echo "mosquitto_sub has ended" >&2
        exit 1
    elif [ "$code" -eq 0 ]; then
        case "$retained $topic $payload" in
            *"/Status online")
                online=yes
                ask
                ;;
            *"/Status "*)
                online=
                allow 0 "the distributor is offline"
                ;;
            "0 $request/Allowance "*)
                if [ "$online" ]; then
                    heard=$SECONDS
                    allow "$(whole "$payload")"
                fi
                ;;
        esac
    fi
    if [ $((SECONDS - heard)) -ge "$lease" ]; then
        allow 0 "no allowance for $lease s"
    fi
    if [ "$online" ] && [ $((SECONDS - asked)) -ge "$repeat" ]; then
        ask
    fi
done
