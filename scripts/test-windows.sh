#!/bin/bash
# Builds the conformance program of the platform layer twice, for this system and for Windows, and the peer in C for Windows; runs the latter two under Wine, in a Wine of its own below .build, which is ended
# again, and prints what the programs have shown, clause by clause. It fails when a clause fails, or is missing on a side that ought to have it.
set -euo pipefail
cd "$(dirname "$0")/.."

export WINEPREFIX="$PWD/.build/wine"
export WINEDEBUG=-all
# Without these Wine asks for parts that nothing here needs.
export WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe="
unset DISPLAY WAYLAND_DISPLAY

mkdir -p .build
scripts/install-test-tools.sh windows
make -C Tests/Conformance build
make -C Tests/Conformance build CC=x86_64-w64-mingw32-gcc BUILD=../../.build/conformance-windows
make -C Tests/Peers/Pipe build CC=x86_64-w64-mingw32-gcc BUILD=../../../.build/pipe-peer-windows

# Only the server of this prefix is ended, and waited for.
end_wine() {
    timeout 30 wineserver -k || true
    timeout 30 wineserver -w || true
}
trap end_wine EXIT
timeout --kill-after=10 120 wine wineboot --init > /dev/null 2>&1 < /dev/null

# What they print is judged below; a run that ends early lacks its last line.
native=0
windows=0
timeout --kill-after=10 120 .build/conformance/conformance > .build/conformance/clauses.txt < /dev/null || native=$?
timeout --kill-after=10 300 wine .build/conformance-windows/conformance.exe > .build/conformance-windows/clauses.txt < /dev/null || windows=$?
python3 -B scripts/conformance_table.py "$(uname -s)=.build/conformance/clauses.txt" Wine=.build/conformance-windows/clauses.txt
if [ "$native" -ne 0 ] || [ "$windows" -ne 0 ]; then
    echo "exit status of the conformance program: $native here, $windows under Wine" >&2
    exit 1
fi
timeout --kill-after=10 120 make -C Tests/Peers/Pipe CC=x86_64-w64-mingw32-gcc BUILD=../../../.build/pipe-peer-windows RUNNER=wine
