#!/usr/bin/env python3
"""Checks the house rules and the documents of the repository that this file stands in. Exit status: 0 when all is well, else 1."""

import sys
from pathlib import Path

from checks import documents, house, portability
from checks.repository import Repository


def main() -> int:
    repository = Repository(Path(__file__).resolve().parent.parent)
    rules = house.RULES + portability.RULES + documents.RULES
    findings = [finding for rule in rules for finding in rule(repository)]
    for finding in findings:
        print(finding)
    print(f"{len(rules)} rules, {len(repository.paths)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
