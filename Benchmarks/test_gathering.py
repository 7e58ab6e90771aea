"""Checks how many messages share a system call, as programs report it and as it is compared."""

import json
import subprocess
import unittest
from pathlib import Path

import run as command_line
import test_runner
from runner import execution, report
from runner.execution import Sample
from runner.workloads import ONE_WAY, PLACEMENTS, WRITE_BATCH, Comparison, Workload, all_comparisons

GATHERED = Comparison(Workload("one-way", 1024, 1, "one-cpu"), ONE_WAY, (WRITE_BATCH,), "gathered")


class Gathering(unittest.TestCase):
    refused = test_runner.Answers.refused
    GOOD = test_runner.Answers.GOOD

    def test_one_way_messages_say_how_many_share_a_system_call_and_nothing_else_does(self):
        answer = self.GOOD | {"p50_us": None, "p99_us": None, "mean_us": None, "messages_per_write": 60.5}
        self.assertEqual(execution.parse(json.dumps(answer), "one-way", seconds=1).gathered, 60.5)
        self.assertIn("messages_per_write", self.refused(work="one-way"))
        for work in ("round-trip", "stream-one-way"):
            self.assertIn("keys", self.refused(work=work, messages_per_write=60.5))

    def test_the_floor_counts_its_system_calls(self):
        make = subprocess.run(["make", "--silent", "-C", str(command_line.HERE), str(Path("../.build/bench/floor"))], check=False)
        self.assertEqual(make.returncode, 0)
        for batch in (1, 64):
            command = [str(command_line.OUTPUT / "floor"), "--work", "one-way", "--batch", str(batch)]
            self.assertEqual(execution.run(command, "one-way", seconds=0.1).gathered, batch)

    def test_a_row_compares_it_with_the_floor_and_says_how_many_they_are(self):
        def samples(*values: float) -> list[Sample]:
            return [Sample(p50=None, p99=None, mean=None, rate=1.0, cpu=1.0, gathered=value) for value in values]

        row = test_runner.row_of(GATHERED, samples(60, 61, 48), samples(64, 64, 64))
        self.assertEqual((row.gathered, row.floor, row.ratio), (60, 64, 60 / 64))
        self.assertIn("gathered, 60.0 messages a system call", report.table([row], []))

    def test_there_is_one_for_each_placement(self):
        self.assertEqual([row.workload.placement for row in all_comparisons() if row.metric == "gathered"], list(PLACEMENTS))


if __name__ == "__main__":
    unittest.main()
