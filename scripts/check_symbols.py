#!/usr/bin/env python3
"""Checks that the Swift of the library, once compiled, names nothing of the operating system's: only the platform layer, which is C, does that. Behind `swift build`.

check_symbols.py FOLDER, where FOLDER is what `swift build --show-bin-path` prints. Exit status: 0 when all is well, 1 with findings, 2 when there is nothing to look at.
"""

import subprocess
import sys
from pathlib import Path

from checks import symbols


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    found = looked_at = 0
    for target in symbols.OWN:
        objects = sorted(Path(arguments[0], f"{target}.build").glob("**/*.o"))
        if not objects:
            print(f"no objects of {target} in {arguments[0]}: build it first", file=sys.stderr)
            return 2
        listing = subprocess.run(["nm", "-A", "-u", *map(str, objects)], check=True, capture_output=True, text=True).stdout
        uses = list(symbols.undefined(listing, underscored=sys.platform == "darwin"))
        if not uses:
            print(f"nm has named nothing that {target} uses", file=sys.stderr)
            return 2
        looked_at += len(objects)
        for use in symbols.strangers(target, uses):
            found += 1
            print(f"{target}: {use.object} uses {use.symbol}, which is not its to use; the system is called by CGinnelPlatform alone")
    print(f"{len(symbols.OWN)} targets, {looked_at} objects, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
