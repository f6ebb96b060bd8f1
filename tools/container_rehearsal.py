"""Runs the steps of the Containerfile in chroots, where no image can be built, and asks what they made a question.

    python -m tools.container_rehearsal [--base FOLDER]

Run as root. ``FROM`` is a bare Debian made by debootstrap (or copied from ``--base``), ``RUN`` a shell in it, ``COPY``
a copy, and the command at the end runs as the image's user with the environment the file sets. What runs is kept as
``compose.yaml`` says: the root read-only but for the volume and ``/tmp``, no network, no new privileges. The health
check is the image's own.
Left out, as only a container engine has it: layers, the network between server and proxy, and the proxy's own image.
Each step is timed. Needs ``dist/wheels`` (make wheels), and Debian's packages for ``RUN apt-get``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
CONTAINERFILE = REPOSITORY / "deploy" / "container" / "Containerfile"
MIRROR = "http://deb.debian.org/debian"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
VOLUME = "/var/lib/erfaringsbasen"
QUESTION = "Hvad er målet med projektet?"
STARTS_WITHIN_SECONDS = 300
ASK = f"""
import json, os, urllib.parse, urllib.request
address = "http://127.0.0.1:8000/api/v1/answer?" + urllib.parse.urlencode({{"q": {QUESTION!r}}})
asked = urllib.request.Request(address, headers={{"Authorization": "Bearer " + os.environ["KEY"]}})
print(len(json.load(urllib.request.urlopen(asked, timeout=60))["citations"]))
"""
# As sh reads it; braces are doubled for format.
SERVE_AND_ASK = f"""
if touch /opt/x 2>/dev/null; then echo "the root can be written" >&2; exit 1; fi
KEY=$(kb key create prove --role reader --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["secret"])')
export KEY
{{serve}} >&2 &
server=$!
trap 'kill $server' EXIT
waited=0
until {{health}} 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
    [ $waited -lt {STARTS_WITHIN_SECONDS} ] || exit 1
done
python3 -c {{ask}}
"""


@dataclass(frozen=True, slots=True)
class Instruction:
    """A line of a Containerfile, its continuations joined: ``FROM``, ``RUN`` and so on, with the rest of it."""

    verb: str
    rest: str


@dataclass
class Stage:
    """A root folder in the making, with the environment, user and command that the file has set so far."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "LC_ALL": "C.UTF-8"})
    user: str = "0"
    workdir: str = "/"
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Containerfile (pure)."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        verb, _, rest = line.strip().partition(" ")
        yield Instruction(verb.upper(), " ".join(rest.split()))


def environment_of(rest: str) -> dict[str, str]:
    """What an ``ENV`` sets (pure)."""
    return dict(word.split("=", 1) for word in shlex.split(rest))


def command_of(rest: str) -> list[str]:
    """The words of a ``CMD`` in its JSON form, with or without a health check's options before it (pure)."""
    found = re.search(r"\[.*\]$", rest)
    if not found:
        raise ValueError(f"only commands in JSON form are run here: {rest}")
    return [str(word) for word in json.loads(found[0])]


