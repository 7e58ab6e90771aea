"""Checks the runner's own arithmetic and its judgement of programs: `python3 -m unittest` in this directory."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

import run as command_line
from runner import budgets, execution, report, workloads
from runner.execution import RunFailed, Sample
from runner.budgets import Target
from runner.summary import Row, TargetRow, exit_status, make_row, make_target_row, middle
from runner.workloads import (ARRAYS_SPIN, ASYNC, CALL_SPIN, EPOLL, EVENTFD, FUTEX, ONE_WAY, PLAIN, SLEEPING, SPINNING, STREAM_SLEEP, STREAM_SPIN, WRITE_BATCH,
                              Comparison, Workload, echo)

ONE_CPU = Workload("round-trip", 1024, 1, "one-cpu")
LATENCY = Comparison(ONE_CPU, PLAIN, (EPOLL,), "p50")
STREAM = Comparison(Workload("one-way", 1024, 1, "one-cpu"), ONE_WAY, (WRITE_BATCH,), "rate")
ECHO = echo(1024, "two-cpu")
CALL = Comparison(ECHO, CALL_SPIN, (SPINNING,), "p50")
SLEEP = Comparison(ECHO, STREAM_SLEEP, SLEEPING, "p50")


def latencies(*values: float) -> list[Sample]:
    return [Sample(p50=value, p99=2 * value, mean=1.5 * value, rate=1e6 / value, cpu=value) for value in values]


def rates(*values: float) -> list[Sample]:
    return [Sample(p50=None, p99=None, mean=None, rate=value, cpu=1.0) for value in values]


def row_of(comparison: Comparison, own: list[Sample], *floors: list[Sample]) -> Row:
    samples = {(comparison.workload, comparison.contender): own}
    samples |= {(comparison.workload, one): floor for one, floor in zip(comparison.references, floors, strict=True)}
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
        own = [Sample(1, 30, 6, 200, 7), Sample(2, 20, 5, 300, 9), Sample(3, 10, 4, 100, 8)]
        row = row_of(LATENCY, own, latencies(1, 1, 1))
        self.assertEqual((row.p50, row.p99, row.mean, row.rate, row.cpu), (2, 20, 5, 200, 8))

    def test_of_several_references_the_better_one_counts_by_its_median(self):
        slow_but_once_fast, fast_but_once_slow = latencies(50, 60, 10), latencies(40, 40, 900)
        row = row_of(SLEEP, latencies(44, 44, 44), slow_but_once_fast, fast_but_once_slow)
        self.assertEqual((row.against, row.floor), ("futex/eventfd", 40))
        self.assertEqual(row.range, (44 / 900, 1.1))
        self.assertEqual(row_of(SLEEP, latencies(44, 44, 44), fast_but_once_slow, slow_but_once_fast).floor, 40)

    def test_of_several_references_the_one_with_the_higher_rate_is_the_better(self):
        comparison = Comparison(STREAM.workload, ONE_WAY, SLEEPING, "rate")
        self.assertEqual(row_of(comparison, rates(5, 5, 5), rates(8, 9, 7), rates(10, 11, 12)).floor, 11)


class Budgets(unittest.TestCase):
    def test_a_latency_at_its_limit_is_met_and_above_it_missed(self):
        self.assertIs(row_of(LATENCY, latencies(12, 12, 12), latencies(10, 10, 10)).met, True)
        self.assertIs(row_of(LATENCY, latencies(12.1, 12.1, 12.1), latencies(10, 10, 10)).met, False)

    def test_a_rate_at_its_limit_is_met_and_below_it_missed(self):
        self.assertIs(row_of(STREAM, rates(70, 70, 70), rates(100, 100, 100)).met, True)
        self.assertIs(row_of(STREAM, rates(69, 69, 69), rates(100, 100, 100)).met, False)

    def test_a_row_without_a_budget_is_neither_met_nor_missed(self):
        comparison = Comparison(Workload("round-trip", 64, 1, "one-cpu"), PLAIN, (EPOLL,), "p50")
        row = row_of(comparison, latencies(99, 99, 99), latencies(1, 1, 1))
        self.assertIsNone(row.budget)
        self.assertIsNone(row.met)

    def test_an_excess_is_judged_by_the_difference_and_not_by_the_ratio(self):
        at_the_limit = row_of(CALL, latencies(1.75, 1.75, 1.75), latencies(0.25, 0.25, 0.25))
        self.assertEqual((at_the_limit.budget, at_the_limit.kind, at_the_limit.ratio, at_the_limit.met), (1.5, "excess", 7.0, True))
        self.assertIs(row_of(CALL, latencies(1.76, 1.76, 1.76), latencies(0.25, 0.25, 0.25)).met, False)
        self.assertIs(row_of(CALL, latencies(3, 3, 3), latencies(2.5, 2.5, 2.5)).met, True)

    def test_a_budget_is_for_one_pace(self):
        paced = Comparison(echo(1024, "two-cpu", 1000), STREAM_SLEEP, SLEEPING, "p50")
        self.assertIsNotNone(budgets.budget_of(SLEEP))
        self.assertIsNone(budgets.budget_of(paced))

    def test_every_budget_belongs_to_exactly_one_row_of_the_plan_also_when_it_is_quick(self):
        for quick in (False, True):
            plan = workloads.all_comparisons(quick)
            for budget in budgets.BUDGETS:
                with self.subTest(budget=budget, quick=quick):
                    self.assertEqual(sum(budget.covers(row) for row in plan), 1)

    def test_every_mode_of_every_target_is_measured_also_when_it_is_quick(self):
        for quick in (False, True):
            self.assertEqual(command_line.chosen(quick, None)[1], list(budgets.TARGETS))

    def test_a_target_is_left_out_where_not_all_of_its_modes_are_measured(self):
        rows, targets = command_line.chosen(False, "stream-one-way")
        self.assertEqual({row.workload for row in rows}, {workloads.STREAM_ONE_WAY})
        self.assertEqual([target.metric for target in targets], ["rate"])

    def test_a_quick_plan_is_part_of_the_whole_one(self):
        self.assertLess(set(workloads.all_comparisons(quick=True)), set(workloads.all_comparisons()))

    def test_nobody_spins_where_both_sides_have_one_processor(self):
        for row in workloads.all_comparisons():
            if row.workload.work.startswith("stream") and row.workload.placement == "one-cpu":
                for one in (row.contender, *row.references):
                    self.assertNotIn(one, (SPINNING, STREAM_SPIN, ARRAYS_SPIN, CALL_SPIN))

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
            row = make_row(Comparison(ONE_CPU, contender, (EPOLL,), "p50"), samples, {(ONE_CPU, EPOLL): "broke"}, rounds=3)
            self.assertEqual(row.error, "epoll broke")

    def test_one_failed_reference_of_several_fails_the_row(self):
        samples = {(ECHO, STREAM_SLEEP): latencies(10, 10, 10), (ECHO, FUTEX): latencies(10, 10, 10)}
        self.assertEqual(make_row(SLEEP, samples, {(ECHO, EVENTFD): "broke"}, rounds=3).error, "eventfd broke")
        self.assertEqual(make_row(SLEEP, samples, {}, rounds=3).error, "eventfd did not run in every round")

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


class Targets(unittest.TestCase):
    MODES = ((ECHO, STREAM_SPIN), (ECHO, STREAM_SLEEP), (echo(1024, "two-cpu", 1000), STREAM_SLEEP))
    MEAN = Target("on average at most 15 µs", "mean", 15, MODES)

    def row(self, target: Target, *values: float) -> TargetRow:
        samples = {mode: latencies(value, value, value) for mode, value in zip(self.MODES, values, strict=True)}
        return make_target_row(target, samples, {}, rounds=3)

    def test_a_target_is_met_by_one_mode_and_says_which_do_and_which_do_not(self):
        row = self.row(self.MEAN, 10, 10.1, 20)
        self.assertEqual(row.met_by, {"stream-spin two-cpu": 15})
        self.assertEqual(list(row.missed_by), ["stream-sleep two-cpu", "stream-sleep two-cpu at 1,000 a second"])
        self.assertIs(row.met, True)

    def test_a_target_that_no_mode_meets_is_missed_and_fails_a_strict_run(self):
        row = self.row(self.MEAN, 11, 12, 13)
        self.assertIs(row.met, False)
        self.assertEqual([exit_status([row], strict) for strict in (False, True)], [0, 3])

    def test_a_rate_meets_its_target_from_below_up(self):
        target = Target("at least 100,000 a second", "rate", 100_000, self.MODES)
        self.assertEqual(list(self.row(target, 10, 9, 11).met_by), ["stream-spin two-cpu", "stream-sleep two-cpu"])

    def test_a_target_with_a_mode_that_failed_has_failed(self):
        samples = {mode: latencies(1, 1, 1) for mode in self.MODES}
        row = make_target_row(self.MEAN, samples, {self.MODES[1]: "broke"}, rounds=3)
        self.assertEqual((row.error, row.met, row.met_by), ("stream-sleep broke", None, {}))
        self.assertEqual(exit_status([row], False), 1)


class Answers(unittest.TestCase):
    GOOD = {"p50_us": 8.0, "p99_us": 10.0, "mean_us": 9.0, "rate": 100000.0, "cpu_seconds": 1.0, "messages": 100000}

    def refused(self, work="round-trip", **changes) -> str:
        with self.assertRaises(RunFailed) as caught:
            execution.parse(json.dumps(self.GOOD | changes), work, seconds=1)
        return str(caught.exception)

    def test_a_whole_answer_becomes_a_sample_with_cpu_for_each_message(self):
        sample = execution.parse(json.dumps(self.GOOD), "round-trip", seconds=1)
        self.assertEqual(sample, Sample(8.0, 10.0, 9.0, 100000.0, 10.0))

    def test_a_one_way_answer_has_no_latencies(self):
        for work in ("one-way", "stream-one-way"):
            more = {"messages_per_write": 60.5} if work == "one-way" else {}
            answer = self.GOOD | more | {"p50_us": None, "p99_us": None, "mean_us": None}
            self.assertIsNone(execution.parse(json.dumps(answer), work, seconds=1).p50)
            self.assertIn("no answer", self.refused(work=work, **more))
            for key in execution.LATENCIES:
                self.assertIn("no answer", self.refused(**(answer | {"work": work, key: 1.0})))

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


class Floors(unittest.TestCase):
    """The bare ring keeps the contract of a program; two processors are not needed for that."""

    FLOOR = command_line.OUTPUT / "floor"

    @classmethod
    def setUpClass(cls):
        make = subprocess.run(["make", "--silent", "-C", str(command_line.HERE), str(Path("../.build/bench/floor"))], check=False)
        assert make.returncode == 0

    def test_a_ring_carries_messages_of_every_size_to_sides_that_sleep(self):
        for mode in ("futex", "eventfd"):
            for size in (9, 65536):
                for work, pace in (("stream-echo", 0), ("stream-echo", 1000), ("stream-one-way", 0)):
                    with self.subTest(mode=mode, size=size, work=work, pace=pace):
                        command = [str(self.FLOOR), "--work", work, "--mode", mode, "--size", str(size), "--pace", str(pace)]
                        sample = execution.run(command, work, seconds=0.1)
                        self.assertEqual(sample.p50 is None, work == "stream-one-way")

    def test_a_pace_is_kept(self):
        sample = execution.run([str(self.FLOOR), "--work", "stream-echo", "--mode", "futex", "--pace", "100"], "stream-echo", seconds=0.1)
        self.assertLess(sample.rate, 150)

    def test_what_cannot_be_measured_is_refused_as_an_argument(self):
        for arguments in ("--work stream-echo", "--work round-trip --mode futex", "--work stream-echo --mode spinning --placement one-cpu",
                          "--work stream-echo --mode futex --size 4", "--work stream-one-way --mode futex --pace 10",
                          "--work stream-echo --mode futex --connections 2", "--work round-trip --mode epoll --pace 10", "--mode steam"):
            with self.subTest(arguments=arguments):
                done = subprocess.run([str(self.FLOOR), *arguments.split()], capture_output=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, b""))


class Report(unittest.TestCase):
    ROWS = [row_of(LATENCY, latencies(13, 13, 13), latencies(10, 10, 10)),
            row_of(STREAM, rates(70, 70, 70), rates(100, 100, 100)),
            make_row(LATENCY, {}, {(ONE_CPU, PLAIN): "did not end in time"}, rounds=3)]

    def test_the_table_says_pass_miss_and_failed(self):
        text = report.table(self.ROWS, [])
        self.assertRegex(text, r"plain .* epoll +1\.30 .* ≤ 1\.20 +miss\n")
        self.assertRegex(text, r"plain .* 64-a-writev +0\.70 .* ≥ 0\.70 +pass\n")
        self.assertIn("FAILED against epoll: plain did not end in time", text)
        self.assertIn("budgets: 1 met, 1 missed; targets: 0 met, 0 missed; rows: 1 of 3 failed", text)

    def test_the_table_says_what_an_excess_may_be_and_at_what_pace_a_row_ran(self):
        paced = Comparison(echo(1024, "two-cpu", 1000), STREAM_SLEEP, SLEEPING, "p50")
        text = report.table([row_of(CALL, latencies(1, 1, 1), latencies(0.25, 0.25, 0.25)),
                             row_of(paced, latencies(40, 40, 40), latencies(30, 30, 30), latencies(40, 40, 40))], [])
        self.assertRegex(text, r"call-spin .* spinning +4\.00 .* ≤ \+1\.50 µs +pass\n")
        self.assertIn("stream-echo, 1,024 bytes, 1 connection, two-cpu, 1,000 a second: p50\n", text)

    def test_the_table_names_the_modes_that_meet_a_target(self):
        text = report.table(self.ROWS[:1], [TargetRow("quick enough", "mean", 15, {"stream-spin two-cpu": 0.5}, {"stream-sleep two-cpu": 40.0}),
                                            TargetRow("never", "p99", 1, {}, {"stream-spin two-cpu": 3.0}),
                                            TargetRow("unknown", "p99", 1, error="stream-spin broke")])
        self.assertIn("target, quick enough: pass\n  met by    stream-spin two-cpu (0.50)\n  missed by stream-sleep two-cpu (40.0)\n", text)
        self.assertIn("target, never: miss\n  missed by stream-spin two-cpu (3.00)\n", text)
        self.assertIn("target, unknown\n  FAILED: stream-spin broke\n", text)
        self.assertIn("budgets: 0 met, 1 missed; targets: 1 met, 1 missed; rows: 1 of 4 failed", text)

    def test_the_json_has_one_object_a_row_with_the_keys_that_are_promised(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "new" / "results.json"
            report.write_json([*self.ROWS, TargetRow("never", "p99", 1, {}, {"stream-spin two-cpu": 3.0})], path)
            *objects, target = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual(len(objects), 3)
        promised = {"gathered", "work", "size", "connections", "placement", "pace", "variant", "against", "metric", "p50", "p99", "mean", "rate",
                    "cpu", "memory", "floor", "ratio", "range", "budget", "kind", "met", "error"}
        self.assertTrue(all(set(one) == promised for one in objects))
        self.assertEqual([one["met"] for one in objects], [False, True, None])
        self.assertEqual(target, {"target": "never", "metric": "p99", "limit": 1, "met_by": {}, "missed_by": {"stream-spin two-cpu": 3.0},
                                  "error": None, "met": False})


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
