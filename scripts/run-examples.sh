#!/bin/bash
# Builds each package of Examples as a user would, runs it, and looks at what it prints, as scripts/examples/NAME.sh says; EXAMPLE=NAME for one of them.
set -euo pipefail
cd "$(dirname "$0")/.."

# How long a program may run, in seconds; they take less than five.
limit=60
# build NAME ARGUMENTS...: builds Examples/NAME and says where its programs are. All share a folder, so that Ginnel is built once and not for each.
build() {
    local package=(--package-path "Examples/$1" --scratch-path "$PWD/.build/examples")
    shift
    # What the last of them was planned to be is not taken for the plan of this one.
    rm -f .build/examples/*.yaml .build/examples/*/description.json
    swift build "${package[@]}" "$@" >&2 || return
    swift build "${package[@]}" "$@" --show-bin-path
}

# within COMMAND...: runs it as the process $program, and ends it when its time is over.
within() {
    "$@" &
    program=$!
    local tenths=$((limit * 10))
    while kill -0 "$program" 2>/dev/null; do
        if [ "$tenths" -eq 0 ]; then
            echo "$1 took longer than $limit seconds" >&2
            kill -9 "$program"
        fi
        tenths=$((tenths - 1))
        sleep 0.1
    done
    wait "$program"
}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# heard FILE LINE: waits until the line stands in the file.
heard() {
    local tenths=$((limit * 10))
    until grep -qsxF "$2" "$1"; do
        [ "$tenths" -gt 0 ] || fail "nobody said \"$2\":" "$(cat "$1")"
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

# exists SOCKET LOG: waits until a service listens, whose lines go to the log.
exists() {
    local tenths=$((limit * 10))
    until [ -S "$1" ]; do
        [ "$tenths" -gt 0 ] || fail "the service does not listen:" "$(cat "$2")"
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

# run FILE ARGUMENTS...: one example. Its endpoints lie in a directory of this run, so that they meet no others; a service that it leaves in $service is ended.
run() (
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
    service=
    trap 'if [ -n "$service" ]; then kill "$service" 2>/dev/null || true; wait "$service" 2>/dev/null || true; fi; rm -rf "$XDG_RUNTIME_DIR"' EXIT
    # shellcheck source=/dev/null
    source "$1"
    shift
    example "$@"
)

for file in scripts/examples/${EXAMPLE:-*}.sh; do
    printf '\n%s\n' "$(basename "$file" .sh)"
    run "$file" "$@"
done
