"""Kills a PostgreSQL server under load many times: ``python -m benchmarks.killed_database [--kills 20]``.

The long form of a test in ``tests/unit/state/test_postgresql.py``. Prints one JSON object; ends with 1 when anything
was lost, half written or not done again. The server is one of its own, in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from tests.killing_database import torment
from tests.postgresql import cluster


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill PostgreSQL under load.")
    parser.add_argument("--kills", type=int, default=20)
    with cluster() as server:
        tally = torment(server, parser.parse_args().kills)
    print(json.dumps(asdict(tally), ensure_ascii=False, indent=2))
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
