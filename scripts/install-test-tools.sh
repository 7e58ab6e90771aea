#!/bin/bash
# Installs what the tests need beyond the Swift toolchain, gcc, Python and git, and only what is missing. The library itself needs none of it.
# With the argument "windows": what it takes to build and run the Windows half of the platform layer here.
set -euo pipefail

# package | what shows that it is there: a command, or a file
needed() {
    cat <<'LIST'
make make
gcc cc
python3 python3
git git
strace strace
spin spin
util-linux setpriv
libuv1-dev /usr/include/uv.h
g++ c++
libprotobuf-dev /usr/include/google/protobuf/message.h
protobuf-compiler protoc
libzstd-dev /usr/include/zstd.h
libsodium-dev /usr/include/sodium.h
libsqlite3-dev /usr/include/sqlite3.h
python3-pyqt5 /usr/lib/python3/dist-packages/PyQt5/__init__.py
LIST
}

needed_for_windows() {
    cat <<'LIST'
make make
gcc-mingw-w64-x86-64 x86_64-w64-mingw32-gcc
wine wine
wine64 /usr/lib/wine/wineserver64
LIST
}

missing=()
while read -r package sign; do
    command -v "$sign" > /dev/null || [ -f "$sign" ] || missing+=("$package")
done < <(if [ "${1-}" = windows ]; then needed_for_windows; else needed; fi)
[ "${1-}" = windows ] || python3 -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)

# The Python packages of peers in another language: pinned, in an environment of their own below .build.
install_peers() {
    local peers=.build/peers list=Tests/Peers/requirements.txt
    cmp -s "$list" "$peers/installed.txt" && return
    python3 -m venv --clear "$peers"
    "$peers/bin/pip" install --quiet --disable-pip-version-check --requirement "$list"
    cp "$list" "$peers/installed.txt"
}

install_missing() {
    echo "The tests need ${missing[*]}." >&2
    if ! command -v apt-get > /dev/null; then
        echo "Install them by this system's own means and try again." >&2
        exit 1
    fi
    root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -q
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

cd "$(dirname "$0")/.."
[ ${#missing[@]} -eq 0 ] || install_missing
[ "${1-}" = windows ] || install_peers
