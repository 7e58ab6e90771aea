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
    for line in "  $own/1: the service asks for a backup of files, browsers, email, system" "  $own/1: I go on with a backup of files, browsers, email, system" \
        "  $own/1: reportEvery is now 20" "  $own/2: reportEvery is now 20"; do
        grep -qxF "$line" "$XDG_RUNTIME_DIR/output" || fail "migration did not say \"$line\":" "$(cat "$XDG_RUNTIME_DIR/output" "$XDG_RUNTIME_DIR/errors")"
    done
    # What the first life had finished, the second did not copy.
    sed -nE 's/.*with ([0-9]+) files complete, and started again: ([0-9]+) files copied, ([0-9]+) were there, .*/\1 \2 \3/p' "$XDG_RUNTIME_DIR/output" |
        awk '$1 > 0 && $1 == $3 && $2 + $3 == 10 { good = 1 } END { exit !good }' || fail "files were copied twice:" "$(cat "$XDG_RUNTIME_DIR/output")"
    for home in 1 2; do
        sed -nE 's/.*"path":"([^"]*)".*"sha256":"([^"]*)".*/\2  \1/p' "$place/backups/$home/manifest.jsonl" > "$place/$home.sums"
        (cd "$place/homes/$home" && sha256sum --check --quiet "$place/$home.sums") || fail "the manifest of home $home has other hashes"
    done
    cat "$XDG_RUNTIME_DIR/output"
    trouble "$programs" "$own"
    foreign_service "$programs" "$own"
    foreign_agent "$programs" "$own"
    told_to_end "$programs"
    if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then users "$programs"; else echo "not root, or no setpriv: other users are not tried"; fi
}

# A directory without the folders of categories, of which one file cannot be copied: asked twice, then people are told. The next life copies what is missing, and the end leaves a slow agent its second.
trouble() {
    local place=$XDG_RUNTIME_DIR/trouble own=$2 agent slow line
    mkdir -p "$place/from/deep" "$place/to/stuck.partial" "$place/many"
    for line in first deep/second stuck; do echo "$line" > "$place/from/$line"; done
    head -c 3000000 /dev/zero > "$place/many/long"
    "$1/migration-service" --path "$place/s" --quick 1 --agents 1 --grace 1 > "$place/service" 2>&1 &
    service=$!
    "$1/migration-agent" --path "$place/s" --quick 1 --user "$own/stuck" --from "$place/from" --to "$place/to" > "$place/agent" 2>&1 &
    agent=$!
    heard "$place/agent" "$own/stuck: people are told of sync_error: the backup of $own/stuck has failed 2 times"
    kill "$agent"
    wait "$agent" 2>/dev/null || true
    [ "$(grep -cxF "$own/stuck: the service asks for a backup of files, browsers, email, system" "$place/agent")" = 2 ] || fail "not asked twice:" "$(cat "$place/agent")"
    for line in "service: $own/stuck reports FILE_NOT_COPIED: stuck: Is a directory" "service: $own/stuck has failed: 2 in files"; do heard "$place/service" "$line"; done
    "$1/migration-agent" --path "$place/s" --quick 1 --user "$own/slow" --from "$place/many" --to "$place/few" --pause 2000 > "$place/slow" 2>&1 &
    slow=$!
    heard "$place/service" "service: $own/slow begins a backup of files"
    rmdir "$place/to/stuck.partial"
    within "$1/migration-agent" --path "$place/s" --quick 1 --user "$own/stuck" --from "$place/from" --to "$place/to" > "$place/agent" 2>&1 || fail "the agent failed:" "$(cat "$place/agent")"
    wait "$service" || fail "the service failed:" "$(cat "$place/service")"
    service=
    wait "$slow" || fail "the slow agent failed:" "$(cat "$place/slow")"
    heard "$place/agent" "$own/stuck: 1 files copied, 2 were there, 0 taken up in the middle"
    heard "$place/service" "service: $own/stuck is done: 3 in files"
    heard "$place/slow" "$own/slow: not ready after 1 s; what is there is not copied again"
    for line in first deep/second stuck; do cmp "$place/from/$line" "$place/to/$line" || fail "$line is not the same"; done
    echo "a file that could not be copied was reported, asked for again and copied in the end; a slow agent had its second"
}

