#!/usr/bin/env bash
# Checks flow.pml with spin: every state within the bounds of each run below, and that both broken variants are found out. Takes some twenty seconds; no run
# may take more than thirty seconds of processor time or leave a state out.
set -euo pipefail
model=$(cd "$(dirname "$0")" && pwd)/flow.pml
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

# explore name expected-errors options...
explore() {
    local name=$1 expected=$2
    shift 2
    rm -f pan pan.* flow.pml.trail
    spin -a "$@" "$model" > spin.log 2>&1 || { cat spin.log >&2; exit 1; }
    cc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
    (ulimit -t 30 && exec ./pan -m100000) > pan.log 2>&1 || { echo "$name: not done in time" >&2; tail -5 pan.log >&2; exit 1; }
    local errors states
    errors=$(sed -n 's/.*errors: *\([0-9]*\).*/\1/p' pan.log)
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
    if grep -qE 'max search depth too small|out of memory|Search not completed' pan.log && [ "$expected" = 0 ]; then
        echo "$name: the search was not complete" >&2
        cat pan.log >&2
        exit 1
    fi
    if [ "$errors" != "$expected" ]; then
        echo "$name: $errors errors where $expected were expected" >&2
        cat pan.log >&2
        exit 1
    fi
    if [ "$expected" = 0 ]; then
        printf '%-74s holds in all %s states\n' "$name" "$states"
    else
        printf '%-74s found: %s\n' "$name" "$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' pan.log | head -1)"
    fi
}

echo "Nobody waits for ever and nobody is over-run (docs/protocol.md, section 7):"
explore "two sides call each other twice, messages of one and three chunks" 0 -DTOTAL=2 -DITEMS=0
explore "two sides call each other once, replies after up to three items" 0 -DTOTAL=1 -DITEMS=3
explore "the same with room for two frames on the way" 0 -DTOTAL=1 -DITEMS=3 -DROOM=2
explore "one side calls three times, numbers are used again, with items" 0 -DTOTAL=3 -DOTHER=0 -DITEMS=1
echo "Broken on purpose:"
explore "a side does not read while its writing is blocked" 1 -DBROKEN -DTOTAL=2 -DITEMS=0
explore "credit is withheld that the next request may need" 1 -DWITHHELD -DTOTAL=2 -DITEMS=0
