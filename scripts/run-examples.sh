#!/bin/bash
# Builds each package of Examples as a user would, runs it, and looks at what it prints. Endpoints lie in a directory of this run, so that they meet no others.
set -euo pipefail
cd "$(dirname "$0")/.."

# How long a program may run, in seconds; they take less than five.
limit=60
XDG_RUNTIME_DIR=$(mktemp -d)
export XDG_RUNTIME_DIR
service=
trap 'if [ -n "$service" ]; then kill "$service" 2>/dev/null || true; wait "$service" 2>/dev/null || true; fi; rm -rf "$XDG_RUNTIME_DIR"' EXIT

# build NAME ARGUMENTS...: builds Examples/NAME and says where its programs are. All share a folder, so that Ginnel is built once and not for each.
build() {
    local package=(--package-path "Examples/$1" --scratch-path "$PWD/.build/examples")
    shift
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

hello() {
    local programs expected said
    programs=$(build Hello "$@")
    "$programs/HelloService" &
    service=$!
    within "$programs/HelloClient" > "$XDG_RUNTIME_DIR/output"
    said=$(cat "$XDG_RUNTIME_DIR/output")
    expected="Hello, world: you are user $(id -u), group $(id -g), process $program"
    [ "$said" = "$expected" ] || fail "HelloClient printed \"$said\" instead of \"$expected\""
    echo "HelloClient printed: $said"
}

# Numbers differ from run to run; everything else is known.
editor_engine() {
    local programs said way expected
    programs=$(build EditorEngine "$@")
    TMPDIR="$XDG_RUNTIME_DIR" within "$programs/EditorEngine" > "$XDG_RUNTIME_DIR/output" 2> "$XDG_RUNTIME_DIR/errors"
    # The engine's lines come through a pipe of their own, at any time after what they tell of.
    said=$(grep -v '^  engine: ' "$XDG_RUNTIME_DIR/output" | sed -E 's/[0-9]+(\.[0-9]+)?/N/g; s/ +/ /g; s/, built for debugging.*:$/:/')
    expected=$(
        for way in "native format, socket" "native format, shared memory" "headered format, socket" "headered format, shared memory"; do
            case $way in *"shared memory") transport=sharedMemory ;; *) transport=socket ;; esac
            printf '%s:\n' "$way"
            printf ' %s\n' "editor: a completion: polly wants a cracker" "editor: word by word: who|is|a|pretty|boy|then" "editor: I let go after N words" \
                "editor: the engine says that it made N and stopped" \
                "editor: the bytes went through: $transport"
        done
        printf '%s\n' "a context in place:" " editor: the engine has read N bytes, N lines" "how long until the answer is there, in microseconds:" \
            " | both sides sleep | both look for N µs first" " | half N of N | half N of N"
        printf ' %s | N N | N N\n' "N bytes there and back, socket" "N bytes there and back, shared memory" "N KB in a call, socket" "N KB in a call, shared memory" \
            "N KB in place, shared memory" "of that, reading the N KB"
    )
    [ "$said" = "$expected" ] || fail "EditorEngine printed:" "$(diff <(echo "$expected") <(echo "$said"))" "$(cat "$XDG_RUNTIME_DIR/errors")"
    [ "$(grep -cE '^  engine: I stop after [0-9]+ words, nobody reads them any more$' "$XDG_RUNTIME_DIR/output")" = 4 ] || fail "the engine did not say four times that it stops"
    grep -q "has read 204800 bytes, 6400 lines" "$XDG_RUNTIME_DIR/output" || fail "the context did not arrive whole"
    cat "$XDG_RUNTIME_DIR/output"
}

# The monitor asked by an agent that is not ours, with Google's protobuf.
foreign_agent() {
    local said expected python=.build/peers/bin/python3
    [ -x "$python" ] || fail "there is no $python; scripts/install-test-tools.sh makes it"
    said=$(within "$python" -B Tests/Peers/checksummed.py monitor "$1")
    expected="socket 0o600 0o700
negotiation True [0]
all all True True
one 1 procmond True True True
verify True True True
tree True
4 False Network monitoring not supported
5 False Filesystem monitoring not supported
6 False Performance monitoring not supported
42 False Unknown task type: 42
stranger: None
end 0 False"
    [ "$said" = "$expected" ] || fail "the foreign agent printed:" "$(diff <(echo "$expected") <(echo "$said"))"
    echo "an agent that is not ours was answered as it should be"
}

