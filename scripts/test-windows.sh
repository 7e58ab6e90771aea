#!/bin/bash
# Builds the conformance program of the platform layer and the peer in C for Windows and runs both under Wine, in a Wine of its own below .build, which is ended again.
set -euo pipefail
cd "$(dirname "$0")/.."

export WINEPREFIX="$PWD/.build/wine"
export WINEDEBUG=-all
# Without these Wine asks for parts that nothing here needs.
export WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe="
unset DISPLAY WAYLAND_DISPLAY

mkdir -p .build
scripts/install-test-tools.sh windows
make -C Tests/Conformance build CC=x86_64-w64-mingw32-gcc BUILD=../../.build/conformance-windows
make -C Tests/Peers/Pipe build CC=x86_64-w64-mingw32-gcc BUILD=../../../.build/pipe-peer-windows

# Only the server of this prefix is ended, and waited for.
end_wine() {
    timeout 30 wineserver -k || true
    timeout 30 wineserver -w || true
}
trap end_wine EXIT
timeout --kill-after=10 120 wine wineboot --init > /dev/null 2>&1 < /dev/null
timeout --kill-after=10 300 make -C Tests/Conformance CC=x86_64-w64-mingw32-gcc BUILD=../../.build/conformance-windows RUNNER=wine
timeout --kill-after=10 120 make -C Tests/Peers/Pipe CC=x86_64-w64-mingw32-gcc BUILD=../../../.build/pipe-peer-windows RUNNER=wine
