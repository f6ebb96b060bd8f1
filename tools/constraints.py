"""Writes constraints.txt: the version of every package in this environment that Erfaringsbasen or its tests need.

    python tools/constraints.py

Run it in the environment the tests have just passed in.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME = "erfaringsbasen"
EXTRAS = ("", "cluster", "test", "dev", "release")
TARGET = Path(__file__).parents[1] / "constraints.txt"
HEADER = """# The versions Erfaringsbasen is tested with; made by tools/constraints.py.
# torch: the tested version. README tells how to get its CPU build.
"""


def needed(name: str, extras: frozenset[str], found: dict[str, str]) -> None:
    """Add a package and what it needs, for this interpreter, to ``found``."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return
    if name != NAME:
        found[canonicalize_name(name)] = package.version.partition("+")[0]
    for line in package.requires or ():
        requirement = Requirement(line)
        wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
        key = canonicalize_name(requirement.name)
        if wanted and (key not in found or requirement.extras):
            needed(key, frozenset({"", *requirement.extras}), found)


def main() -> None:
    """Write the file."""
    found: dict[str, str] = {}
    needed(NAME, frozenset(EXTRAS), found)
    TARGET.write_text(HEADER + "".join(f"{name}=={found[name]}\n" for name in sorted(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
