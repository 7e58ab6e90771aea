"""The budgets, all of them, and nowhere else.

Each is a ratio to a reference that ran in the same minutes on the same machine. A latency must not be above its limit, a
rate must not be below it. Rows without a budget are measured and shown to be read beside the others.
"""

from dataclasses import dataclass

from .workloads import Comparison


@dataclass(frozen=True)
class Budget:
    work: str
    size: int
    connections: int
    placement: str
    variant: str
    against: str
    metric: str
    limit: float

    def covers(self, row: Comparison) -> bool:
        workload = row.workload
        return (self.work, self.size, self.connections, self.placement, self.variant, self.against, self.metric) == (
            workload.work, workload.size, workload.connections, workload.placement,
            row.contender.name, row.reference.name, row.metric)


BUDGETS = (
    #      work          size  conn. placement  variant        against        metric  limit
    Budget("round-trip", 1024, 1,    "one-cpu", "plain",       "epoll",       "p50",  1.20),
    Budget("round-trip", 1024, 1,    "one-cpu", "async",       "epoll",       "p50",  1.30),
    Budget("round-trip", 1024, 1,    "one-cpu", "elsewhere",   "epoll",       "p50",  1.80),
    Budget("round-trip", 1024, 1,    "one-cpu", "plain",       "libuv",       "p50",  1.20),
    Budget("round-trip", 1024, 1,    "two-cpu", "plain",       "blocking",    "p50",  1.20),
    Budget("round-trip", 1024, 1,    "two-cpu", "low-latency", "blocking",    "p50",  0.25),
    Budget("round-trip", 1024, 1,    "two-cpu", "plain",       "libuv",       "p50",  1.20),
    Budget("round-trip", 1024, 256,  "one-cpu", "plain",       "epoll",       "rate", 0.75),
    Budget("round-trip", 1024, 256,  "two-cpu", "plain",       "epoll",       "rate", 0.75),
    Budget("round-trip", 1024, 1000, "one-cpu", "plain",       "epoll",       "rate", 0.75),
    Budget("round-trip", 1024, 1000, "two-cpu", "plain",       "epoll",       "rate", 0.75),
    Budget("one-way",    1024, 1,    "one-cpu", "plain",       "64-a-writev", "rate", 0.70),
    Budget("one-way",    1024, 1,    "two-cpu", "plain",       "64-a-writev", "rate", 0.70),
)


def limit_of(row: Comparison) -> float | None:
    for budget in BUDGETS:
        if budget.covers(row):
            return budget.limit
    return None


def is_met(metric: str, ratio: float, limit: float) -> bool:
    return ratio >= limit if metric == "rate" else ratio <= limit
