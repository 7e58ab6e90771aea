"""Checks the runner's own arithmetic and its judgement of programs: `python3 -m unittest` in this directory."""

import contextlib
import io
import json
import os
import sys
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

import run as command_line
from runner import budgets, execution, report, workloads
from runner.execution import RunFailed, Sample
from runner.summary import Row, exit_status, make_row, middle
from runner.workloads import ASYNC, EPOLL, ONE_WAY, PLAIN, WRITE_BATCH, Comparison, Workload

ONE_CPU = Workload("round-trip", 1024, 1, "one-cpu")
LATENCY = Comparison(ONE_CPU, PLAIN, EPOLL, "p50")
STREAM = Comparison(Workload("one-way", 1024, 1, "one-cpu"), ONE_WAY, WRITE_BATCH, "rate")


def latencies(*values: float) -> list[Sample]:
    return [Sample(p50=value, p99=2 * value, rate=1e6 / value, cpu=value) for value in values]


def rates(*values: float) -> list[Sample]:
    return [Sample(p50=None, p99=None, rate=value, cpu=1.0) for value in values]


def row_of(comparison: Comparison, own: list[Sample], floor: list[Sample]) -> Row:
    samples = {(comparison.workload, comparison.contender): own, (comparison.workload, comparison.reference): floor}
    return make_row(comparison, samples, {}, rounds=len(own))


class Arithmetic(unittest.TestCase):
    def test_the_median_of_an_odd_number_is_the_middle_one(self):
        self.assertEqual(middle([9.0, 1.0, 5.0]), 5.0)

    def test_the_median_of_an_even_number_lies_between_the_middle_two(self):
        self.assertEqual(middle([1.0, 2.0, 4.0, 100.0]), 3.0)

    def test_a_quantity_that_the_work_does_not_have_has_no_median(self):
        self.assertIsNone(middle([None, None, None]))

    def test_the_ratio_is_one_of_medians_and_not_moved_by_one_bad_round(self):
        row = row_of(LATENCY, latencies(11, 900, 12), latencies(10, 10, 500))
        self.assertEqual((row.p50, row.floor), (12, 10))
        self.assertAlmostEqual(row.ratio, 1.2)

    def test_the_range_is_that_of_the_rounds_each_with_its_own_floor(self):
        row = row_of(LATENCY, latencies(10, 30, 40), latencies(10, 10, 20))
        self.assertEqual(row.range, (1.0, 3.0))

    def test_a_rate_is_compared_as_a_rate(self):
        row = row_of(STREAM, rates(80, 70, 60), rates(100, 100, 100))
        self.assertEqual((row.rate, row.floor), (70, 100))
        self.assertAlmostEqual(row.ratio, 0.7)
        self.assertIsNone(row.p50)

    def test_each_number_is_the_median_of_its_own_kind(self):
        own = [Sample(1, 30, 200, 7), Sample(2, 20, 300, 9), Sample(3, 10, 100, 8)]
        row = row_of(LATENCY, own, latencies(1, 1, 1))
        self.assertEqual((row.p50, row.p99, row.rate, row.cpu), (2, 20, 200, 8))


class Budgets(unittest.TestCase):
    def test_a_latency_at_its_limit_is_met_and_above_it_missed(self):
        self.assertIs(row_of(LATENCY, latencies(12, 12, 12), latencies(10, 10, 10)).met, True)
        self.assertIs(row_of(LATENCY, latencies(12.1, 12.1, 12.1), latencies(10, 10, 10)).met, False)

    def test_a_rate_at_its_limit_is_met_and_below_it_missed(self):
        self.assertIs(row_of(STREAM, rates(70, 70, 70), rates(100, 100, 100)).met, True)
        self.assertIs(row_of(STREAM, rates(69, 69, 69), rates(100, 100, 100)).met, False)

    def test_a_row_without_a_budget_is_neither_met_nor_missed(self):
        comparison = Comparison(Workload("round-trip", 64, 1, "one-cpu"), PLAIN, EPOLL, "p50")
        row = row_of(comparison, latencies(99, 99, 99), latencies(1, 1, 1))
        self.assertIsNone(row.budget)
        self.assertIsNone(row.met)

    def test_every_budget_belongs_to_exactly_one_row_of_the_plan(self):
        plan = workloads.all_comparisons()
        for budget in budgets.BUDGETS:
            with self.subTest(budget=budget):
                self.assertEqual(sum(budget.covers(row) for row in plan), 1)

    def test_no_row_is_in_the_plan_twice(self):
        plan = workloads.all_comparisons()
        self.assertEqual(len(plan), len(set(plan)))

    def test_every_program_runs_once_a_workload_and_round(self):
        for workload, contenders in workloads.contenders_by_workload(workloads.all_comparisons()).items():
            with self.subTest(workload=str(workload)):
                self.assertEqual(len(contenders), len(set(contenders)))