# What the agents say comes in any order; what must be said is looked for.
migration() {
    local programs place own line
    programs=$(build Migration "$@")
    place=$XDG_RUNTIME_DIR/migration
    own=$(id -un)
    within "$programs/migration" --in "$place" > "$XDG_RUNTIME_DIR/output" 2> "$XDG_RUNTIME_DIR/errors" ||
        fail "migration failed:" "$(cat "$XDG_RUNTIME_DIR/output" "$XDG_RUNTIME_DIR/errors")"
    for line in "  service: $own/1 is there, agent 1.0" "  service: $own/1 is there again, agent 1.0" "  service: $own/2 is done: 5 in email, 5 in files" \
        "  service: $own/1 is done: 5 in email, 5 in files" "  $own/2: delay 3: I asked for 100 hours and have 72" "  $own/2: delay 4: max_delays_exceeded; I begin" \
        "  service: a process of $own claims to be mallory; refused" "  mallory: the service refuses me: Error handling message: the kernel says that you are $own, not mallory" \
        "  $own/2: 10 files copied, 0 were there, 0 taken up in the middle" "  $own/1: the service wants me to end: the migration is ready" \
        "  service: everybody has a backup; I end" "20 of 20 files are the same as their originals, to the byte"; do
        grep -qxF "$line" "$XDG_RUNTIME_DIR/output" || fail "migration did not say \"$line\":" "$(cat "$XDG_RUNTIME_DIR/output" "$XDG_RUNTIME_DIR/errors")"
    done
    # What the first life had finished, the second did not copy.
    sed -nE 's/.*with ([0-9]+) files complete, and started again: ([0-9]+) files copied, ([0-9]+) were there, .*/\1 \2 \3/p' "$XDG_RUNTIME_DIR/output" |
        awk '$1 > 0 && $1 == $3 && $2 + $3 == 10 { good = 1 } END { exit !good }' || fail "files were copied twice:" "$(cat "$XDG_RUNTIME_DIR/output")"
    for home in 1 2; do
        sed -E 's/.*"path":"([^"]*)".*"sha256":"([^"]*)".*/\2  \1/' "$place/backups/$home/manifest.jsonl" > "$place/$home.sums"
        (cd "$place/homes/$home" && sha256sum --check --quiet "$place/$home.sums") || fail "the manifest of home $home has other hashes"
    done
    cat "$XDG_RUNTIME_DIR/output"
}

# Everything once with each transport; numbers differ from run to run, and so do the monitor's own lines.
process_monitor() {
    local programs said expected transport hash
    programs=$(build ProcessMonitor "$@")
    hash=$(sha256sum < "$programs/procmond" | cut -d ' ' -f 1)
    TMPDIR="$XDG_RUNTIME_DIR" within "$programs/agent" > "$XDG_RUNTIME_DIR/output" 2> "$XDG_RUNTIME_DIR/errors" || fail "agent failed:" "$(cat "$XDG_RUNTIME_DIR/errors")"
    said=$(grep -v '^  procmond: ' "$XDG_RUNTIME_DIR/output" | sed -E 's/: [0-9]+ processes/: N processes/; s/started [0-9]+ by me, with [0-9]+ bytes/started N by me, with N bytes/; s/has [0-9]+ sockets/has N sockets/')
    expected=$(
        for transport in interprocess legacy; do
            printf '%s\n' "transport $transport:" "  agent: procmond 1.0 watches processes; of what I asked for: Not supported: network" \
                "  agent: N processes; among them I, agent, and procmond, started N by me, with N bytes" "  agent: found again by name, number, pattern" \
                "  agent: the tree below me: agent > procmond" "  agent: its file hashes to $hash, as I find too; with another hash expected: Hash mismatch" \
                "  agent: not to be had: Network monitoring not supported; Filesystem monitoring not supported; Performance monitoring not supported; Unknown task type: 42" \
                "  agent: of 20 more connections at once 15 were served" "  agent: procmond has N sockets, none of a network" \
                "  agent: procmond reports transport $transport; refused: 5 × tooManyConnections"
        done
    )
    [ "$said" = "$expected" ] || fail "agent printed:" "$(diff <(echo "$expected") <(echo "$said"))" "$(cat "$XDG_RUNTIME_DIR/errors")"
    grep -q "tooManyConnections" "$XDG_RUNTIME_DIR/errors" || fail "the monitor's log does not say whom it refused"
    cat "$XDG_RUNTIME_DIR/output"
    foreign_agent "$programs/procmond"
}

hello "$@"
editor_engine "$@"
process_monitor "$@"
migration "$@"
