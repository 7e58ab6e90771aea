"""Checks how the runner reads programs that make their messages themselves: `python3 -m unittest` in this directory."""

import json
import unittest

from runner import execution, workloads
from runner.execution import RunFailed, Sample
from runner.summary import make_row
import test_runner


class Protobuf(unittest.TestCase):
    def test_programs_that_make_their_messages_say_how_long_they_are(self):
        answer = test_runner.Answers.GOOD | {"message_bytes": 1084}
        self.assertEqual(execution.parse(json.dumps(answer), "protobuf-encode", seconds=1).message, 1084)
        with self.assertRaises(RunFailed):
            execution.parse(json.dumps(test_runner.Answers.GOOD), "protobuf-encode", seconds=1)

    def test_messages_of_different_lengths_fail_the_row(self):
        row = workloads.protobuf("protobuf-encode", 1024)[0]
        samples = {(row.workload, one): [Sample(8.0, 10.0, 9.0, 100000.0, 10.0, message=length)]
                   for one, length in ((workloads.PROTOBUF, 1084), (workloads.OUR_PROTOBUF, 1085))}
        self.assertEqual(make_row(row, samples, {}, rounds=1).error, "the programs' messages differ in length: 1084, 1085 bytes")


if __name__ == "__main__":
    unittest.main()
