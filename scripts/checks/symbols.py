"""What compiled Swift asks of the C library: object files name what they use, whatever module the compiler found it in."""

import re
from dataclasses import dataclass
from typing import Iterable, Iterator

# What any of our Swift may name, with the reason. Everything else is a finding: a list of what is forbidden would never be complete.
ALLOWED = {
    r"\$s.*": "mangled: declared in Swift",
    r"_?swift_.*|_swift.*|__swift_.*": "the Swift runtime",
    r"memcpy|memmove|memset|memcmp|bzero": "the compiler's own copying and filling, on every system",
    r"malloc|free|malloc_usable_size|malloc_size|_msize": "memory of the standard library's collections, inlined from it",
    r"ceil|floor|rint|round|trunc": "rounding of numbers, inlined from the standard library; standard C's, on every system",
    r"__stack_chk_fail|__stack_chk_guard|__security_cookie|__security_check_cookie": "the compiler's guard of the stack",
    r"_GLOBAL_OFFSET_TABLE_|__dso_handle": "the linker's",
}
# Beyond those, what a target's own C targets declare.
OWN = {
    "GinnelCore": r"ginnel_crc32\w*",
    "GinnelTransport": r"gn_\w+",
    # Blocks are how Dispatch, which comes with Foundation on every system, is given what it is to do.
    "Ginnel": r"_Block_copy|_Block_release|_NSConcreteStackBlock",
    "GinnelTesting": r"",
}
# Modules whose Swift declarations these targets do without: `$s`, the length of the module's name, and the name.
FOREIGN = {
    "GinnelCore": ("Foundation", "FoundationEssentials", "Dispatch", "Glibc", "Musl", "Darwin", "ucrt", "WinSDK", "CGinnelPlatform"),
    "GinnelTransport": ("Foundation", "FoundationEssentials", "Dispatch", "Glibc", "Musl", "Darwin", "ucrt", "WinSDK"),
    "Ginnel": ("Glibc", "Musl", "Darwin", "ucrt", "WinSDK"),
    "GinnelTesting": ("Dispatch", "Glibc", "Musl", "Darwin", "ucrt", "WinSDK"),
}


@dataclass(frozen=True)
class Use:
    object: str
    symbol: str


def undefined(listing: str, underscored: bool = False) -> Iterator[Use]:
    """The undefined symbols in what `nm -A -u` prints: `file:  U name` each, or `w` for a weak one. With `underscored` C's names have an underscore in front, as on macOS."""
    for line in listing.splitlines():
        match = re.match(r"(.*?):\s+(?:[0-9a-f]+ )?[Uwv] (\S+)$", line)
        if match:
            symbol = match[2]
            yield Use(match[1].rpartition("/")[2], symbol[1:] if underscored and symbol.startswith("_") else symbol)


def strangers(target: str, uses: Iterable[Use]) -> Iterator[Use]:
    """What a target uses and may not, each symbol once for each object."""
    allowed = re.compile("|".join([*ALLOWED, OWN[target]] if OWN[target] else ALLOWED))
    # `$s5Glibc6getpid…`: a declaration of Glibc's module, or an extension in it.
    foreign = re.compile(r"\$s(?:%s)" % "|".join(f"{len(name)}{name}" for name in FOREIGN[target]))
    for use in sorted(set(uses), key=lambda use: (use.object, use.symbol)):
        if not allowed.fullmatch(use.symbol) or foreign.match(use.symbol):
            yield use