def bare_root(root: Path, base: Path | None) -> None:
    """Make a bare Debian."""
    command = (
        ["cp", "-a", str(base), str(root)]
        if base
        else ["debootstrap", "--variant=minbase", "bookworm", str(root), MIRROR]
    )
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def chroot(stage: Stage, script: str, *, isolated: bool = False) -> list[str]:
    """The command that runs a script in the stage's root, in namespaces of its own.

    ``isolated`` is as ``compose.yaml`` runs it: no network but the machine's own, and a root that cannot be written.
    """
    root = shlex.quote(str(stage.root))
    mounts = [f"mount --bind {root} {root}", f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
    if isolated:
        mounts += ["ip link set lo up", f"mount --bind {root}{VOLUME} {root}{VOLUME}"]
        mounts += [f"mount -t tmpfs tmpfs {root}/tmp", f"mount -o remount,bind,ro {root}"]  # noqa: S108
    words = [f"{name}={value}" for name, value in stage.environment.items()]
    inside = f"cd {shlex.quote(stage.workdir)} && {script}"
    user = f"--userspec={stage.user}:{stage.user} " if stage.user != "0" else ""
    shell = f"chroot {user}{root} /bin/sh -c {shlex.quote(inside)}"
    run = f"exec env -i {shlex.join(words)} HOME={VOLUME} setpriv --no-new-privs {shell}"
    network = ["--net"] if isolated else []
    return [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        *network,
        "/bin/sh",
        "-ec",
        "\n".join([*mounts, run]),
    ]


def build(text: str, folder: Path, base: Path | None) -> Stage:
    """Carry out the instructions; the last stage is the image."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder / "none")
    for one in instructions(text):
        with timed(f"{one.verb} {one.rest[:70]}"):
            if one.verb == "FROM":
                stage = Stage(folder / f"stage{len(stages)}")
                stages[one.rest.partition(" AS ")[2] or "last"] = stage
                bare_root(stage.root, base)
                shutil.copy("/etc/resolv.conf", stage.root / "etc" / "resolv.conf")
            else:
                carry_out(one, stage, stages)
    return stage


def carry_out(one: Instruction, stage: Stage, stages: dict[str, Stage]) -> None:
    """One instruction that is not ``FROM``."""
    match one.verb:
        case "RUN":
            subprocess.run(chroot(stage, one.rest), check=True, stdout=subprocess.DEVNULL)
        case "COPY":
            source, target = shlex.split(one.rest)[-2:]
            named = re.match(r"--from=(\S+)", one.rest)
            origin = stages[named[1]].root / source.lstrip("/") if named else REPOSITORY / source
            shutil.copytree(origin, stage.root / target.lstrip("/"), symlinks=True, dirs_exist_ok=True)
        case "ENV":
            set_here = {name: value.replace("$PATH", PATH) for name, value in environment_of(one.rest).items()}
            stage.environment |= set_here
        case "USER":
            stage.user = one.rest
        case "WORKDIR":
            stage.workdir = one.rest
        case "HEALTHCHECK":
            stage.health = command_of(one.rest)
        case "CMD":
            stage.command = command_of(one.rest)
        case "EXPOSE" | "VOLUME":
            pass  # for an engine alone
        case _:
            raise ValueError(f"an instruction that is not rehearsed: {one.verb}")


@contextlib.contextmanager
def timed(words: str) -> Iterator[None]:
    """Tell how long what is done within took."""
    begun = time.monotonic()
    yield
    print(f"{time.monotonic() - begun:5.0f} s  {words}", flush=True)


def try_out(image: Stage) -> None:
    """Prepare, index and serve in what was built, as compose.yaml does, and ask it over HTTP with a key."""
    volume = image.root / VOLUME.lstrip("/")
    (volume / "corpus").mkdir(exist_ok=True)
    report = max((REPOSITORY / "corpus" / "projekter").glob("*.md"), key=lambda path: path.stat().st_size)
    shutil.copy(report, volume / "corpus")
    for path in (volume, *volume.rglob("*")):
        os.chown(path, int(image.user), int(image.user))
    with timed("kb model prepare && kb index, uden net og uden at kunne skrive andre steder"):
        subprocess.run(
            chroot(image, "kb model prepare && kb index", isolated=True), check=True, stdout=subprocess.DEVNULL
        )
    script = SERVE_AND_ASK.format(
        health=shlex.join(image.health), serve=shlex.join(image.command), ask=shlex.quote(ASK)
    )
    with timed("kb serve, sundhedsprøven og et spørgsmål"):
        done = subprocess.run(chroot(image, script, isolated=True), check=True, capture_output=True, text=True)
    if int(done.stdout.split()[-1]) < 1:
        raise SystemExit(f"FEJL: svaret har ingen henvisning: {done.stdout}")


def main() -> int:
    """Build, try out, and remove it again."""
    parser = argparse.ArgumentParser(description="Rehearse the container's steps in a chroot.")
    parser.add_argument("--base", type=Path, help="a bare Debian 12 made before")
    arguments = parser.parse_args()
    if not list((REPOSITORY / "dist" / "wheels").glob("*.whl")):
        print("dist/wheels is empty: run make wheels", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="rehearsal.") as folder:
        image = build(CONTAINERFILE.read_text(encoding="utf-8"), Path(folder), arguments.base)
        try_out(image)
    return 0


if __name__ == "__main__":
    sys.exit(main())
