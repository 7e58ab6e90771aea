#!/usr/bin/env python3
"""Lays what the conformance program has printed on two platforms side by side: conformance_table.py Linux=FILE Wine=FILE

A clause of a portable suite must be on both sides. One of a suite that says "only here", and why, is on one side only. Exit status 1: a clause is missing or has failed, a suite is not what it
says of itself, or a run was cut off. What is skipped is printed with its reason; it is no failure, and no pass.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

TOTALS = re.compile(r"\d+ passed, \d+ failed, \d+ skipped")


@dataclass
class Clause:
    sentence: str
    outcome: str  # "ok", "failed" or "skipped"
    note: str = ""


@dataclass
class Suite:
    name: str
    only_here: str = ""
    elsewhere: str = ""
    clauses: list[Clause] = field(default_factory=list)


@dataclass
class Run:
    platform: str
    suites: list[Suite] = field(default_factory=list)
    finished: bool = False

    def clauses(self) -> dict[str, Clause]:
        return {clause.sentence: clause for suite in self.suites for clause in suite.clauses}


def parse(platform: str, text: str) -> Run:
    """The lines that are described in Tests/Conformance/portable/check.h; all others are passed over."""
    run = Run(platform)
    for line in text.splitlines():
        word, _, rest = line.partition(" - ")
        if line.startswith("# suite "):
            run.suites.append(Suite(line.removeprefix("# suite ")))
        elif line.startswith("# only here "):
            run.suites[-1].only_here = line.removeprefix("# only here ")
        elif line.startswith("# elsewhere "):
            run.suites[-1].elsewhere = line.removeprefix("# elsewhere ")
        elif word in ("ok", "not ok"):
            if not run.suites:
                run.suites.append(Suite(""))
            sentence, _, note = rest.partition(" # ")
            skipped = word == "ok" and note.startswith("SKIP ")
            outcome = "skipped" if skipped else "ok" if word == "ok" else "failed"
            run.suites[-1].clauses.append(Clause(sentence, outcome, note.removeprefix("SKIP ")))
        elif TOTALS.fullmatch(line):
            run.finished = True
    return run


def problems(first: Run, second: Run) -> list[str]:
    """Why the two runs together are no proof, in sentences; empty when they are one."""
    found = []
    for run, other in ((first, second), (second, first)):
        if not run.finished:
            found.append(f"the run on {run.platform} was cut off")
        there, names, seen = other.clauses(), {suite.name for suite in other.suites}, set()
        for suite in run.suites:
            if suite.elsewhere and suite.elsewhere not in names:
                found.append(f"suite {suite.name} of {run.platform} names a suite {suite.elsewhere}, which {other.platform} does not have")
            for clause in suite.clauses:
                if clause.sentence in seen:
                    found.append(f"twice on {run.platform}: {clause.sentence}")
                seen.add(clause.sentence)
                if clause.outcome == "failed":
                    found.append(f"failed on {run.platform}: {clause.sentence} ({clause.note})")
                if suite.only_here and clause.sentence in there:
                    found.append(f"said to be on {run.platform} only, and on {other.platform} too: {clause.sentence}")
                if not suite.only_here and clause.sentence not in there:
                    found.append(f"missing on {other.platform}: {clause.sentence}")
    return found


MARKS = {"ok": "ok", "failed": "FAILED", "skipped": "skip"}


def table(first: Run, second: Run) -> list[str]:
    """Two columns, one for each side, and the clause: "ok", "FAILED", "skip" (the reasons stand at the end), "-" where it does not exist."""
    lines = []

    def row(left: Clause | None, right: Clause | None, sentence: str) -> None:
        marks = [MARKS[clause.outcome] if clause else "-" for clause in (left, right)]
        lines.append(f"{marks[0]:8}{marks[1]:8}{sentence}")

    def heading(suite: Suite, run: Run, other: Run) -> None:
        left, right = ("" if suite.only_here and run is not side else side.platform for side in (first, second))
        lines.extend(["", f"{left:8}{right:8}{suite.name.upper()}"])
        if suite.only_here:
            lines.append(f"{'':16}(only here. It is about {suite.only_here})")
        if suite.elsewhere:
            lines.append(f"{'':16}(the counterpart on {other.platform}: {suite.elsewhere})")

    there = second.clauses()
    for suite in first.suites:
        heading(suite, first, second)
        for clause in suite.clauses:
            row(clause, there.get(clause.sentence), clause.sentence)
    here = first.clauses()
    for suite in second.suites:
        rest = [clause for clause in suite.clauses if clause.sentence not in here]
        if rest:
            heading(suite, second, first)
        for clause in rest:
            row(None, clause, clause.sentence)
    return lines


def totals(first: Run, second: Run) -> list[str]:
    here, there = first.clauses(), second.clauses()
    outcomes = [(here[name].outcome if name in here else "", there[name].outcome if name in there else "") for name in here | there]
    alone = {run.platform: {c.sentence for suite in run.suites if suite.only_here for c in suite.clauses} for run in (first, second)}
    lines = ["", f"{outcomes.count(('ok', 'ok')):4} clauses hold on both {first.platform} and {second.platform}"]
    for run, clauses in ((first, here), (second, there)):
        held = sum(clauses[name].outcome == "ok" for name in alone[run.platform])
        lines.append(f"{held:4} hold on {run.platform} and are about what there is nowhere else, as their suites say")
    for run, clauses in ((first, here), (second, there)):
        skipped = [clause for clause in clauses.values() if clause.outcome == "skipped"]
        lines.append(f"{len(skipped):4} were skipped on {run.platform}{':' if skipped else ''}")
        for clause in skipped:
            lines += [f"         {clause.sentence}", f"             because: {clause.note}"]
    missing = sum(name not in there and name not in alone[first.platform] for name in here) + sum(name not in here and name not in alone[second.platform] for name in there)
    failed = sum("failed" in pair for pair in outcomes)
    return lines + [f"{missing:4} are missing on one side, {failed} failed"]


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or not all("=" in argument for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    pairs = [argument.split("=", 1) for argument in arguments]
    first, second = (parse(name, Path(path).read_text(encoding="utf-8", errors="replace")) for name, path in pairs)
    print("\n".join(table(first, second) + totals(first, second)))
    found = problems(first, second)
    for problem in found:
        print(f"problem: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
