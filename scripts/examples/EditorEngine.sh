# Numbers differ from run to run; everything else is known.
example() {
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
