"""The files of the repository, as git knows them: tracked, or new and not ignored."""

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Iterator


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def paths(self) -> list[str]:
        command = ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
        return sorted({name for name in names if name and (self.root / name).is_file()})

    def files(self, *suffixes: str, under: tuple[str, ...] = ("",)) -> list[str]:
        """Paths that end in one of `suffixes` and begin with one of `under`."""
        return [path for path in self.paths if path.endswith(suffixes) and path.startswith(under)]

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path: str) -> Iterator[tuple[int, str]]:
        """The lines of a file with their numbers, from 1."""
        return enumerate(self.text(path).splitlines(), start=1)
