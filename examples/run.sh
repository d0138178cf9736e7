#!/bin/sh
# Sends the requests of the examples to a server and compares the statuses of its answers.
# Usage: examples/run.sh URL TOKEN [FOLDER]…
set -eu

if [ $# -lt 2 ]; then
    echo "usage: $0 URL TOKEN [FOLDER]…" >&2
    exit 2
fi
url=${1%/} token=$2
shift 2
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- */

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
for folder in "$@"; do
    for file in "${folder%/}"/*.http; do
        [ -e "$file" ] || continue
        # The file's parts: first line, headers, body, status.
        awk -v to="$scratch" '
            NR == 1 { print > (to "/request"); part = "headers"; next }
            /^--- answer/ { part = "status"; next }
            part == "headers" && /^$/ { part = "body"; next }
            part == "status" && wanted++ { next }
            { print > (to "/" part) }
            BEGIN { printf "" > (to "/headers"); printf "" > (to "/body") }
        ' "$file"
        read -r method path <"$scratch/request"
        read -r expected <"$scratch/status"
        # A last line end is not part of the body.
        printf '%s' "$(cat "$scratch/body")" >"$scratch/sent"
        echo "Authorization: Token token=$token" >>"$scratch/headers"
        if [ -s "$scratch/sent" ]; then
            set_body="--data-binary @$scratch/sent"
        else
            set_body=
        fi
        # shellcheck disable=SC2086 — no body is no argument
        status=$(curl -sS -X "$method" -H "@$scratch/headers" $set_body \
            -o "$scratch/answer" -w '%{http_code}' "$url$path")
        if [ "$status" = "$expected" ]; then verdict=ok; else verdict="NOT $expected"; failed=1; fi
        printf '%s: %s %s -> %s %s\n%s\n\n' \
            "$file" "$method" "$path" "$status" "$verdict" "$(cat "$scratch/answer")"
    done
done
exit $failed
