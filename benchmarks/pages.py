"""What the benchmarks' pages share: figures put between marks, the line on the machine, a process's memory."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page that a benchmark writes, between ``begin`` and ``end``; ``heading`` stands above a new one."""

    page: Path
    begin: str
    end: str
    heading: str = ""

    def write(self, text: str) -> None:
        """Put the text between the marks; the page and the marks are made where they are missing."""
        whole = self.page.read_text(encoding="utf-8") if self.page.is_file() else f"# {self.page.stem.capitalize()}\n"
        if self.begin not in whole:
            above = f"{self.heading}\n\n" if self.heading else ""
            whole = f"{whole.rstrip()}\n\n{above}{self.begin}\n{self.end}\n"
        before, _, rest = whole.partition(self.begin)
        self.page.write_text(f"{before}{self.begin}\n{text}\n{self.end}{rest.partition(self.end)[2]}", encoding="utf-8")


def made_on(packages: str, target: str) -> str:
    """The line on the day, the machine and its load, and what makes the figures anew; ``packages`` with versions."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), Python"
        f" {platform.python_version()}, {packages}; load average {os.getloadavg()[0]:.1f} at the end."
        f" `make {target}` makes it anew."
    )


def versions(*packages: str) -> str:
    """Packages with the versions in this environment."""
    return ", ".join(f"{name} {version(name)}" for name in packages)


def memory(name: str, process: int | str = "self") -> int:
    """The bytes that the operating system says a process has: VmRSS is resident now, VmHWM the most that has been."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    return int(re.findall(rf"{name}:\s+(\d+)", status)[0]) * 1024