class MissingRows(unittest.TestCase):
    def test_a_program_that_failed_fails_its_row_and_keeps_its_sentence(self):
        samples = {(ONE_CPU, EPOLL): latencies(10, 10, 10), (ONE_CPU, PLAIN): latencies(10, 10)}
        row = make_row(LATENCY, samples, {(ONE_CPU, PLAIN): "did not end in time"}, rounds=3)
        self.assertEqual(row.error, "plain did not end in time")
        self.assertEqual((row.p50, row.ratio, row.met), (None, None, None))

    def test_a_failed_floor_fails_every_row_that_refers_to_it(self):
        samples = {(ONE_CPU, PLAIN): latencies(10, 10, 10), (ONE_CPU, ASYNC): latencies(10, 10, 10)}
        for contender in (PLAIN, ASYNC):
            row = make_row(Comparison(ONE_CPU, contender, EPOLL, "p50"), samples, {(ONE_CPU, EPOLL): "broke"}, rounds=3)
            self.assertEqual(row.error, "epoll broke")

    def test_a_round_too_few_fails_the_row(self):
        samples = {(ONE_CPU, EPOLL): latencies(10, 10, 10), (ONE_CPU, PLAIN): latencies(10, 10)}
        self.assertIsNotNone(make_row(LATENCY, samples, {}, rounds=3).error)

    def test_a_failed_row_fails_the_run_and_a_missed_budget_only_a_strict_one(self):
        met = row_of(LATENCY, latencies(10, 10, 10), latencies(10, 10, 10))
        missed = row_of(LATENCY, latencies(20, 20, 20), latencies(10, 10, 10))
        failed = make_row(LATENCY, {}, {}, rounds=3)
        self.assertEqual([exit_status([met], strict) for strict in (False, True)], [0, 0])
        self.assertEqual([exit_status([met, missed], strict) for strict in (False, True)], [0, 3])
        self.assertEqual([exit_status([met, missed, failed], strict) for strict in (False, True)], [1, 1])
        self.assertEqual(exit_status([], False), 1)


class Answers(unittest.TestCase):
    GOOD = {"p50_us": 8.0, "p99_us": 10.0, "rate": 100000.0, "cpu_seconds": 1.0, "messages": 100000}

    def refused(self, work="round-trip", **changes) -> str:
        with self.assertRaises(RunFailed) as caught:
            execution.parse(json.dumps(self.GOOD | changes), work, seconds=1)
        return str(caught.exception)

    def test_a_whole_answer_becomes_a_sample_with_cpu_for_each_message(self):
        sample = execution.parse(json.dumps(self.GOOD), "round-trip", seconds=1)
        self.assertEqual(sample, Sample(8.0, 10.0, 100000.0, 10.0))

    def test_a_one_way_answer_has_no_latencies(self):
        answer = self.GOOD | {"p50_us": None, "p99_us": None}
        self.assertIsNone(execution.parse(json.dumps(answer), "one-way", seconds=1).p50)
        self.assertIn("no answer", self.refused(work="one-way"))

    def test_what_is_not_one_object_is_refused(self):
        for text in ("", "8.0", "{}", "[]", "{} {}", "p50 = 8"):
            with self.subTest(text=text), self.assertRaises(RunFailed):
                execution.parse(text, "round-trip", seconds=1)

    def test_a_missing_or_unknown_key_is_refused(self):
        self.assertIn("keys", self.refused(extra=1))
        answer = {key: value for key, value in self.GOOD.items() if key != "rate"}
        with self.assertRaises(RunFailed):
            execution.parse(json.dumps(answer), "round-trip", seconds=1)

    def test_what_is_not_a_positive_number_is_refused(self):
        for value in (0, -1, None, True, "8", float("nan"), float("inf")):
            with self.subTest(value=value):
                self.assertIn("p50_us", self.refused(p50_us=value))

    def test_a_median_above_the_99th_percentile_is_refused(self):
        self.assertIn("median", self.refused(p50_us=11.0))

    def test_a_rate_in_another_unit_is_refused(self):
        self.assertIn("agree", self.refused(rate=100.0))


