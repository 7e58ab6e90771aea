"""Shows every check a small repository that keeps its rule and one that breaks it."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from checks import documents, house
from checks.repository import Repository


class RepositoryTests(unittest.TestCase):
    """A small repository to be written and looked at."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.write("scripts/allowed-traps.txt", "")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def found(self, rule):
        return [f"{finding.path}:{finding.line}" for finding in rule(Repository(self.root))]


class CheckTests(RepositoryTests):
    def test_platform_conditions_stand_in_manifests_only(self):
        self.write("Package.swift", "#if os(Linux)\n#endif\n")
        self.write("Sources/A.swift", "// #if os(Linux)\n#if canImport(Glibc)\n#elseif os(macOS)\n#endif\n")
        self.assertEqual(self.found(house.platform_conditions), ["Sources/A.swift:3"])

    def test_lower_layers_import_nothing_of_the_system(self):
        self.write("Sources/GinnelCore/A.swift", "internal import CGinnelChecksum\npublic import Glibc\n@preconcurrency import Foundation\n")
        self.write("Sources/GinnelTransport/A.swift", "package import GinnelCore\nimport struct Darwin.stat\n")
        self.write("Sources/Ginnel/A.swift", "import Foundation\n")
        self.write("Sources/CGinnelPlatform/a.c", '#include "ginnel_checksum.h"\n')
        self.assertEqual(self.found(house.imports), [
            "Sources/GinnelCore/A.swift:2", "Sources/GinnelCore/A.swift:3", "Sources/GinnelTransport/A.swift:2", "Sources/CGinnelPlatform/a.c:1"])

    def test_tasks_without_a_parent_are_made_in_one_file(self):
        self.write(house.TASK_FILE, "let task = Task { }\n")
        self.write("Sources/Ginnel/A.swift", "let task: Task<Void, Never>\nTask { }\nTask.detached { }\nTask(priority: .low) { }\nTask<Void, Never> { }\nwithTaskGroup { }\n")
        self.assertEqual(self.found(house.unstructured_tasks), [f"Sources/Ginnel/A.swift:{line}" for line in (2, 3, 4, 5)])

    def test_time_and_chance_are_asked_for_where_a_simulation_answers(self):
        self.write("Sources/Ginnel/A.swift", "try await Task.sleep(for: a)\ntry await System.sleep(for: a)\nlet b = UInt64.random(in: 0...1)\n")
        self.write("Sources/Ginnel/Processes/B.swift", "try await Task.sleep(for: a)\n")
        self.write("Sources/GinnelTransport/Platform/System.swift", "try await Task.sleep(for: a)\n")
        self.assertEqual(self.found(house.real_time), ["Sources/Ginnel/A.swift:1", "Sources/Ginnel/A.swift:3"])

    def test_what_can_trap_is_on_the_list(self):
        self.write("Sources/GinnelCore/A.swift", 'if !a, a != b { c! }\ntry! d()\nprecondition(e)\nlet text = "no precondition(here)!"  // fatalError("nor here")\nf as! G\n')
        self.write("scripts/allowed-traps.txt", "# path | code | reason\nSources/GinnelCore/A.swift | precondition(e) | because\n")
        self.assertEqual(self.found(house.traps), [f"Sources/GinnelCore/A.swift:{line}" for line in (1, 2, 5)])

    def test_the_list_of_traps_is_short_and_gives_reasons(self):
        self.write("scripts/allowed-traps.txt", "Sources/GinnelCore/A.swift | gone() | because\nSources/GinnelCore/B.swift | b!\n")
        self.write("Sources/GinnelCore/B.swift", "b!\n")
        self.assertEqual(self.found(house.traps), ["scripts/allowed-traps.txt:2", "scripts/allowed-traps.txt:1"])

    def test_unchecked_sendable_says_what_protects_it(self):
        self.write("Sources/A.swift", "/// `@unchecked Sendable`: locked.\nfinal class A: @unchecked Sendable {}\n\n/// Other.\nfinal class B: @unchecked Sendable {}\n")
        self.assertEqual(self.found(house.unchecked_sendable), ["Sources/A.swift:5"])

    def test_tests_do_not_sleep(self):
        self.write("Tests/A.swift", "try await Task.sleep(for: .seconds(1))\npair.sleep(for: .seconds(1))\nusleep(1)  // not a wait: the slow reader\ntry await Task.sleep(for: .seconds(3600))\n")
        self.write("Tests/a.c", "sleep(1);\nput_to_sleep(1);\n")
        self.assertEqual(self.found(house.sleeping_tests), ["Tests/A.swift:1", "Tests/a.c:1"])

    def test_no_path_of_a_machine(self):
        self.write("README.md", "see /home/me/x, ./work/x and a/work\nsee /wo" "rk/x\nsee /ho" "me/you/x\n" + str(self.root) + "\n")
        self.assertEqual(self.found(house.machine_paths), ["README.md:2", "README.md:3", "README.md:4"])

    def test_files_are_short_and_finished(self):
        self.write("Sources/A.swift", "a\n" * 400)
        self.write("Sources/B.swift", "b\n" * 401)
        self.write("Sources/C.swift", "// TO" "DO: more\n")
        self.assertEqual(self.found(house.long_files), ["Sources/B.swift:401"])
        self.assertEqual(self.found(house.unfinished), ["Sources/C.swift:1"])

    def test_links_lead_somewhere(self):
        self.write("docs/a.md", "# One, two\n[b](b.md) [c](c.md) [a](#one-two) [a](#three) `[d](d.md)` [web](https://example.org)\n```\n[e](e.md)\n```\n")
        self.write("docs/b.md", "[a](a.md#one-two)\n[a](../docs/a.md#three)\n[a](../README.md)\n")
        self.assertEqual(self.found(documents.links), ["docs/a.md:2", "docs/a.md:2", "docs/b.md:2", "docs/b.md:3"])

    def test_examples_are_the_files_that_they_name(self):
        self.write("Examples/A.swift", "let a = 1\n")
        self.write("README.md", "```swift file=Examples/A.swift\nlet a = 1\n```\n```swift file=Examples/A.swift\nlet a = 2\n```\n```swift file=B.swift\n```\n")
        self.assertEqual(self.found(documents.examples), ["README.md:4", "README.md:7"])

    def test_promises_have_tests(self):
        self.write("Tests/A.swift", "@Test(arguments: [1]) func `it works`() {}\n")
        self.write("Tests/a.c", 'check("so does this", f);\n')
        table = "## What it promises\n\n| promise | tests |\n|---|---|\n| a | `it works`; `so does this`; `Tests/a.c` |\n| b | `it fails` |\n| c | |\n"
        self.write("README.md", table)
        self.assertEqual(self.found(documents.promises), ["README.md:6", "README.md:7"])
        self.write("README.md", "nothing\n")
        self.assertEqual(self.found(documents.promises), ["README.md:1"])

    def test_every_table_of_guarantees_has_tests(self):
        self.write("Tests/A.swift", "@Test func `it works`() {}\n")
        table = "| promise | tests |\n|---|---|\n| a | `it works` |\n"
        self.write("README.md", table)
        self.write("docs/guarantees.md", table + "\n| code | meaning |\n|---|---|\n| a | `b` |\n\n" + table + "| c | `it fails` |\n| d | |\n")
        self.assertEqual(self.found(documents.promises), ["docs/guarantees.md:12", "docs/guarantees.md:13"])
        self.write("docs/guarantees.md", "nothing\n")
        self.assertEqual(self.found(documents.promises), ["docs/guarantees.md:1"])

    def test_a_promise_of_the_documents_is_shown_or_declined(self):
        self.write("README.md", "| promise | tests |\n|---|---|\n| a | `docs/seeds.md` |\n")
        self.write("Makefile", "bench:\n\ttrue\n")
        self.write("docs/seeds.md", "| promise | shown by |\n|---|---|\n| a | `make bench` |\n| b | Not kept: it cannot be |\n| c | `make fast` |\n| d | it cannot be |\n")
        self.assertEqual(self.found(documents.promises), ["docs/seeds.md:5", "docs/seeds.md:6"])

    def test_limits_exist_and_have_the_default_that_is_said(self):
        self.write("Sources/A.swift", "/// Default 1,024.\npublic var real: Int = 1024\n/// Default 2 s.\npublic func f(also: Duration = .seconds(2))\n")
        self.write("README.md", "## Limits\n\n| name | default |\n|---|---|\n| `a.real` | 1,024 |\n| `also` | 2 s |\n| `gone` | 2 |\n| `real` | 24 |\n| `real` | 1 |\n")
        self.assertEqual(self.found(documents.limits), ["README.md:7", "README.md:8", "README.md:9"])


if __name__ == "__main__":
    unittest.main()
