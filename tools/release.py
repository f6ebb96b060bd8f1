"""Makes what a release consists of, in ``dist/``: ``make release SIGNING_KEY=FINGERPRINT``.

The source and the wheel of the program, all it needs as wheels, the offline bundle (:mod:`tools.bundle`), the list of
components and the licences (:mod:`tools.components`), the public key, and one signed ``SHA256SUMS`` over them. Before
anything is made, the version and the change log are held to what a release promises.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools import bundle, components

ROOT = Path(__file__).parents[1]
KEYRING = f"{bundle.NAME}-keyring.gpg"
# Major, minor and patch, as semver.org has it; no more, as pip and Debian order what follows differently.
_SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SECTION = re.compile(r"^## (\S+)", re.M)


def version_of(pyproject: str) -> str:
    """The version that a ``pyproject.toml`` gives the program."""
    return str(tomllib.loads(pyproject)["project"]["version"])


def problems(version: str, changelog: str) -> Iterator[str]:
    """What keeps a version from being released (pure)."""
    if not _SEMANTIC.fullmatch(version):
        yield f"{version} is not a semantic version"
    newest = next(iter(_SECTION.findall(changelog)), "")
    if newest != version:
        yield f"the topmost section of CHANGELOG.md is {newest}, not {version}"
    section = re.split(r"^## ", changelog, maxsplit=2, flags=re.M)[1:2]
    if not section or "\n### Upgrading\n" not in section[0]:
        yield "its section of CHANGELOG.md does not say under Upgrading what users must do"


def make(dist: Path, key: str) -> None:
    """Everything but the wheels, which ``make wheels`` has put in ``dist/wheels``.

    Raises :class:`bundle.BundleError`, and ``CalledProcessError`` where the packages cannot be built.
    """
    build = [sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    wheels = dist / "wheels"
    components.write(wheels, dist)
    bundle.make(wheels, dist, key)
    exported = ["gpg", "--batch", "--yes", "--output", str(dist / KEYRING), "--export", key]
    subprocess.run(exported, check=True, capture_output=True)
    bundle.sign(dist, key)


def main() -> int:
    """Make the release that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make a release.")
    parser.add_argument("dist", type=Path)
    parser.add_argument("--key", required=True, help="fingerprint of the key that gpg signs with")
    arguments = parser.parse_args()
    version = version_of((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if found := list(problems(version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))):
        print("\n".join(found), file=sys.stderr)
        return 1
    try:
        make(arguments.dist, arguments.key)
    except (bundle.BundleError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in sorted(arguments.dist.iterdir()):
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
