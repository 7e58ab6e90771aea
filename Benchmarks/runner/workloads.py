"""What is measured, by whom, and who is compared with whom."""

from dataclasses import dataclass

SIZES = (64, 1024, 65536)
PLACEMENTS = ("one-cpu", "two-cpu")
CROWDS = (256, 1000)
LOW_LATENCY_SPIN_US = 50


@dataclass(frozen=True)
class Workload:
    """One situation; the numbers of two programs are comparable only within it."""

    work: str
    size: int
    connections: int
    placement: str

    @property
    def arguments(self) -> list[str]:
        return ["--work", self.work, "--size", str(self.size), "--connections", str(self.connections),
                "--placement", self.placement]

    def __str__(self) -> str:
        crowd = "1 connection" if self.connections == 1 else f"{self.connections:,} connections"
        return f"{self.work}, {self.size:,} bytes, {crowd}, {self.placement}"


@dataclass(frozen=True)
class Contender:
    """A program and the arguments that make it the variant of this name."""

    name: str
    program: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One row of the results: the contender's metric as a ratio to the reference's."""

    workload: Workload
    contender: Contender
    reference: Contender
    metric: str  # "p50" or "rate"


BLOCKING = Contender("blocking", "floor", ("--mode", "blocking"))
EPOLL = Contender("epoll", "floor", ("--mode", "epoll"))
WRITE_EACH = Contender("1-a-writev", "floor", ("--mode", "blocking", "--batch", "1"))
WRITE_BATCH = Contender("64-a-writev", "floor", ("--mode", "blocking", "--batch", "64"))
LIBUV = Contender("libuv", "libuv")
PLAIN = Contender("plain", "ginnel", ("--variant", "plain", "--spin-us", "0"))
ASYNC = Contender("async", "ginnel", ("--variant", "async", "--spin-us", "0"))
ELSEWHERE = Contender("elsewhere", "ginnel", ("--variant", "elsewhere", "--spin-us", "0"))
LOW_LATENCY = Contender("low-latency", "ginnel", ("--variant", "plain", "--spin-us", str(LOW_LATENCY_SPIN_US)))
ONE_WAY = Contender("plain", "ginnel", ("--variant", "plain", "--spin-us", "0", "--batch", "64"))


def one_connection(size: int, placement: str) -> list[Comparison]:
    """Round trips, one at a time. On one processor the floor is the epoll loop; across two it is the program that blocks,
    since there the wake-ups cost most and blocking has the cheapest."""
    workload = Workload("round-trip", size, 1, placement)
    if placement == "one-cpu":
        floor, contenders = EPOLL, (PLAIN, ASYNC, ELSEWHERE, LIBUV, BLOCKING)
    else:
        floor, contenders = BLOCKING, (PLAIN, ASYNC, ELSEWHERE, LOW_LATENCY, LIBUV, EPOLL)
    rows = [Comparison(workload, contender, floor, "p50") for contender in contenders]
    return rows + [Comparison(workload, PLAIN, LIBUV, "p50")]


def crowd(connections: int, placement: str) -> list[Comparison]:
    """Round trips on many connections, one in flight on each: what counts is how many the loops complete."""
    workload = Workload("round-trip", 1024, connections, placement)
    return [Comparison(workload, contender, EPOLL, "rate") for contender in (PLAIN, LIBUV)]


def one_way(placement: str) -> list[Comparison]:
    workload = Workload("one-way", 1024, 1, placement)
    return [Comparison(workload, contender, WRITE_BATCH, "rate") for contender in (ONE_WAY, WRITE_EACH)]


def all_comparisons() -> list[Comparison]:
    rows: list[Comparison] = []
    for placement in PLACEMENTS:
        for size in SIZES:
            rows += one_connection(size, placement)
        for connections in CROWDS:
            rows += crowd(connections, placement)
        rows += one_way(placement)
    return rows


def contenders_by_workload(comparisons: list[Comparison]) -> dict[Workload, list[Contender]]:
    """Who has to run in each workload, the references first, nobody twice."""
    result: dict[Workload, list[Contender]] = {}
    for row in comparisons:
        contenders = result.setdefault(row.workload, [])
        contenders += [one for one in (row.reference, row.contender) if one not in contenders]
    return result
