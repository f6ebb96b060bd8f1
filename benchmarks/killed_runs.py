"""Kills indexing runs at many random moments: ``python -m benchmarks.killed_runs [--kills 300] [--seed N]``.

The long form of ``tests/unit/indexing/test_killed.py``: between the kills the corpus changes, a server is searched
without pause, and after every kill the published build is verified. Prints one JSON object; ends with 1 when anything
was lost, doubled, left over or not answered.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.killing import torment


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill indexing runs at random moments.")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--each", type=int, default=6, help="kills over one change before a run may finish")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = torment(Path(folder), kills=arguments.kills, kills_each=arguments.each, seed=arguments.seed)
    print(json.dumps(asdict(tally), ensure_ascii=False, indent=2))
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
