"""Checks how the runner compares the two engines: `python3 -m unittest` in this directory."""

import json
import unittest

from runner import engines, execution, report, workloads
from runner.execution import RunFailed, Sample
from runner.workloads import ONE_WAY, PLAIN, THREADS, THREADS_ONE_WAY, Comparison, Workload
import test_runner
from test_runner import LATENCY, ONE_CPU, STREAM, latencies, rates, row_of


def idle(*values: float) -> list[Sample]:
    return [Sample(None, None, None, None, None, memory=value) for value in values]


class Engines(unittest.TestCase):
    IDLE = Comparison(Workload("idle", 1024, 200, "one-cpu"), THREADS, (PLAIN,), "memory")
    CALLS = Comparison(ONE_CPU, THREADS, (PLAIN,), "p50")
    EVENTS = Comparison(STREAM.workload, THREADS_ONE_WAY, (ONE_WAY,), "rate")

    def verdict(self, comparison: Comparison, own: list[Sample], other: list[Sample]) -> str:
        return engines.verdict(row_of(comparison, own, other))

    def test_less_than_five_percent_slower_is_no_regression_and_the_rest_is_named(self):
        self.assertEqual(self.verdict(self.CALLS, latencies(104.9), latencies(100)), "no regression")
        self.assertEqual(self.verdict(self.CALLS, latencies(105.1), latencies(100)), "differs by 5 %")
        self.assertEqual(self.verdict(self.CALLS, latencies(50), latencies(100)), "no regression")
        self.assertEqual(self.verdict(self.EVENTS, rates(96), rates(100)), "no regression")
        self.assertEqual(self.verdict(self.EVENTS, rates(60), rates(100)), "differs by 40 %")
        self.assertEqual(self.verdict(self.EVENTS, rates(200), rates(100)), "no regression")

    def test_memory_may_be_a_tenth_more(self):
        self.assertEqual(self.verdict(self.IDLE, idle(109), idle(100)), "no regression")
        self.assertEqual(self.verdict(self.IDLE, idle(300), idle(100)), "differs by 200 %")

    def test_the_summary_counts_the_rows_and_names_those_that_differ(self):
        rows = [row_of(self.CALLS, latencies(10), latencies(10)), row_of(self.IDLE, idle(300), idle(100)), row_of(LATENCY, latencies(13), latencies(10))]
        self.assertEqual(engines.summary(rows), "engines: 1 of 2 rows show no regression with threads; "
                                                "memory of idle, 200 connections, one-cpu differs by 200 %")
        self.assertIsNone(engines.summary(rows[2:]))
        self.assertRegex(report.table(rows, []), r"threads .* plain +1\.00 .* no regression\n")
        self.assertIn("idle, 1,024 bytes, 200 connections, one-cpu: memory, 0.3 KiB with threads\n", report.table(rows, []))

    def test_they_are_compared_in_every_kind_of_work_that_both_can_do(self):
        rows = workloads.engines()
        self.assertEqual({row.metric for row in rows}, set(engines.ALLOWED))
        self.assertEqual({row.workload.work for row in rows}, {"round-trip", "one-way", "stream-echo", "idle"})

    def test_an_idle_answer_has_the_memory_of_a_connection_and_nothing_else(self):
        answer = {"memory_bytes": 4096.5, "connections": 200}
        self.assertEqual(execution.parse(json.dumps(answer), "idle", seconds=1), Sample(None, None, None, None, None, 4096.5))
        for wrong in (test_runner.Answers.GOOD, answer | {"memory_bytes": 0}, answer | {"rate": 1}):
            with self.assertRaises(RunFailed):
                execution.parse(json.dumps(wrong), "idle", seconds=1)


if __name__ == "__main__":
    unittest.main()
