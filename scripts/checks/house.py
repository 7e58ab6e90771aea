"""The house rules for source code (CONTRIBUTING.md)."""

import re
from typing import Iterator

from .repository import Finding, Repository

SOURCES = (".swift", ".c", ".h", ".py", ".sh", ".pml")
MAXIMUM_LINES = 400

# What each Swift target below Ginnel may import, beyond what SwiftPM itself enforces. Nothing of the operating system is among it.
ALLOWED_IMPORTS = {
    "Sources/GinnelCore/": {"CGinnelChecksum"},
    "Sources/GinnelTransport/": {"CGinnelPlatform", "GinnelCore", "Synchronization"},
}
# The one place where unstructured tasks are made.
TASK_FILE = "Sources/Ginnel/Handlers/HandlerTasks.swift"
# Where real time is meant: the one place that asks for it, and memory shared by name, which is not simulated.
REAL_TIME = ("Sources/GinnelTransport/Platform/System.swift", "Sources/GinnelTransport/SharedMemory/SharedMemoryBuffer.swift")
# Where a peer's bytes are handled, and everything above it.
TRAP_FREE = ("Sources/GinnelCore/", "Sources/GinnelTransport/", "Sources/Ginnel/")
TRAPS = re.compile(r"\b(fatalError|precondition|preconditionFailure)\(|\btry!|\bas!|[\w\])>]!(?![=\w])")
ALLOWED_TRAPS = "scripts/allowed-traps.txt"

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def code_of(line: str) -> str:
    """The line without comment and without what stands between quotation marks."""
    return re.sub(r"//.*", "", STRING.sub('""', line))


def platform_conditions(repository: Repository) -> Iterator[Finding]:
    for path in repository.files(".swift"):
        if path.rpartition("/")[2] == "Package.swift":
            continue
        for number, line in repository.lines(path):
            if re.match(r"\s*#(if|elseif)\b.*\bos\(", line):
                yield Finding(path, number, "`#if os(`: what differs between systems belongs into CGinnelPlatform")


def imports(repository: Repository) -> Iterator[Finding]:
    for folder, allowed in ALLOWED_IMPORTS.items():
        for path in repository.files(".swift", under=(folder,)):
            for number, line in repository.lines(path):
                match = re.match(r"\s*(?:@\w+ )?(?:\w+ )?import (?:\w+ )?(\w+)", line)
                if match and match[1] not in allowed:
                    yield Finding(path, number, f"{folder} does not import {match[1]}")
    layers = {"Sources/CGinnelPlatform/": "ginnel_checksum", "Sources/CGinnelChecksum/": "ginnel_platform"}
    for folder, stranger in layers.items():
        for path in repository.files(".c", ".h", under=(folder,)):
            for number, line in repository.lines(path):
                if line.startswith("#include") and stranger in line:
                    yield Finding(path, number, f"{folder} knows nothing of {stranger}.h")


def unstructured_tasks(repository: Repository) -> Iterator[Finding]:
    for path in repository.files(".swift", under=("Sources/",)):
        if path == TASK_FILE:
            continue
        for number, line in repository.lines(path):
            if re.search(r"\bTask(\.detached|\.immediate)?(<[^>]*>)?\s*(\{|\()", code_of(line)):
                yield Finding(path, number, f"a task without a parent; the one place for that is {TASK_FILE}")


def real_time(repository: Repository) -> Iterator[Finding]:
    """What waits or asks for the time does so where a simulation can answer (docs/decisions/0023)."""
    for path in repository.files(".swift", under=("Sources/GinnelTransport/", "Sources/Ginnel/")):
        if path in REAL_TIME or path.startswith("Sources/Ginnel/Processes/"):
            continue
        for number, line in repository.lines(path):
            if re.search(r"\bTask\.sleep\(|\.random\(in:", code_of(line)):
                yield Finding(path, number, "real time or chance; `System` has both, for simulations too")


def traps(repository: Repository) -> Iterator[Finding]:
    """What ends the process must be on the list, with the reason why no peer can bring it about."""
    allowed: dict[tuple[str, str], bool] = {}
    for number, entry in repository.lines(ALLOWED_TRAPS):
        if not entry.strip() or entry.startswith("#"):
            continue
        path, code, reason = (entry.split(" | ") + ["", ""])[:3]
        if not reason.strip():
            yield Finding(ALLOWED_TRAPS, number, "an entry is `path | code | reason`")
        allowed[path.strip(), code.strip()] = False
    for path in repository.files(".swift", under=TRAP_FREE):
        for number, line in repository.lines(path):
            if not TRAPS.search(code_of(line)):
                continue
            matches = [key for key in allowed if key[0] == path and key[1] in line]
            for key in matches:
                allowed[key] = True
            if not matches:
                yield Finding(path, number, f"can end the process; say in {ALLOWED_TRAPS} why no peer can bring it about")
    for (path, code), used in allowed.items():
        if not used:
            yield Finding(ALLOWED_TRAPS, 1, f"an entry that allows nothing any more: {path} | {code}")


def unchecked_sendable(repository: Repository) -> Iterator[Finding]:
    for path in repository.files(".swift", under=("Sources/",)):
        comment = ""
        for number, line in repository.lines(path):
            if line.lstrip().startswith("//"):
                comment += line
                continue
            if "@unchecked Sendable" in line and "@unchecked Sendable" not in comment and "//" not in line:
                yield Finding(path, number, "`@unchecked Sendable` needs a comment that names what protects it")
            if line.strip():
                comment = ""


def sleeping_tests(repository: Repository) -> Iterator[Finding]:
    """A test waits for what it wants to see, and for nothing else. A sleep of an hour is a handler that never ends, not a wait."""
    sleeps = re.compile(r"(?<!pair\.)\b(Task\.sleep|Thread\.sleep|usleep|nanosleep|sleep)\(")  # a pair of machines has a clock of its own
    for path in repository.files(".swift", ".c", under=("Tests/",)):
        if path.startswith("Tests/Simulate/"):  # its clock is not the world's
            continue
        for number, line in repository.lines(path):
            if sleeps.search(code_of(line)) and ".seconds(3600)" not in line and "// not a wait:" not in line:
                yield Finding(path, number, "a test that sleeps; wait for the thing itself, or end the line with `// not a wait: why`")


def machine_paths(repository: Repository) -> Iterator[Finding]:
    """Paths of somebody's machine. The examples in tests of path policies are under /home/me."""
    pattern = re.compile(r"(?<![\w.])/(work|Users|home/(?!me/))\b[/\w]*")
    own = str(repository.root)
    for path in repository.paths:
        if path in ("scripts/checks/house.py", "LICENSE"):
            continue
        for number, line in repository.lines(path):
            if own in line or pattern.search(line):
                yield Finding(path, number, "the path of a machine; the project stands in any folder of any machine")


def long_files(repository: Repository) -> Iterator[Finding]:
    for path in repository.files(*SOURCES):
        count = sum(1 for _ in repository.lines(path))
        if count > MAXIMUM_LINES:
            yield Finding(path, count, f"{count} lines, over {MAXIMUM_LINES}; split it by concept")


def unfinished(repository: Repository) -> Iterator[Finding]:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    for path in repository.files(*SOURCES, ".md"):
        if path.startswith("scripts/"):
            continue
        for number, line in repository.lines(path):
            if words.search(line):
                yield Finding(path, number, "unfinished; do it, or open an issue and say so in CHANGELOG.md")


RULES = (platform_conditions, imports, unstructured_tasks, real_time, traps, unchecked_sendable, sleeping_tests, machine_paths, long_files, unfinished)
