#!/usr/bin/env bash
# Checks the models beside it with spin: every state within the bounds of each run below, and that every variant that is broken on purpose is found out, by the
# kind of error that it should cause. Takes less than a minute of processor time; no run may take more than thirty seconds of processor time or leave a state out.
set -euo pipefail
models=$(cd "$(dirname "$0")" && pwd)
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

# explore model name expected options...: expected is `holds`, or `ends` for "holds, and no run goes in circles", or how the error begins that must be found.
explore() {
    local model=$1 name=$2 expected=$3 search=-DSAFETY walk=(-m100000)
    shift 3
    [ "$expected" != ends ] || { search=-DNP; walk+=(-l); }
    rm -f pan pan.* ./*.trail
    spin -a "$@" "$models/$model.pml" > spin.log 2>&1 || { cat spin.log >&2; exit 1; }
    cc -O1 -w "$search" -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
    (ulimit -t 30 && exec ./pan "${walk[@]}") > pan.log 2>&1 || { echo "$name: not done in time" >&2; tail -5 pan.log >&2; exit 1; }
    local errors states found
    errors=$(sed -n 's/.*errors: *\([0-9]*\).*/\1/p' pan.log)
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
    found=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' pan.log | head -1)
    case $expected in
    holds | ends)
        if [ "$errors" != 0 ] || grep -qE 'max search depth too small|out of memory|Search not completed' pan.log; then
            echo "$name: an error, or the search was not complete" >&2
            sed '/^unreached/,$d' pan.log >&2
            exit 1
        fi
        printf '  %-86s %s in all %s states\n' "$name" "$expected" "$states"
        ;;
    *)
        if [ "$errors" != 1 ] || [[ $found != "$expected"* ]]; then
            echo "$name: found \"$found\" where \"$expected\" was expected" >&2
            sed '/^unreached/,$d' pan.log >&2
            exit 1
        fi
        printf '  %-86s found: %s\n' "$name" "$expected"
        ;;
    esac
}

dead_end="invalid end state"
wrong="assertion violated"

echo "Nobody waits for ever and nobody is over-run (docs/protocol.md, section 7):"
explore flow "two sides call each other twice, messages of one and three chunks" holds -DTOTAL=2 -DITEMS=0
explore flow "two sides call each other once, replies after up to three items" holds -DTOTAL=1 -DITEMS=3
explore flow "the same with room for two frames on the way" holds -DTOTAL=1 -DITEMS=3 -DROOM=2
explore flow "one side calls three times, numbers are used again, with items" holds -DTOTAL=3 -DOTHER=0 -DITEMS=1
echo "Broken on purpose:"
explore flow "a side does not read while its writing is blocked" "$dead_end" -DBROKEN -DTOTAL=2 -DITEMS=0
explore flow "credit is withheld that the next request may need" "$dead_end" -DWITHHELD -DTOTAL=2 -DITEMS=0

echo "No wake-up is lost and no record is lost or read twice, whoever dies (docs/shared-memory.md, section 3):"
explore ring "four records of one and two slots" holds -DRECORDS=4
explore ring "three records, two stores of a side on the way, a bell that rings for nothing" holds -DRECORDS=3 -DDELAYED=2 -DSTRAY=1
explore ring "three records" ends -DRECORDS=3
echo "Broken on purpose:"
for by in 0 1; do
    who=$([ "$by" = 0 ] && echo producer || echo consumer)
    mistake() { explore ring "$1, by the $who" "$2" -DRECORDS=3 -DMISTAKE="$3" -DBY="$by"; }
    mistake "the flag is set after the second look" "$dead_end" FLAG_AFTER_LOOK
    mistake "the flag is not sequentially consistent with that look" "$dead_end" PLAIN_FLAG
    mistake "the counter is not sequentially consistent with the look at the flag" "$dead_end" PLAIN_PUBLISH
    mistake "the counter goes before the copy" "$wrong" COUNTER_BEFORE_COPY
    mistake "the bell is made silent after the second look" "$dead_end" LATE_DRAIN
done
mistake "the end of the socket is believed without another look at the ring" "$wrong" SOCKET_AFTER_RING
