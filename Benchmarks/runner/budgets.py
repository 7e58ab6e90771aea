"""The budgets and the targets, all of them, and nowhere else.

A budget is a ratio to a reference that ran in the same minutes on the same machine or, where the reference takes a fraction of a
microsecond, an excess over it in microseconds. A latency must not be above its limit, a rate must not be below it. Rows without a
budget are measured and shown to be read beside the others.

A target is a plain number that is to be reached in at least one of several modes, and the results say in which. It depends on the
machine, so it says less than a budget; it is here because people ask for such numbers.
"""

from dataclasses import dataclass

from .workloads import (CALL_SLEEP, CALL_SPIN, EVENT_SPIN, FIXED_PACE, STREAM_ONE_WAY, STREAM_SLEEP, STREAM_SPIN, Comparison, Contender,
                        Workload, echo)


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
    kind: str = "ratio"  # or "excess": microseconds above the reference
    pace: int = 0

    def covers(self, row: Comparison) -> bool:
        place = Workload(self.work, self.size, self.connections, self.placement, self.pace)
        return (place, self.variant, self.against, self.metric) == (row.workload, row.contender.name, row.against, row.metric)


BUDGETS = (
    #      work          size  conn. placement  variant        against        metric  limit  kind
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
    Budget("stream-echo", 1024, 1,   "two-cpu", "stream-spin", "spinning",    "p50",  1.50),
    Budget("stream-echo", 1024, 1,   "two-cpu", "call-spin",   "spinning",    "p50",  1.50, "excess"),
    Budget("stream-echo", 1024, 1,   "one-cpu", "stream-sleep", "futex/eventfd", "p50", 1.30),
    Budget("stream-echo", 1024, 1,   "two-cpu", "stream-sleep", "futex/eventfd", "p50", 1.30),
    Budget("stream-one-way", 1024, 1, "two-cpu", "stream-spin", "spinning",   "rate", 0.70),
)


@dataclass(frozen=True)
class Target:
    """What the median over the rounds must not be above, or below if it is a rate."""

    name: str
    metric: str
    limit: float
    modes: tuple[tuple[Workload, Contender], ...]


ECHOES = (
    (echo(1024, "two-cpu"), STREAM_SPIN),
    (echo(1024, "two-cpu"), CALL_SPIN),
    (echo(1024, "one-cpu"), STREAM_SLEEP),
    (echo(1024, "one-cpu"), CALL_SLEEP),
    (echo(1024, "two-cpu"), STREAM_SLEEP),
    (echo(1024, "two-cpu"), CALL_SLEEP),
    (echo(1024, "two-cpu", FIXED_PACE), STREAM_SLEEP),
    (echo(1024, "two-cpu", FIXED_PACE), CALL_SLEEP),
)
ONE_WAYS = tuple((STREAM_ONE_WAY, contender) for contender in (STREAM_SPIN, EVENT_SPIN, STREAM_SLEEP))

TARGETS = (
    Target("there and back through shared memory, 1,024 bytes: on average at most 15 µs", "mean", 15, ECHOES),
    Target("there and back through shared memory, 1,024 bytes: p99 at most 50 µs", "p99", 50, ECHOES),
    Target("one-way through shared memory, 1,024 bytes: at least 300,000 a second", "rate", 300_000, ONE_WAYS),
)


def budget_of(row: Comparison) -> Budget | None:
    return next((budget for budget in BUDGETS if budget.covers(row)), None)


MORE_IS_BETTER = ("rate", "gathered")


def is_met(metric: str, value: float, limit: float) -> bool:
    return value >= limit if metric in MORE_IS_BETTER else value <= limit
