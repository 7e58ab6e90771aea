#!/bin/sh
# Counts the heap allocations of one raw call, service and client together: so many calls and twice as many, in a release build; the
# difference is theirs alone. Prints the numbers and fails when one is over its limit. Linux.
#
#     Tests/Allocations/run.sh [SCRATCH]        SCRATCH: build directory, default .build
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=${1:-$root/.build}
limit=4
calls=10000

swift build --package-path "$root" --scratch-path "$scratch" -c release --product TestPeer >&2
program=$(swift build --package-path "$root" --scratch-path "$scratch" -c release --show-bin-path)/TestPeer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$work/count.so" "$here/count.c" -ldl

allocations() { # HANDLER CALLS
    ALLOCATIONS="$work/count" LD_PRELOAD="$work/count.so" "$program" allocations --endpoint "$work/s" --handler "$1" --calls "$2"
    cat "$work/count"
}

failed=0
for handler in plain async; do
    few=$(allocations $handler $calls)
    many=$(allocations $handler $((2 * calls)))
    # A task of its own is no part of the budget, which is that of the plain handler.
    [ $handler = plain ] && most=$limit || most=none
    awk -v few="$few" -v many="$many" -v calls="$calls" -v most="$most" -v handler="$handler" 'BEGIN {
        each = (many - few) / calls
        printf "allocations per raw call, %s handler, both ends: %.2f (limit %s)\n", handler, each, most
        exit most != "none" && each > most + 0.01
    }' || failed=1
done
exit $failed
