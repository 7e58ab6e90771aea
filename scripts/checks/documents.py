"""Whether documents are true: links lead somewhere, examples are the files that are compiled, promises have tests, limits exist."""

import re
from typing import Iterator
from urllib.parse import unquote

from .repository import Finding, Repository

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^\s*(```|~~~)")


def prose(repository: Repository, path: str) -> Iterator[tuple[int, str]]:
    """The lines outside fenced code, without inline code."""
    inside = False
    for number, line in repository.lines(path):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, re.sub(r"`[^`]*`", "``", line)


def anchors(repository: Repository, path: str) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    inside = False
    names: set[str] = set()
    for _, line in repository.lines(path):
        if FENCE.match(line):
            inside = not inside
        heading = re.match(r"#{1,6} +(.*)", line)
        if heading and not inside:
            kept = re.sub(r"[^\w\- ]", "", heading[1].strip().lower())
            names.add(kept.replace(" ", "-"))
    return names


def links(repository: Repository) -> Iterator[Finding]:
    for path in repository.files(".md"):
        for number, line in prose(repository, path):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                place, _, anchor = unquote(target).partition("#")
                file = (repository.root / path).parent / place if place else repository.root / path
                if not file.exists():
                    yield Finding(path, number, f"the link to {target} leads nowhere")
                elif anchor and anchor not in anchors(repository, str(file.resolve().relative_to(repository.root.resolve()))):
                    yield Finding(path, number, f"{place or path} has no heading for #{anchor}")


def examples(repository: Repository) -> Iterator[Finding]:
    """Code that names its file (```swift file=PATH) is that file, to the letter."""
    for path in repository.files(".md"):
        opened = None
        for number, line in repository.lines(path):
            start = re.match(r"```\w+ file=(\S+)\s*$", line)
            if start:
                opened, begun, code = start[1], number, []
            elif opened and line.startswith("```"):
                if opened not in repository.paths:
                    yield Finding(path, begun, f"there is no file {opened}")
                elif repository.text(opened).rstrip("\n") != "\n".join(code).rstrip("\n"):
                    yield Finding(path, begun, f"this is not what stands in {opened}")
                opened = None
            elif opened:
                code.append(line)


def rows(repository: Repository, path: str, heading: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first table below a heading, without its head."""
    active = False
    seen = 0
    for number, line in repository.lines(path):
        if line.startswith("#"):
            active = line.strip("# ").lower() == heading.lower()
            seen = 0
        elif active and line.startswith("|"):
            seen += 1
            if seen > 2:
                yield number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        elif seen:
            active = False


def proven(repository: Repository, path: str, heading: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of every table whose last column is headed so."""
    previous = ""
    active = False
    for number, line in repository.lines(path):
        if not line.startswith("|"):
            active = False
        elif re.match(r"\|[-| :]+\|$", line):
            active = re.search(rf"\| *{heading} *\|$", previous) is not None
        elif active:
            yield number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        previous = line


# Pages of promises, and what the last column of their tables is headed.
PROMISES = {"README.md": "tests", "docs/guarantees.md": "tests", "docs/seeds.md": "shown by"}


def evidence(repository: Repository) -> set[str]:
    """What a promise can name: a Swift test, a clause of a C program, a test of a Python program, a file, a command."""
    known = set(repository.paths)
    for path in repository.files(".swift", under=("Tests/", "Examples/")):
        known |= set(re.findall(r"@Test.*?func `([^`]+)`", repository.text(path), re.DOTALL))
    for path in repository.files(".c", under=("Tests/",)):
        known |= set(re.findall(r'check\("([^"]+)"', repository.text(path)))
    if "Makefile" in repository.paths:
        known |= {f"make {target}" for target in re.findall(r"^([a-z-]+):", repository.text("Makefile"), re.MULTILINE)}
    return known


def promises(repository: Repository) -> Iterator[Finding]:
    """Every promise of these pages names what shows it (last column, in backquotes, separated by semicolons), and that exists. On the page of the documents
    the project began with a promise may be declined instead: "Not kept: " or "Not ours: " and the reason."""
    known = evidence(repository)
    for page, heading in PROMISES.items():
        if page not in repository.paths and page != "README.md":
            continue
        found = False
        for number, cells in proven(repository, page, heading):
            found = True
            if heading == "shown by" and cells[-1].startswith(("Not kept: ", "Not ours: ")):
                continue
            names = re.findall(r"`([^`]+)`", cells[-1])
            if not names:
                yield Finding(page, number, "a promise without a test")
            for name in names:
                if name not in known:
                    yield Finding(page, number, f"there is no test named {name}")
        if not found:
            yield Finding(page, 1, "no table of promises")


def declarations(repository: Repository, name: str) -> Iterator[str]:
    """Each public variable, constant or parameter of that name, with the documentation above it."""
    pattern = re.compile(rf"\b(public var|public static func|public func)\b.*\b{name}: |\bpublic (static )?(var|let) {name}\b")
    for path in repository.files(".swift", under=("Sources/",)):
        comment = ""
        for _, line in repository.lines(path):
            if line.lstrip().startswith("///"):
                comment += line
                continue
            if pattern.search(line):
                yield comment + line
            comment = ""


def limits(repository: Repository) -> Iterator[Finding]:
    """Every limit of the README (first column) exists, and its documentation gives the default in the second column."""
    found = False
    for number, cells in rows(repository, "README.md", "Limits"):
        found = True
        name, default = cells[0].strip("`"), cells[1].strip("`")
        texts = list(declarations(repository, name.rpartition(".")[2]))
        if not texts:
            yield Finding("README.md", number, f"there is no limit named {name}")
        elif not any(re.search(rf"(?<![\d,]){re.escape(default)}(?![\d,]*\d)", text) for text in texts):
            yield Finding("README.md", number, f"the documentation of {name} does not say {default}")
    if not found:
        yield Finding("README.md", 1, "no table of limits")


RULES = (links, examples, promises, limits)
