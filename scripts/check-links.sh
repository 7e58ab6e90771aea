#!/bin/bash
# check-links.sh PLAIN TRAITS: what programs are linked with that were built without package traits and with all of them. The plain ones know nothing of the libraries that the
# traits bring, and TestPeer with all traits names each of them, so that this check can fail.
set -euo pipefail

libraries=(libzstd libsodium libsqlite3)

needed() {
    readelf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'
}

status=0
for program in "$1/TestPeer" "$1/ginnel"; do
    for library in "${libraries[@]}"; do
        if needed "$program" | grep --quiet "^$library\."; then
            echo "$program is linked with $library without a trait that needs it" >&2
            status=1
        fi
    done
done
for library in "${libraries[@]}"; do
    if ! needed "$2/TestPeer" | grep --quiet "^$library\."; then
        echo "$2/TestPeer, built with every trait, is not linked with $library: this check would notice nothing" >&2
        status=1
    fi
done
exit "$status"
