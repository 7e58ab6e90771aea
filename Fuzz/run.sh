#!/usr/bin/env bash
# Fuzzes the machines of GinnelCore and the rings of GinnelTransport under the address sanitizer.
#
#     Fuzz/run.sh [seconds for each target] [target ...]
#
# Ten seconds for each of the sixteen targets unless told otherwise. What makes a target fail is kept in .build/fuzz/<target>/ and the script fails; what was new is
# kept in .build/fuzz/<target>/corpus and used the next time. Fuzz/Corpus/<target> is where each target starts; `swift test` replays it too.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-10}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(native-handshake native-service native-client json tagged-json-service tagged-json-client headered-service headered-client checksummed-service checksummed-client protobuf envelope-service envelope-client segment envelope-messages recorder-messages)

build=${FUZZ_BUILD:-.build/fuzz}
mkdir -p "$build"
swift=(
    swiftc -O -g -wmo -parse-as-library -package-name ginnel -swift-version 6 -sanitize=fuzzer,address -I "$build"
    -Xcc -fmodule-map-file="$build/checksum.modulemap" -Xcc -I"$PWD/Sources/CGinnelChecksum/include"
    -Xcc -fmodule-map-file=Sources/CGinnelPlatform/include/module.modulemap -Xcc -I"$PWD/Sources/CGinnelPlatform/include"
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature NonisolatedNonsendingByDefault
)

cat > "$build/checksum.modulemap" <<END
module CGinnelChecksum { header "$PWD/Sources/CGinnelChecksum/include/ginnel_checksum.h" export * }
END
objects=()
for file in Sources/CGinnelChecksum/*.c Sources/CGinnelPlatform/{common,posix,linux,darwin}/*.c; do
    object=$build/$(tr / - <<< "${file%.c}").o
    clang -std=c11 -O1 -g -fsanitize=address -I "${file%/*}/include" -I Sources/CGinnelPlatform/include -c "$file" -o "$object"
    objects+=("$object")
done
find Sources/GinnelCore -name '*.swift' -print0 | sort -z | xargs -0 "${swift[@]}" -module-name GinnelCore -emit-module-path "$build/GinnelCore.swiftmodule" -c -o "$build/core.o"
find Sources/GinnelTransport -name '*.swift' -print0 | sort -z | xargs -0 "${swift[@]}" -module-name GinnelTransport -emit-module-path "$build/GinnelTransport.swiftmodule" -c -o "$build/transport.o"
find Sources/GinnelTesting/Core Sources/GinnelTesting/Segments -name '*.swift' -print0 | sort -z | xargs -0 "${swift[@]}" -module-name GinnelTesting -emit-module-path "$build/GinnelTesting.swiftmodule" -c -o "$build/testing.o"
"${swift[@]}" -module-name Fuzz Fuzz/Entry.swift "$build/core.o" "$build/transport.o" "$build/testing.o" "${objects[@]}" -o "$build/fuzz" 2> "$build/link.log" || { cat "$build/link.log" >&2; exit 1; }

# Messages are types above the core: the library is compiled for them alone, and each kind has a program of its own.
if [[ " ${targets[*]} " = *-messages\ * ]]; then
    find Sources/Ginnel -name '*.swift' -print0 | sort -z | xargs -0 "${swift[@]}" -module-name Ginnel -emit-module-path "$build/Ginnel.swiftmodule" -c -o "$build/ginnel.o"
fi
# program NAME FILES...: links them with the library.
program() {
    local name=$1
    shift
    "${swift[@]}" -module-name Fuzz "$@" "$build"/{core,transport,ginnel}.o "${objects[@]}" -o "$build/fuzz-$name" 2> "$build/link.log" || { cat "$build/link.log" >&2; exit 1; }
}
if [[ " ${targets[*]} " = *" envelope-messages "* ]]; then program envelope-messages Fuzz/EnvelopeMessages.swift Tests/GinnelTests/Formats/EnvelopeLaw.swift; fi
if [[ " ${targets[*]} " = *" recorder-messages "* ]]; then
    example=Examples/Recorder
    find "$example/Sources/RecorderMessages" -name '*.swift' -print0 | sort -z |
        xargs -0 "${swift[@]}" -module-name RecorderMessages -emit-module-path "$build/RecorderMessages.swiftmodule" -c -o "$build/recorder.o"
    program recorder-messages Fuzz/RecorderMessages.swift "$example/Tests/RecorderTests/MessageLaw.swift" "$build/recorder.o"
fi

failed=0
for target in "${targets[@]}"; do
    corpus=$build/$target/corpus
    mkdir -p "$corpus"
    echo "== $target, $seconds s"
    binary=$build/fuzz
    if [[ $target = *-messages ]]; then binary+=-$target; fi
    "$binary" -max_total_time="$seconds" -max_len=1024 -timeout=10 -rss_limit_mb=2048 -use_value_profile=1 -print_final_stats=1 \
        -artifact_prefix="$build/$target/" "$corpus" "Fuzz/Corpus/$target" -ignore_remaining_args=1 "$target" > "$build/$target/log" 2>&1 || failed=1
    grep -E 'stat::number_of_executed_units|stat::peak_rss|ERROR|Fatal error|fatalError|SUMMARY|Test unit written' "$build/$target/log" || tail -5 "$build/$target/log"
done
exit $failed