# Our agent at a service that is not ours, and leaves in the middle.
foreign_service() {
    local place=$XDG_RUNTIME_DIR/service own=$2 line said expected
    mkdir -p "$place/from/email"
    for line in first email/second email/third; do head -c 200000 /dev/urandom > "$place/from/$line"; done
    chmod 600 "$place/from/first"
    chmod 755 "$place/from/email/second"
    python3 -B Tests/Peers/migration.py service "$place/s" > "$place/service" 2>&1 &
    service=$!
    heard "$place/service" listening
    within "$1/migration-agent" --path "$place/s" --quick 1 --user "$own/abroad" --delays 4 --from "$place/from" --to "$place/to" > "$place/agent" 2>&1 ||
        fail "the agent failed:" "$(cat "$place/agent" "$place/service")"
    wait "$service" || fail "the foreign service failed:" "$(cat "$place/service" "$place/agent")"
    service=
    said=$(sed "s|$place|PLACE|" "$place/service")
    expected='listening
agent 1.0
delay 0 100
delay 1 100
delay 2 100
delay 3 100
started email,files 0.6
completed True {"email": [true, 2], "files": [true, 1]} PLACE/to/manifest.jsonl
percent True 100 came again True lives 2
end'
    [ "$said" = "$expected" ] || fail "the foreign service printed:" "$(diff <(echo "$expected") <(echo "$said"))" "$(cat "$place/agent")"
    for line in "the service asks for a backup of files, browsers, email, system" "delay 3: I asked for 100 hours and have 72" "delay 4: max_delays_exceeded; I begin" \
        "reportEvery is now 50" "3 files copied, 0 were there, 0 taken up in the middle" "the service wants me to end: enough é"; do
        heard "$place/agent" "$own/abroad: $line"
    done
    for line in first email/second email/third; do cmp "$place/from/$line" "$place/to/$line" || fail "$line is not the same"; done
    said=$(cd "$place/to" && stat -c '%a %n' . email first email/second manifest.jsonl | tr '\n' ' ')
    [ "$said" = "700 . 700 email 600 first 755 email/second 600 manifest.jsonl " ] || fail "the backup has other modes than its originals: $said"
    echo "a service that is not ours had its backup, although it left in the middle"
}

# A service that is told to end, and lines that are none.
told_to_end() {
    local place=$XDG_RUNTIME_DIR/told
    mkdir "$place"
    "$1/migration-service" --path "$place/s" > "$place/service" 2>&1 &
    service=$!
    exists "$place/s" "$place/service"
    kill -TERM "$service"
    wait "$service" || fail "a service that was told to end failed:" "$(cat "$place/service")"
    service=
    [ ! -e "$place/s" ] || fail "a service that was told to end has left its socket behind"
    for line in "--agents zero --path /nowhere/s" "--bogus 7" "--path"; do
        # Several words where there are several.
        # shellcheck disable=SC2086
        if within "$1/migration-service" $line > "$place/output" 2>&1; then fail "migration-service $line was taken"; fi
        grep -qF -e "${line%% *}" "$place/output" || fail "migration-service $line was refused without saying why:" "$(cat "$place/output")"
    done
    echo "a service that is told to end leaves nothing behind, and what is no option is refused by name"
}

# An agent that is not ours at our service.
foreign_agent() {
    local place=$XDG_RUNTIME_DIR/agent own=$2 said expected line
    mkdir "$place"
    "$1/migration-service" --path "$place/s" --quick 1 --agents 1 --report-every 20 > "$place/service" 2>&1 &
    service=$!
    exists "$place/s" "$place/service"
    said=$(within python3 -B Tests/Peers/migration.py agent "$place/s" "$own" 2>&1) || fail "the foreign agent failed:" "$said" "$(cat "$place/service")"
    wait "$service" || fail "the service failed:" "$(cat "$place/service")"
    service=
    expected="mallory False True
started BACKUP_REQUEST True normal files,browsers,email,system 168
delay 0 72
delay 1 72
delay 2 72
delay 3 max_delays_exceeded
begun True
set reportEvery 20 user
spoken for False
error True
action True
unknown No handler registered for message type: NO_SUCH_TYPE
heartbeat True
completed True
status ready True 1
shutdown the migration is ready 30
end"
    [ "$said" = "$expected" ] || fail "the foreign agent printed:" "$(diff <(echo "$expected") <(echo "$said"))" "$(cat "$place/service")"
    for line in "a process of $own claims to be mallory; refused" "$own has 33 percent" "$own reports E: boom" "$own is done: 3 in files" "$own ends"; do heard "$place/service" "service: $line"; done
    echo "an agent that is not ours was asked for a backup, had more time, and was let go"
}

# A service for all users, and agents of two of them, of which one says that it is the other. They are scripts, as other users may not be let into the directory of these programs.
users() {
    local place=$XDG_RUNTIME_DIR/all said
    chmod 711 "$XDG_RUNTIME_DIR"
    mkdir -m 755 "$place"
    "$1/migration-service" --at "$place/s" --agents 2 > "$XDG_RUNTIME_DIR/users" 2>&1 &
    service=$!
    exists "$place/s" "$XDG_RUNTIME_DIR/users"
    for said in "nobody nobody answered BACKUP_REQUEST nobody" "daemon nobody refused Error handling message: the kernel says that you are daemon, not nobody" \
        "daemon daemon answered BACKUP_REQUEST daemon"; do
        # shellcheck disable=SC2086
        as $said
    done
    heard "$XDG_RUNTIME_DIR/users" "service: a process of daemon claims to be nobody; refused"
    kill "$service"
    wait "$service" || true
    service=
    echo "nobody and daemon speak for themselves, and daemon does not speak for nobody"
}

# as USER CLAIMED ANSWER...: what an agent of this user is answered that claims to be that one, in $place.
as() {
    local user=$1 claimed=$2 answer
    shift 2
    # The system's own interpreter: another may lie where other users are not let in.
    answer=$(PATH=/usr/bin:/bin setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups python3 -I - agent "$place/s" "$claimed" < Tests/Peers/envelope.py)
    [ "$answer" = "$*"$'\nend' ] || fail "$user, who claims to be $claimed, is answered:" "$answer" "$(cat "$XDG_RUNTIME_DIR/users")"
}
