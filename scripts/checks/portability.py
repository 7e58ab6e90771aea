"""What keeps every Swift file the same on every system: nothing of a system's own is imported, and what crosses the C boundary has a width and a name."""

import re
from typing import Iterator

from .house import code_of
from .repository import Finding, Repository

CONTRACT = "Sources/CGinnelPlatform/include/"
# The C libraries of the systems that Swift knows, as modules.
SYSTEM_MODULES = {"Glibc", "Musl", "Bionic", "Android", "Darwin", "MachO", "ucrt", "CRT", "MSVCRT", "WinSDK", "WASILibc"}
# Types whose width is another one somewhere (`long` has 32 bits on Windows), or which not every system has. `bool`, `size_t`, `intptr_t` and the fixed ones are none of them; an enumeration is an
# `int` that C and Swift agree on, and is declared as what it is.
UNSURE = re.compile(r"\b(int|long|short|unsigned|signed|float|double|wchar_t|off_t|ssize_t|mode_t|pid_t|uid_t|gid_t|time_t|DWORD|HANDLE)\b")
# `char` is for text: behind a pointer, or in an array.
CHARACTER = re.compile(r"\bchar\b(?!\s*(const\s*)?\*|\s+\w+\[)")
# One descriptor, or several: a plural that is an `Int` is a number of them.
PLAIN_HANDLE = re.compile(r"\b(?:descriptor|handle): Int\b|\b(?:descriptors|handles|offered|inherited)\b[^:()]*: \[Int\]")


def system_modules(repository: Repository) -> Iterator[Finding]:
    for path in repository.files(".swift", under=("Sources/",)):
        for number, line in repository.lines(path):
            match = re.match(r"\s*(?:@\w+(?:\(\w+\))? )*(?:\w+ )?import (?:\w+ )?(\w+)", line) or re.match(r"\s*#(?:if|elseif)\b.*canImport\((\w+)", line)
            if match and match[1] in SYSTEM_MODULES:
                yield Finding(path, number, f"{match[1]} is one system's own; what touches the system belongs into CGinnelPlatform")


def code_lines(repository: Repository, path: str) -> Iterator[tuple[int, str]]:
    """A header's declarations, without comments and preprocessor lines."""
    inside = False
    for number, line in repository.lines(path):
        if not inside and line.startswith("#"):
            continue
        if "/*" in line or inside:
            inside = "*/" not in line
            continue
        yield number, code_of(line)


def contract_widths(repository: Repository) -> Iterator[Finding]:
    for path in repository.files(".h", under=(CONTRACT,)):
        for number, line in code_lines(repository, path):
            for match in [*UNSURE.finditer(line), *CHARACTER.finditer(line)]:
                yield Finding(path, number, f"`{match[0].strip()}` has no width of its own that every system agrees on; use int32_t, uint64_t, size_t or gn_handle")


def handles_have_their_name(repository: Repository) -> Iterator[Finding]:
    """In Swift a descriptor is a `gn_handle`. Programs that use the library know no such type: what is public takes an `Int`."""
    for path in repository.files(".swift", under=("Sources/GinnelTransport/",)):
        for number, line in repository.lines(path):
            if "public " not in line and PLAIN_HANDLE.search(code_of(line)):
                yield Finding(path, number, "a descriptor is a gn_handle, not an Int")


RULES = (system_modules, contract_widths, handles_have_their_name)
