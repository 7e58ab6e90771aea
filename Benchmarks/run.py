#!/usr/bin/env python3
"""Measures Ginnel beside its raw C floor and beside libuv, in one run, and prints ratios against budgets.

A round runs every program of every workload once; the rounds are outermost, so that a bad ten seconds of the machine
spoil one round of a workload and not its median. The order within a workload turns round with every round, so that a
machine that gets slower or faster does not favour whoever comes first.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from runner.budgets import TARGETS, Target
from runner.execution import RunFailed, Sample, run
from runner.report import machine, table, write_json
from runner.summary import Key, exit_status, make_row, make_target_row
from runner.workloads import Comparison, Contender, Workload, all_comparisons, contenders_by_workload

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / ".build" / "bench"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", type=Path, default=HERE / ".build" / "release" / "ginnel-bench",
                        help="the release-built program of this package (default: %(default)s)")
    parser.add_argument("--rounds", type=int, help="3 to 99, default 7")
    parser.add_argument("--seconds", type=float, help="measured time of each run, 0.05 to 60, default 0.5")
    parser.add_argument("--quick", action="store_true", help="less than 90 seconds: 3 rounds of 0.15 seconds unless given")
    parser.add_argument("--only", metavar="TEXT", help="measure only the situations whose heading contains TEXT, such as \"stream-echo, 1,024\"")
    parser.add_argument("--strict", action="store_true", help="a missed budget or target fails the run (status 3)")
    parser.add_argument("--output", type=Path, default=OUTPUT / "results.json", help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.rounds is None:
        arguments.rounds = 3 if arguments.quick else 7
    if arguments.seconds is None:
        arguments.seconds = 0.15 if arguments.quick else 0.5
    if not 3 <= arguments.rounds <= 99:
        parser.error("--rounds takes 3 to 99")
    if not 0.05 <= arguments.seconds <= 60:
        parser.error("--seconds takes 0.05 to 60")
    if not arguments.ginnel.is_file():
        parser.error(f"there is no program at {arguments.ginnel}; build it with "
                     "`swift build -c release --package-path Benchmarks`, or give its path with --ginnel")
    return arguments


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure(programs: dict[str, Path], plan: dict[Workload, list[Contender]], rounds: int,
            seconds: float) -> tuple[dict[Key, list[Sample]], dict[Key, str]]:
    """Runs everything; a program that failed once is not run for that workload again, for its row has failed already."""
    samples: dict[Key, list[Sample]] = {}
    failures: dict[Key, str] = {}
    for turn in range(rounds):
        for workload, contenders in plan.items():
            for contender in contenders if turn % 2 == 0 else reversed(contenders):
                key = (workload, contender)
                if key in failures:
                    continue
                progress(f"round {turn + 1} of {rounds}: {workload}: {contender.name}")
                command = [str(programs[contender.program]), *workload.arguments, *contender.arguments]
                try:
                    samples.setdefault(key, []).append(run(command, workload.work, seconds))
                except RunFailed as failure:
                    failures[key] = str(failure)
    progress("")
    return samples, failures


def chosen(quick: bool, only: str | None) -> tuple[list[Comparison], list[Target]]:
    """What to measure, and the targets of which every mode is measured then."""
    comparisons = [row for row in all_comparisons(quick) if only is None or only in str(row.workload)]
    measured = {(row.workload, row.contender) for row in comparisons}
    return comparisons, [target for target in TARGETS if measured.issuperset(target.modes)]


def main() -> int:
    arguments = parse_arguments()
    comparisons, targets = chosen(arguments.quick, arguments.only)
    if not comparisons:
        print(f"There is nothing to measure whose heading contains \"{arguments.only}\".", file=sys.stderr)
        return 2
    if subprocess.run(["make", "--silent", "-C", str(HERE), "all"], check=False).returncode != 0:
        print("The C programs do not build; they need libuv and protobuf (Debian: libuv1-dev, libprotobuf-dev, protobuf-compiler).", file=sys.stderr)
        return 1
    programs = {"floor": OUTPUT / "floor", "libuv": OUTPUT / "libuv_echo", "protobuf": OUTPUT / "protobuf", "ginnel": arguments.ginnel.resolve()}
    print(f"{machine()}; median of {arguments.rounds} rounds of {arguments.seconds:g} s", flush=True)
    plan = contenders_by_workload(comparisons)
    samples, failures = measure(programs, plan, arguments.rounds, arguments.seconds)
    rows = [make_row(row, samples, failures, arguments.rounds) for row in comparisons]
    target_rows = [make_target_row(target, samples, failures, arguments.rounds) for target in targets]
    write_json(rows + target_rows, arguments.output)
    print(table(rows, target_rows))
    return exit_status(rows + target_rows, arguments.strict)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        progress("")
        sys.exit(130)
