# What the agents say comes in any order; what must be said is looked for.
example() {
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
