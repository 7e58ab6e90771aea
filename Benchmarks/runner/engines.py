"""The engine with a thread for each connection against the one with loops, and what counts as no regression.

Whoever goes back from one engine to the other wants to know what that costs. It counts as nothing to be less than 5 % slower and to take less
than 10 % more memory; every row beyond that is named with by how much it is. That is a report and no budget: the two engines
are made for different things, and with many connections, or with idle ones, they are meant to differ.
"""

from .summary import Row
from .workloads import THREADS

ALLOWED = {"p50": 0.05, "rate": 0.05, "memory": 0.10}


def is_engine_row(row: Row) -> bool:
    return row.variant == THREADS.name


def excess(row: Row) -> float:
    """By which part of the loops' figure the threads are worse; below zero where they are better."""
    return 1 - row.ratio if row.metric == "rate" else row.ratio - 1


def verdict(row: Row) -> str:
    return "no regression" if excess(row) < ALLOWED[row.metric] else f"differs by {excess(row):.0%}".replace("%", " %")


def summary(rows: list[Row]) -> str | None:
    """One line for all rows of engines, None when there are none."""
    measured = [row for row in rows if is_engine_row(row) and row.error is None]
    if not measured:
        return None
    worse = [row for row in measured if verdict(row) != "no regression"]
    names = "; ".join(f"{name(row)} {verdict(row)}" for row in worse)
    return f"engines: {len(measured) - len(worse)} of {len(measured)} rows show no regression with threads" + (f"; {names}" if names else "")


def name(row: Row) -> str:
    crowd = "" if row.connections == 1 else f", {row.connections} connections"
    return f"{row.metric} of {row.work}{crowd}, {row.placement}"
