# `make help` lists what there is. Everything is built below .build, and the two commands that most people need, `make demo` and
# `make test`, do all their set-up themselves.
#
# Each target is one thing that can be checked alone; `test` is the sum of those that must pass before a change is taken, and stays under 20
# minutes on two processors. `.ci/run` runs it and then the longer ones.

SWIFT ?= swift
PYTHON := python3 -B
# Warnings are errors wherever our own code is compiled for a check.
STRICT := -Xswiftc -warnings-as-errors -Xcc -Werror
# Options in the environment could silence a sanitizer; none is passed on.
UNSUPPRESSED := env -u TSAN_OPTIONS -u ASAN_OPTIONS -u UBSAN_OPTIONS -u LSAN_OPTIONS
# All tests are Swift Testing's; the toolchain's own run of no XCTest tests leaks. So do Foundation's `Process` and the test library, once a process, which is why the address sanitizer
# looks for wrong accesses alone in Swift's tests; in the C programs, which are all ours, it looks for leaks too.
TESTING := --disable-xctest
# Under a sanitizer the test targets run one after the other: all at once they share two processors for so long that time limits mean nothing.
TEST_TARGETS := GinnelCoreTests GinnelTransportTests GinnelTests GinnelCommandTests
each_target = set -e; for target in $(TEST_TARGETS); do $(1) --filter "^$$target\."; done
TRAITS := Compression,Encryption,DurableOutbox
# The tests of the traits, and some of calls, streams and shared memory to show that the rest is as it was.
TRAIT_TESTS := ^GinnelCommandTests\.KeyTests|^GinnelTests\.(ConfigurationFileTests|ConfigurationPageTests|KeyFileTests|CompressionTests|EncryptionTests|SealedStreamTests|SealedPeerTests|OutboxStoreTests|DeliveryTests|DeliveryDeathTests|CallTests|StreamTests|UpgradeTests)
SWIFT_FILES := find . -name .build -prune -o -name '*.swift' -print0 | xargs -0

.NOTPARALLEL:
.PHONY: help demo test tools check lint house build portability unit threads traits conformance test-windows model allocations benchmarks-unit example sanitize soak simulate fuzz bench format clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##\(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-16s%s\n", $$1, $$2 }'

demo:  ## build for release and show what Ginnel does, in a few seconds
	$(SWIFT) build -c release --product ginnel
	.build/release/ginnel demo

test: tools check build portability unit threads traits conformance model benchmarks-unit allocations example  ## every check that a change must pass; installs what the tests need

tools:  ## install what the tests need and this machine lacks
	scripts/install-test-tools.sh

check: lint house  ## every check that runs nothing: format, house rules, documents

lint:
	@$(SWIFT_FILES) $(SWIFT) format lint --strict --parallel

house:
	@$(PYTHON) -m unittest discover --start-directory scripts --quiet
	@$(PYTHON) scripts/check.py

build:
	$(SWIFT) build --build-tests $(STRICT)

portability: build  ## what compiled Swift names of the system: nothing, outside the platform layer
	@$(PYTHON) scripts/check_symbols.py "$$($(SWIFT) build --show-bin-path)"

unit:  ## the Swift tests; the simulations apart, since they leave no processor to tests of processes and time
	$(SWIFT) test $(TESTING) $(STRICT) --skip SimulationTests
	$(SWIFT) test $(TESTING) --skip-build --filter SimulationTests

threads: build  ## the tests of Ginnel once more, with a thread for each connection in place of event loops
	GINNEL_ENGINE=threads $(SWIFT) test $(TESTING) --skip-build --filter '^GinnelTests\.' --skip SimulationTests

traits:  ## build with every package trait and run the tests that need one; without them, nothing of theirs is linked
	$(SWIFT) test $(TESTING) $(STRICT) --traits $(TRAITS) --scratch-path .build/traits --filter '$(TRAIT_TESTS)'
	scripts/check-links.sh .build/debug .build/traits/debug

conformance:  ## the contract of the platform layer, as a C program, and two processes in C that speak over it
	$(MAKE) -C Tests/Conformance
	$(PYTHON) Tests/Vectors/make_ring.py --check
	$(MAKE) -C Tests/Peers/Pipe

test-windows:  ## the same contract on Windows: built with mingw-w64, run under Wine, and a table of clauses; installs both
	scripts/test-windows.sh

model:  ## check the Promela models with spin
	docs/models/check.sh

benchmarks-unit:
	$(MAKE) -C Benchmarks test

allocations:  ## count what a call allocates
	Tests/Allocations/run.sh

example:  ## build the packages of Examples and run them; EXAMPLE=Recorder for one of them
	scripts/run-examples.sh $(STRICT)

sanitize:  ## the tests under the thread and the address sanitizer, the C programs under address and undefined
	$(call each_target,$(UNSUPPRESSED) $(SWIFT) test $(TESTING) --sanitize=thread --scratch-path .build/thread)
	$(call each_target,$(UNSUPPRESSED) ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test $(TESTING) --sanitize=address --scratch-path .build/address)
	$(UNSUPPRESSED) $(MAKE) -C Tests/Conformance BUILD=../../.build/conformance-sanitized EXTRA='-fsanitize=address,undefined -fno-sanitize-recover=all'
	$(UNSUPPRESSED) $(MAKE) -C Tests/Peers/Pipe BUILD=../../../.build/pipe-peer-sanitized EXTRA='-fsanitize=address,undefined -fno-sanitize-recover=all'

soak:  ## a crowd of clients for a minute; then two processes over shared memory at random, with kills: three minutes, or as many as MINUTES says
	$(SWIFT) build -c release --product Soak
	.build/release/Soak crowd --seconds 60
	.build/release/Soak --minutes $(or $(MINUTES),3)

simulate:  ## services and clients in virtual time against a seeded adversary, and their machines alone: 100,000 seeds, or as many as SEEDS says; SEED=… runs one again
	$(SWIFT) build -c release --product Simulate
	.build/release/Simulate $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100000))
	.build/release/Simulate --machines $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100000))

fuzz:  ## fuzz each target for 10 seconds
	Fuzz/run.sh

bench:  ## measure beside raw C and libuv; QUICK=1 for less than 90 seconds instead of eight minutes, STRICT_BUDGETS=1 to fail on a missed budget
	$(SWIFT) build -c release --package-path Benchmarks
	$(PYTHON) Benchmarks/run.py $(if $(QUICK),--quick) $(if $(STRICT_BUDGETS),--strict)

format:  ## format the Swift files in place
	$(SWIFT_FILES) $(SWIFT) format --in-place --parallel

clean:  ## remove everything that was built
	rm -rf .build Benchmarks/.build Examples/*/.build
