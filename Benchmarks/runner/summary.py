"""From samples to rows: medians over the rounds, ratios of the medians, verdicts. No side effects."""

from dataclasses import asdict, dataclass, field
from statistics import median

from .budgets import MORE_IS_BETTER, Target, budget_of, is_met
from .execution import Sample
from .workloads import Comparison, Contender, Workload

Key = tuple[Workload, Contender]
Samples = dict[Key, list[Sample]]


@dataclass(frozen=True)
class Row:
    """One comparison; the keys of results.json, described in README.md."""

    work: str
    size: int
    connections: int
    placement: str
    pace: int
    variant: str
    against: str
    metric: str
    p50: float | None = None
    p99: float | None = None
    mean: float | None = None
    rate: float | None = None
    cpu: float | None = None
    memory: float | None = None
    gathered: float | None = None
    floor: float | None = None
    ratio: float | None = None
    range: tuple[float, float] | None = None
    budget: float | None = None
    kind: str | None = None
    met: bool | None = None
    error: str | None = None

    def as_dictionary(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class TargetRow:
    """One target: the modes that meet it and those that do not, with what they reached."""

    target: str
    metric: str
    limit: float
    met_by: dict[str, float] = field(default_factory=dict)
    missed_by: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def met(self) -> bool | None:
        return None if self.error else bool(self.met_by)

    def as_dictionary(self) -> dict:
        return asdict(self) | {"met": self.met}


def middle(values: list[float | None]) -> float | None:
    """The median, or None for a quantity that the work does not have."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def why_incomplete(keys: list[Key], samples: Samples, failures: dict[Key, str], rounds: int) -> str | None:
    """A row is whole or failed: it has numbers only when all its programs completed every round."""
    for key in keys:
        name = key[1].name
        if key in failures:
            return f"{name} {failures[key]}"
        if len(samples.get(key, [])) != rounds:
            return f"{name} did not run in every round"
    lengths = {sample.message for key in keys for sample in samples[key]}
    if len(lengths) > 1:
        return f"the programs' messages differ in length: {', '.join(map(str, sorted(lengths)))} bytes"
    return None


def make_row(row: Comparison, samples: Samples, failures: dict[Key, str], rounds: int) -> Row:
    workload = row.workload
    identity = (workload.work, workload.size, workload.connections, workload.placement, workload.pace,
                row.contender.name, row.against, row.metric)
    budget = budget_of(row)
    judged_by = {"budget": budget.limit, "kind": budget.kind} if budget else {}
    error = why_incomplete([(workload, one) for one in (row.contender, *row.references)], samples, failures, rounds)
    if error:
        return Row(*identity, **judged_by, error=error)

    def values(one: Contender) -> list[float]:
        return [getattr(sample, row.metric) for sample in samples[workload, one]]

    best = max if row.metric in MORE_IS_BETTER else min
    own, floors = values(row.contender), best(map(values, row.references), key=median)
    floor = median(floors)
    ratio = median(own) / floor
    by_round = [mine / theirs for mine, theirs in zip(own, floors)]
    value = median(own) - floor if budget and budget.kind == "excess" else ratio
    runs = samples[workload, row.contender]
    return Row(
        *identity,
        p50=middle([sample.p50 for sample in runs]),
        p99=middle([sample.p99 for sample in runs]),
        mean=middle([sample.mean for sample in runs]),
        rate=middle([sample.rate for sample in runs]),
        cpu=middle([sample.cpu for sample in runs]),
        memory=middle([sample.memory for sample in runs]),
        gathered=middle([sample.gathered for sample in runs]),
        floor=floor,
        ratio=ratio,
        range=(min(by_round), max(by_round)),
        **judged_by,
        met=is_met(row.metric, value, budget.limit) if budget else None)


def make_target_row(target: Target, samples: Samples, failures: dict[Key, str], rounds: int) -> TargetRow:
    error = why_incomplete(list(target.modes), samples, failures, rounds)
    if error:
        return TargetRow(target.name, target.metric, target.limit, error=error)
    reached = {mode_name(*mode): median(getattr(sample, target.metric) for sample in samples[mode]) for mode in target.modes}
    met_by = {name: value for name, value in reached.items() if is_met(target.metric, value, target.limit)}
    missed_by = {name: value for name, value in reached.items() if name not in met_by}
    return TargetRow(target.name, target.metric, target.limit, met_by, missed_by)


def mode_name(workload: Workload, contender: Contender) -> str:
    return f"{contender.name} {workload.placement}" + (f" at {workload.pace:,} a second" if workload.pace else "")


def exit_status(rows: list[Row | TargetRow], strict: bool) -> int:
    """1 when a row failed, 3 when all rows are there but a budget or a target is missed and that is asked to matter, else 0."""
    if not rows or any(row.error is not None for row in rows):
        return 1
    return 3 if strict and any(row.met is False for row in rows) else 0
