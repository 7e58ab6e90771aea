# The tour of the recorder, and its tests, which run both programs against others.
example() {
    local programs said expected
    programs=$(build Recorder --build-tests "$@")
    TMPDIR="$XDG_RUNTIME_DIR" within "$programs/recorder" tour > "$XDG_RUNTIME_DIR/output" 2> "$XDG_RUNTIME_DIR/errors" || fail "the tour failed:" "$(cat "$XDG_RUNTIME_DIR/output" "$XDG_RUNTIME_DIR/errors")"
    said=$(sed -E 's/[0-9]+(\.[0-9]+)?/N/g' "$XDG_RUNTIME_DIR/output")
    expected=$(
        printf '%s\n' "nobody listens, so the service is started" "it answers" \
            "window N: Clock of pattern-clock, N x N at N,N" "window N: Bars of pattern-bars, N x N at N,N" "window N: Ramp of pattern-ramp, N x N at N,N" \
            "monitor SYN-N: Test pattern, N x N at N,N, scale N, the primary one" "monitor SYN-N: Test pattern, the smaller one, N x N at N,N, scale N" \
            "audio pattern.speaker: The pattern, counting seconds (output)" "a thumbnail of window N: N x N, JPEG of N bytes" \
            "a preview of SYN-N: N x N; with the highlight it is another one" "refused: Output format quicktime cannot be encoded here; animatedpng can" \
            "refused: Unknown output format: vhs" "refused: Invalid request: width out of range: N (max N)" "refused: Window not found" \
            "the output format is animatedpng" "event: recording" "event: N s" 'event: said "one second" at N' "event: N s" 'event: said "N seconds" at N' \
            "event: saving" "event: saving as animatedpng" "event: saved: true" "the recording: N frames, N bytes" "of N pieces of text the last: N seconds" \
            "a picker would say: [SELECTION]/region:SYN-N@N,N,N,N" "the approval token before and after it was stored: token_invalid, token_valid" \
            "a second service ends with status N: the endpoint is taken" "the service was asked to end" "and has ended"
    )
    [ "$said" = "$expected" ] || fail "recorder printed:" "$(diff <(echo "$expected") <(echo "$said"))" "$(cat "$XDG_RUNTIME_DIR/errors")"
    cat "$XDG_RUNTIME_DIR/output"
    swift test --disable-xctest --skip-build --package-path Examples/Recorder --scratch-path "$PWD/.build/examples" "$@" > "$XDG_RUNTIME_DIR/tests" 2>&1 ||
        fail "$(grep -E '✘|error:' "$XDG_RUNTIME_DIR/tests" || tail -20 "$XDG_RUNTIME_DIR/tests")"
    tail -1 "$XDG_RUNTIME_DIR/tests"
}
