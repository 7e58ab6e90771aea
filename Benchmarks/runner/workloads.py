"""What is measured, by whom, and who is compared with whom."""

from dataclasses import dataclass

SIZES = (64, 1024, 65536)
PLACEMENTS = ("one-cpu", "two-cpu")
CROWDS = (256, 1000)
LOW_LATENCY_SPIN_US = 50
FIXED_PACE = 1000  # round trips a second: slow enough for both sides to fall asleep in between


@dataclass(frozen=True)
class Workload:
    """One situation; the numbers of two programs are comparable only within it."""

    work: str
    size: int
    connections: int
    placement: str
    pace: int = 0  # round trips begun in a second; 0: the next one as soon as the last has ended

    @property
    def arguments(self) -> list[str]:
        return ["--work", self.work, "--size", str(self.size), "--connections", str(self.connections),
                "--placement", self.placement, "--pace", str(self.pace)]

    def __str__(self) -> str:
        crowd = "1 connection" if self.connections == 1 else f"{self.connections:,} connections"
        pace = f", {self.pace:,} a second" if self.pace else ""
        return f"{self.work}, {self.size:,} bytes, {crowd}, {self.placement}{pace}"


@dataclass(frozen=True)
class Contender:
    """A program and the arguments that make it the variant of this name."""

    name: str
    program: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One row of the results: the contender's metric as a ratio to the reference's; to the better one's where there are several."""

    workload: Workload
    contender: Contender
    references: tuple[Contender, ...]
    metric: str  # "p50", "rate", "memory" or "gathered"

    @property
    def against(self) -> str:
        return "/".join(reference.name for reference in self.references)


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
# The same with the other engine; what they are compared with is Ginnel itself.
THREADS = Contender("threads", "ginnel", ("--variant", "plain", "--spin-us", "0", "--engine", "threads"))
THREADS_ONE_WAY = Contender("threads", "ginnel", ("--variant", "plain", "--spin-us", "0", "--batch", "64", "--engine", "threads"))
THREADS_CALL = Contender("threads", "ginnel", ("--variant", "call", "--spin-us", "0", "--engine", "threads"))
# Plain calls in other wire formats.
FORMATS = tuple(Contender(name, "ginnel", ("--variant", "plain", "--spin-us", "0", "--format", name)) for name in ("tagged-json", "headered", "checksummed", "envelope"))
# Messages to bytes and back, without a connection.
PROTOBUF = Contender("protobuf", "protobuf")
OUR_PROTOBUF = Contender("ours", "ginnel")
# Through shared memory. The floor is the bare ring; who sleeps is woken by a futex or by an eventfd, and the better of them is the floor of sleeping.
SPINNING = Contender("spinning", "floor", ("--mode", "spinning", "--batch", "64"))
FUTEX = Contender("futex", "floor", ("--mode", "futex", "--batch", "64"))
EVENTFD = Contender("eventfd", "floor", ("--mode", "eventfd", "--batch", "64"))
SLEEPING = (FUTEX, EVENTFD)
STREAM_SPIN = Contender("stream-spin", "ginnel", ("--variant", "stream", "--spin-us", str(LOW_LATENCY_SPIN_US), "--batch", "64"))
STREAM_SLEEP = Contender("stream-sleep", "ginnel", ("--variant", "stream", "--spin-us", "0", "--batch", "64"))
ARRAYS_SPIN = Contender("arrays-spin", "ginnel", ("--variant", "arrays", "--spin-us", str(LOW_LATENCY_SPIN_US), "--batch", "64"))
CALL_SPIN = Contender("call-spin", "ginnel", ("--variant", "call", "--spin-us", str(LOW_LATENCY_SPIN_US)))
CALL_SLEEP = Contender("call-sleep", "ginnel", ("--variant", "call", "--spin-us", "0"))
EVENT_SPIN = Contender("event-spin", "ginnel", ("--variant", "event", "--spin-us", str(LOW_LATENCY_SPIN_US), "--batch", "64"))


def one_connection(size: int, placement: str) -> list[Comparison]:
    """Round trips, one at a time. On one processor the floor is the epoll loop; across two it is the program that blocks,
    since there the wake-ups cost most and blocking has the cheapest."""
    workload = Workload("round-trip", size, 1, placement)
    if placement == "one-cpu":
        floor, contenders = EPOLL, (PLAIN, ASYNC, ELSEWHERE, LIBUV, BLOCKING)
    else:
        floor, contenders = BLOCKING, (PLAIN, ASYNC, ELSEWHERE, LOW_LATENCY, LIBUV, EPOLL)
    rows = [Comparison(workload, contender, (floor,), "p50") for contender in contenders]
    return rows + [Comparison(workload, PLAIN, (LIBUV,), "p50")]


