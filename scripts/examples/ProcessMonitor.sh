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

# Everything once with each transport; numbers differ from run to run, and so do the monitor's own lines.
example() {
    local programs said expected transport hash
    programs=$(build ProcessMonitor "$@")
    hash=$(sha256sum < "$programs/procmond" | cut -d ' ' -f 1)
    TMPDIR="$XDG_RUNTIME_DIR" within "$programs/agent" > "$XDG_RUNTIME_DIR/output" 2> "$XDG_RUNTIME_DIR/errors" || fail "agent failed:" "$(cat "$XDG_RUNTIME_DIR/errors")"
    said=$(grep -v '^  procmond: ' "$XDG_RUNTIME_DIR/output" | sed -E 's/: [0-9]+ processes/: N processes/; s/started [0-9]+ by me, with [0-9]+ bytes/started N by me, with N bytes/; s/has [0-9]+ sockets/has N sockets/')
    expected=$(
        echo "defaults: messages of 1048576 bytes; 16 connections; ieee; seconds for accepting 5.0, reading 30.0, writing 10.0"
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
