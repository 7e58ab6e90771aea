#!/bin/bash
# Builds Examples/Hello as a user of the package would, starts its service, runs its client and compares what it prints.
# The endpoint lies in a directory of this run, so that it meets no other service of that name.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch="$PWD/.build/examples/Hello"
swift build --package-path Examples/Hello --scratch-path "$scratch" "$@"
programs=$(swift build --package-path Examples/Hello --scratch-path "$scratch" "$@" --show-bin-path)

XDG_RUNTIME_DIR=$(mktemp -d)
export XDG_RUNTIME_DIR
"$programs/HelloService" &
service=$!
trap 'kill "$service" 2>/dev/null || true; wait "$service" 2>/dev/null || true; rm -rf "$XDG_RUNTIME_DIR"' EXIT

"$programs/HelloClient" > "$XDG_RUNTIME_DIR/output" &
client=$!
wait "$client"
said=$(cat "$XDG_RUNTIME_DIR/output")
expected="Hello, world: you are user $(id -u), group $(id -g), process $client"
if [ "$said" != "$expected" ]; then
    printf 'HelloClient printed "%s" instead of "%s"\n' "$said" "$expected" >&2
    exit 1
fi
echo "HelloClient printed: $said"
