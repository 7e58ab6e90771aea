"""From samples to rows: medians over the rounds, ratios of the medians, verdicts. No side effects."""

from dataclasses import asdict, dataclass
from statistics import median

from .budgets import is_met, limit_of
from .execution import Sample
from .workloads import Comparison, Contender, Workload

Key = tuple[Workload, Contender]


@dataclass(frozen=True)
class Row:
    """One comparison; the keys of results.json, described in README.md."""

    work: str
    size: int
    connections: int
    placement: str
    variant: str
    against: str
    metric: str
    p50: float | None = None
    p99: float | None = None
    rate: float | None = None
    cpu: float | None = None
    floor: float | None = None
    ratio: float | None = None
    range: tuple[float, float] | None = None
    budget: float | None = None
    met: bool | None = None
    error: str | None = None

    def as_dictionary(self) -> dict:
        return asdict(self)


def middle(values: list[float | None]) -> float | None:
    """The median, or None for a quantity that the work does not have."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def make_row(row: Comparison, samples: dict[Key, list[Sample]], failures: dict[Key, str], rounds: int) -> Row:
    """A row is whole or failed: it has numbers only when both programs completed every round."""
    workload = row.workload
    identity = (workload.work, workload.size, workload.connections, workload.placement,
                row.contender.name, row.reference.name, row.metric)
    budget = limit_of(row)
    for one in (row.contender, row.reference):
        key = (workload, one)
        if key in failures:
            return Row(*identity, budget=budget, error=f"{one.name} {failures[key]}")
        if len(samples.get(key, [])) != rounds:
            return Row(*identity, budget=budget, error=f"{one.name} did not run in every round")

    own, reference = samples[workload, row.contender], samples[workload, row.reference]
    own_metric = [getattr(sample, row.metric) for sample in own]
    floor_metric = [getattr(sample, row.metric) for sample in reference]
    by_round = [mine / theirs for mine, theirs in zip(own_metric, floor_metric)]
    floor = median(floor_metric)
    ratio = median(own_metric) / floor
    return Row(
        *identity,
        p50=middle([sample.p50 for sample in own]),
        p99=middle([sample.p99 for sample in own]),
        rate=median(sample.rate for sample in own),
        cpu=median(sample.cpu for sample in own),
        floor=floor,
        ratio=ratio,
        range=(min(by_round), max(by_round)),
        budget=budget,
        met=None if budget is None else is_met(row.metric, ratio, budget))


def exit_status(rows: list[Row], strict: bool) -> int:
    """1 when a row failed, 3 when all rows are there but a budget is missed and that is asked to matter, else 0."""
    if not rows or any(row.error is not None for row in rows):
        return 1
    return 3 if strict and any(row.met is False for row in rows) else 0