class Programs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def program(self, name: str, body: str) -> Path:
        path = self.folder / name
        path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def failure_of(self, path: Path, **limits) -> str:
        with self.assertRaises(RunFailed) as caught:
            execution.run([str(path)], "round-trip", **({"seconds": 1} | limits))
        return str(caught.exception)

    def test_a_status_other_than_zero_is_a_failure_that_quotes_the_first_line(self):
        path = self.program("broken", "print('no CPU 1', file=sys.stderr); sys.exit(4)")
        self.assertEqual(self.failure_of(path), "ended with status 4: no CPU 1")

    def test_a_program_that_is_not_there_is_a_failure(self):
        self.assertIn("could not be started", self.failure_of(self.folder / "absent"))

    def test_a_program_that_hangs_is_ended_together_with_its_children(self):
        child = self.folder / "child"
        path = self.program("hanging", f"""
child = os.fork()
if child: open({str(child)!r}, "w").write(str(child))
time.sleep(600)""")
        self.assertEqual(self.failure_of(path, seconds=0.1, grace=2.0), "did not end in time")
        self.assertTrue(ended(int(child.read_text())))

    def test_the_order_turns_round_and_a_failed_program_is_not_run_again(self):
        log = self.folder / "log"
        note = f"open({str(log)!r}, 'a').write(NAME + '\\n')\n"
        good = f"print({json.dumps(Answers.GOOD)!r})"
        programs = {"floor": self.program("floor", "NAME = 'floor'\n" + note + good),
                    "libuv": self.program("libuv", "NAME = 'libuv'\n" + note + good),
                    "ginnel": self.program("ginnel", "NAME = 'ginnel'\n" + note + "sys.exit(1)")}
        plan = {ONE_CPU: [EPOLL, PLAIN, workloads.LIBUV]}
        samples, failures = command_line.measure(programs, plan, rounds=3, seconds=1)
        self.assertEqual(log.read_text().split(), ["floor", "ginnel", "libuv", "libuv", "floor", "floor", "libuv"])
        self.assertEqual([len(samples[ONE_CPU, one]) for one in (EPOLL, workloads.LIBUV)], [3, 3])
        self.assertEqual(failures, {(ONE_CPU, PLAIN): "ended with status 1: no message"})

    def test_a_missing_program_is_refused_before_anything_is_measured(self):
        complaint = io.StringIO()
        arguments = ["run.py", "--ginnel", str(self.folder / "absent")]
        with unittest.mock.patch.object(sys, "argv", arguments), contextlib.redirect_stderr(complaint):
            with self.assertRaises(SystemExit) as caught:
                command_line.parse_arguments()
        self.assertEqual(caught.exception.code, 2)
        self.assertIn("build it with", complaint.getvalue())


class Report(unittest.TestCase):
    ROWS = [row_of(LATENCY, latencies(13, 13, 13), latencies(10, 10, 10)),
            row_of(STREAM, rates(70, 70, 70), rates(100, 100, 100)),
            make_row(LATENCY, {}, {(ONE_CPU, PLAIN): "did not end in time"}, rounds=3)]

    def test_the_table_says_pass_miss_and_failed(self):
        text = report.table(self.ROWS)
        self.assertRegex(text, r"plain .* epoll +1\.30 .* ≤ 1\.20 +miss\n")
        self.assertRegex(text, r"plain .* 64-a-writev +0\.70 .* ≥ 0\.70 +pass\n")
        self.assertIn("FAILED against epoll: plain did not end in time", text)
        self.assertIn("budgets: 1 met, 1 missed; rows: 1 of 3 failed", text)

    def test_the_json_has_one_object_a_row_with_the_keys_that_are_promised(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "new" / "results.json"
            report.write_json(self.ROWS, path)
            objects = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual(len(objects), 3)
        promised = {"work", "size", "connections", "placement", "variant", "against", "metric", "p50", "p99", "rate",
                    "cpu", "floor", "ratio", "range", "budget", "met", "error"}
        self.assertTrue(all(set(one) == promised for one in objects))
        self.assertEqual([one["met"] for one in objects], [False, True, None])


def ended(process: int, limit: float = 10.0) -> bool:
    """Whether the process has ended (a zombie has); its killer need not be its parent, so there is nothing to wait on."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        os.sched_yield()
    return False


if __name__ == "__main__":
    unittest.main()
