"""Shows the table of clauses two runs that agree, and each way in which they can fail to."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import conformance_table
from conformance_table import parse, problems, table, totals

END = "2 passed, 0 failed, 0 skipped\n"
PORTABLE = "# suite channels\nok - it reads\nok - it writes\n"
POSIX = "# suite files\n# only here modes\n# elsewhere pipes\nok - it has a mode\n"
WINDOWS = "# suite pipes\n# only here instances\n# elsewhere files\nok - it has instances\n"


class TableTests(unittest.TestCase):
    def found(self, first, second):
        return problems(parse("Linux", first), parse("Wine", second))

    def test_two_runs_that_agree_are_a_proof(self):
        self.assertEqual(self.found("cc -c x.c\n" + PORTABLE + POSIX + END, PORTABLE + WINDOWS + END), [])

    def test_a_portable_clause_is_on_both_sides(self):
        less = PORTABLE.replace("ok - it writes\n", "")
        self.assertEqual(self.found(PORTABLE + END, less + END), ["missing on Wine: it writes"])
        self.assertEqual(self.found(less + END, PORTABLE + END), ["missing on Linux: it writes"])

    def test_a_suite_on_one_side_gives_a_reason(self):
        bare = POSIX.replace("# only here modes\n", "")
        self.assertEqual(self.found(PORTABLE + bare + END, PORTABLE + WINDOWS + END), ["missing on Wine: it has a mode"])

    def test_a_clause_that_both_sides_have_belongs_to_a_portable_suite(self):
        both = WINDOWS + "ok - it has a mode\n"
        self.assertEqual(self.found(PORTABLE + POSIX + END, PORTABLE + both + END), [
            "said to be on Linux only, and on Wine too: it has a mode", "said to be on Wine only, and on Linux too: it has a mode"])

    def test_a_counterpart_exists(self):
        self.assertEqual(self.found(PORTABLE + POSIX + END, PORTABLE + END), ["suite files of Linux names a suite pipes, which Wine does not have"])

    def test_a_failure_and_its_reason_are_told(self):
        failed = PORTABLE.replace("ok - it writes", "not ok - it writes # a.c:1: x == y")
        self.assertEqual(self.found(PORTABLE + END, failed + END), ["failed on Wine: it writes (a.c:1: x == y)"])

    def test_a_run_that_was_cut_off_is_none(self):
        self.assertEqual(self.found(PORTABLE + END, PORTABLE), ["the run on Wine was cut off"])
        self.assertEqual(len(self.found("", "")), 2)

    def test_a_name_stands_for_one_clause(self):
        twice = PORTABLE + "ok - it reads\n"
        self.assertEqual(self.found(twice + END, PORTABLE + END), ["twice on Linux: it reads"])

    def test_what_is_skipped_is_listed_with_its_reason_and_counts_as_neither(self):
        skipped = PORTABLE.replace("ok - it writes", "ok - it writes # SKIP Wine does not")
        first, second = parse("Linux", PORTABLE + END), parse("Wine", skipped + END)
        self.assertEqual(problems(first, second), [])
        self.assertIn("ok      skip    it writes", table(first, second))
        text = "\n".join(totals(first, second))
        self.assertIn("   1 clauses hold on both", text)
        self.assertIn("   1 were skipped on Wine:\n         it writes\n             because: Wine does not", text)

    def test_the_table_has_every_clause_once(self):
        lines = table(parse("Linux", PORTABLE + POSIX + END), parse("Wine", PORTABLE + WINDOWS + END))
        for row in ("ok      ok      it reads", "ok      ok      it writes", "ok      -       it has a mode", "-       ok      it has instances"):
            self.assertEqual(lines.count(row), 1, row)

    def test_the_exit_status_is_the_verdict(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed:
            whole, less = Path(folder, "whole"), Path(folder, "less")
            whole.write_text(PORTABLE + END)
            less.write_text(PORTABLE.replace("ok - it reads\n", "") + END)
            self.assertEqual(conformance_table.main([f"Linux={whole}", f"Wine={whole}"]), 0)
            self.assertEqual(conformance_table.main([f"Linux={whole}", f"Wine={less}"]), 1)
        self.assertIn("problem: missing on Wine: it reads", printed.getvalue())


if __name__ == "__main__":
    unittest.main()
