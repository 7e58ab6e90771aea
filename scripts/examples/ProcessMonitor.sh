# Google's protobuf and the peers that have it.
python=.build/peers/bin/python3

# foreign_agent PROCMOND CRC: the monitor asked by an agent that is not ours.
foreign_agent() {
    local said expected
    said=$(within "$python" -B Tests/Peers/process_monitor.py agent "$1" "$2")
    expected="socket 0o600 0o700
negotiation True [0]
all all True True
one 1 procmond True True True
verify True True True
odd False True
odd False True
tree True
4 False Network monitoring not supported
5 False Filesystem monitoring not supported
6 False Performance monitoring not supported
42 False Unknown task type: 42
stranger: None
end 0 False"
    [ "$said" = "$expected" ] || fail "the foreign agent printed:" "$(diff <(echo "$expected") <(echo "$said"))"
}

# foreign_monitor AGENT CRC: our agent at a monitor that is not ours, and knows nothing of capabilities.
foreign_monitor() {
    local place=$XDG_RUNTIME_DIR/foreign-$2 said expected hash
    mkdir "$place"
    echo "{ \"ipc\": { \"crc32_variant\": \"$(tr '[:lower:]' '[:upper:]' <<< "${2:0:1}")${2:1}\" } }" > "$place/ginnel.json"
    "$python" -B Tests/Peers/process_monitor.py monitor "$place/s" "$2" > "$place/asked" 2>&1 &
    service=$!
    heard "$place/asked" listening
    GINNEL_CONFIG="$place/ginnel.json" within "$1" --endpoint "$place/s" > "$place/output" 2>&1 || fail "the agent failed:" "$(cat "$place/output" "$place/asked")"
    wait "$service" || fail "the foreign monitor failed:" "$(cat "$place/asked")"
    service=
    said=$(sed -E 's/: [0-9]+ processes/: N processes/' "$place/output")
    hash=$(sha256sum < "$1" | cut -d ' ' -f 1)
    expected="agent: the monitor agrees and does not say what it watches
agent: N processes, I among them
agent: under my number: agent
agent: the tree below me: agent
agent: my file hashes to $hash, as I find too
agent: with another hash expected: not verified
agent: a file that does not exist: not verified
agent: refused type 4: Network monitoring not supported
agent: refused type 5: Filesystem monitoring not supported
agent: refused type 6: Performance monitoring not supported
agent: refused type 42: Unknown task type: 42"
    [ "$said" = "$expected" ] || fail "the agent printed:" "$(diff <(echo "$expected") <(echo "$said"))"
    expected="listening
asked 0 capability_negotiation capabilities
asked 0 -
asked 0 - process_filter
asked 2 - process_filter
asked 1 - hash_check
asked 3 - hash_check
asked 3 - hash_check
asked 4 -
asked 5 -
asked 6 -
asked 42 -
end"
    diff <(echo "$expected") "$place/asked" || fail "the foreign monitor was asked for something else"
}

# Everything once with each transport; numbers differ from run to run, and so do the monitor's own lines.
example() {
    local programs said expected transport crc hash
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
    [ -x "$python" ] || fail "there is no $python; scripts/install-test-tools.sh makes it"
    for crc in ieee castagnoli; do
        foreign_agent "$programs/procmond" "$crc"
        foreign_monitor "$programs/agent" "$crc"
    done
    echo "an agent and a monitor that are not ours, and ours, had from each other what they asked for"
}