def formats(placement: str) -> list[Comparison]:
    """A round trip in each wire format beside the floor, which stands for the bytes alone, and the native protocol."""
    workload = Workload("round-trip", 1024, 1, placement)
    floor = EPOLL if placement == "one-cpu" else BLOCKING
    return [Comparison(workload, contender, (floor,), "p50") for contender in FORMATS]


def protobuf(work: str, size: int) -> list[Comparison]:
    """Our codec beside the runtime in C++ of protobuf's makers."""
    return [Comparison(Workload(work, size, 1, "one-cpu"), OUR_PROTOBUF, (PROTOBUF,), "p50")]


def crowd(connections: int, placement: str) -> list[Comparison]:
    """Round trips on many connections, one in flight on each: what counts is how many the loops complete."""
    workload = Workload("round-trip", 1024, connections, placement)
    return [Comparison(workload, contender, (EPOLL,), "rate") for contender in (PLAIN, LIBUV)]


def one_way(placement: str) -> list[Comparison]:
    workload = Workload("one-way", 1024, 1, placement)
    rows = [Comparison(workload, contender, (WRITE_BATCH,), "rate") for contender in (ONE_WAY, WRITE_EACH)]
    return rows + [Comparison(workload, ONE_WAY, (WRITE_BATCH,), "gathered")]


def echo(size: int, placement: str, pace: int = 0) -> Workload:
    return Workload("stream-echo", size, 1, placement, pace)


def stream_echo(size: int, placement: str, pace: int = 0) -> list[Comparison]:
    """There and back through shared memory. Spinning needs a processor for each side, and at a fixed pace everybody has fallen asleep."""
    workload = echo(size, placement, pace)
    rows = [Comparison(workload, contender, SLEEPING, "p50") for contender in (STREAM_SLEEP, CALL_SLEEP)]
    rows.append(Comparison(workload, EVENTFD, (FUTEX,), "p50"))
    if placement == "two-cpu" and pace == 0:
        rows = [Comparison(workload, contender, (SPINNING,), "p50") for contender in (STREAM_SPIN, ARRAYS_SPIN, CALL_SPIN)] + rows
        rows.append(Comparison(workload, SPINNING, SLEEPING, "p50"))
    return rows


STREAM_ONE_WAY = Workload("stream-one-way", 1024, 1, "two-cpu")


def stream_one_way() -> list[Comparison]:
    rows = [Comparison(STREAM_ONE_WAY, contender, (SPINNING,), "rate") for contender in (STREAM_SPIN, ARRAYS_SPIN, EVENT_SPIN)]
    return rows + [Comparison(STREAM_ONE_WAY, STREAM_SLEEP, SLEEPING, "rate")]


def engines() -> list[Comparison]:
    """What the engines are compared in. The memory is that of connections which say nothing."""
    rows = [Comparison(Workload("round-trip", 1024, 1, placement), THREADS, (PLAIN,), "p50") for placement in PLACEMENTS]
    rows += [Comparison(Workload("round-trip", 1024, 64, placement), THREADS, (PLAIN,), "rate") for placement in PLACEMENTS]
    rows += [Comparison(Workload("one-way", 1024, 1, placement), THREADS_ONE_WAY, (ONE_WAY,), "rate") for placement in PLACEMENTS]
    rows.append(Comparison(echo(1024, "one-cpu"), THREADS_CALL, (CALL_SLEEP,), "p50"))
    return rows + [Comparison(Workload("idle", 1024, 200, "one-cpu"), THREADS, (PLAIN,), "memory")]


def all_comparisons(quick: bool = False) -> list[Comparison]:
    """Everything; when it is to be quick, streams with messages of one size only."""
    rows: list[Comparison] = []
    for placement in PLACEMENTS:
        for size in SIZES:
            rows += one_connection(size, placement)
            if size == 1024:
                rows += formats(placement)
        for connections in CROWDS:
            rows += crowd(connections, placement)
        rows += one_way(placement)
    for placement in PLACEMENTS:
        for size in (1024,) if quick else SIZES:
            rows += stream_echo(size, placement)
    for work in ("protobuf-encode", "protobuf-decode"):
        for size in (1024,) if quick else (1024, 65536):
            rows += protobuf(work, size)
    return rows + stream_one_way() + stream_echo(1024, "two-cpu", FIXED_PACE) + engines()


def contenders_by_workload(comparisons: list[Comparison]) -> dict[Workload, list[Contender]]:
    """Who has to run in each workload, the references first, nobody twice."""
    result: dict[Workload, list[Contender]] = {}
    for row in comparisons:
        contenders = result.setdefault(row.workload, [])
        contenders += [one for one in (*row.references, row.contender) if one not in contenders]
    return result
