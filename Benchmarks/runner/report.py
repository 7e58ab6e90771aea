"""The table for people and the JSON for programs."""

import json
import os
import platform
from itertools import groupby
from pathlib import Path

from . import engines
from .summary import Row, TargetRow
from .workloads import Workload

COLUMNS = f"  {'variant':<13}{'p50 µs':>10}{'p99 µs':>10}{'per second':>13}{'CPU µs':>9}" \
          f"   {'against':<14}{'ratio':>6}  {'range':<12}{'budget':<11}result"


def machine() -> str:
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.2f}"


def number(value: float | None) -> str:
    """Three significant digits are what such a measurement carries; none of a large number's digits are hidden."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def line(row: Row) -> str:
    if row.error is not None:
        return f"  {row.variant:<13}FAILED against {row.against}: {row.error}"
    result = engines.verdict(row) if engines.is_engine_row(row) else {True: "pass", False: "miss", None: ""}[row.met]
    spread = f"{row.range[0]:.2f}–{row.range[1]:.2f}"
    return (f"  {row.variant:<13}{number(row.p50):>10}{number(row.p99):>10}{number(row.rate):>13}{number(row.cpu):>9}"
            f"   {row.against:<14}{row.ratio:>6.2f}  {spread:<12}{budget(row):<11}{result}").rstrip()


def budget(row: Row) -> str:
    if row.budget is None:
        return ""
    if row.kind == "excess":
        return f"≤ +{row.budget:.2f} µs"
    return f"{'≥' if row.metric == 'rate' else '≤'} {row.budget:.2f}"


def situation(row: Row) -> str:
    unit = f", {row.memory / 1024:,.1f} KiB with threads" if row.memory is not None else ""
    if row.metric == "gathered" and row.gathered is not None:
        unit = f", {number(row.gathered)} messages a system call"
    return f"{Workload(row.work, row.size, row.connections, row.placement, row.pace)}: {row.metric}{unit}"


def target_lines(row: TargetRow) -> list[str]:
    if row.error is not None:
        return ["", f"target, {row.target}", f"  FAILED: {row.error}"]
    lines = ["", f"target, {row.target}: {'pass' if row.met else 'miss'}"]
    for verb, modes in (("met by", row.met_by), ("missed by", row.missed_by)):
        if modes:
            lines.append(f"  {verb:<10}" + ", ".join(f"{name} ({number(value)})" for name, value in modes.items()))
    return lines


def tally(rows: list[Row] | list[TargetRow], noun: str) -> str:
    return f"{noun}: {sum(row.met is True for row in rows)} met, {sum(row.met is False for row in rows)} missed"


def verdict(rows: list[Row], targets: list[TargetRow]) -> str:
    everything = [*rows, *targets]
    failed = sum(row.error is not None for row in everything)
    return f"{tally(rows, 'budgets')}; {tally(targets, 'targets')}; rows: {failed} of {len(everything)} failed"


def table(rows: list[Row], targets: list[TargetRow]) -> str:
    lines = [COLUMNS]
    for heading, group in groupby(rows, key=situation):
        lines += ["", heading]
        lines += [line(row) for row in group]
    for target in targets:
        lines += target_lines(target)
    between = engines.summary(rows)
    if between is not None:
        lines += ["", between]
    return "\n".join(lines + ["", verdict(rows, targets)])


def write_json(rows: list[Row | TargetRow], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = ",\n".join(json.dumps(row.as_dictionary()) for row in rows)
    path.write_text(f"[\n{objects}\n]\n", encoding="utf-8")
