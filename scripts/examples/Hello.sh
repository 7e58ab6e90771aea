example() {
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
