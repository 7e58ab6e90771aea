"""The table for people and the JSON for programs."""

import json
import os
import platform
from itertools import groupby
from pathlib import Path

from .summary import Row
from .workloads import Workload

COLUMNS = f"  {'variant':<12}{'p50 µs':>10}{'p99 µs':>10}{'per second':>13}{'CPU µs':>9}" \
          f"   {'against':<12}{'ratio':>6}  {'range':<12}{'budget':<9}result"


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
        return f"  {row.variant:<12}FAILED against {row.against}: {row.error}"
    sign = "≥" if row.metric == "rate" else "≤"
    budget = f"{sign} {row.budget:.2f}" if row.budget is not None else ""
    result = {True: "pass", False: "miss", None: ""}[row.met]
    spread = f"{row.range[0]:.2f}–{row.range[1]:.2f}"
    return (f"  {row.variant:<12}{number(row.p50):>10}{number(row.p99):>10}{number(row.rate):>13}{number(row.cpu):>9}"
            f"   {row.against:<12}{row.ratio:>6.2f}  {spread:<12}{budget:<9}{result}").rstrip()


def situation(row: Row) -> str:
    return f"{Workload(row.work, row.size, row.connections, row.placement)}: {row.metric}"


def verdict(rows: list[Row]) -> str:
    met = sum(row.met is True for row in rows)
    missed = sum(row.met is False for row in rows)
    failed = sum(row.error is not None for row in rows)
    return f"budgets: {met} met, {missed} missed; rows: {failed} of {len(rows)} failed"


def table(rows: list[Row]) -> str:
    lines = [COLUMNS]
    for heading, group in groupby(rows, key=situation):
        lines += ["", heading]
        lines += [line(row) for row in group]
    return "\n".join(lines + ["", verdict(rows)])


def write_json(rows: list[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = ",\n".join(json.dumps(row.as_dictionary()) for row in rows)
    path.write_text(f"[\n{objects}\n]\n", encoding="utf-8")
