"""Ask two bases that differ in hidden reports alone, and count the answers that tell them apart.

    python -m benchmarks.access_leaks [--requests 20000] [--bases 20] [--seed 1] [--lists]

Each base is drawn anew, with and without reports for a group that none of those who ask is in (:mod:`tests.leaking`).
Every route of the application is asked, by nobody in particular, by a reader and by an editor, with ids, words, filters
and bodies that name what is hidden. ``--lists`` searches the vectors by inverted lists instead of all of them. Prints
each leak, then one JSON object with how many requests got which status; ends with 1 when there was a leak.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

from tests.leaking import drawn, rules, twins


def main() -> int:
    parser = argparse.ArgumentParser(description="Count the answers that tell of reports that may not be seen.")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--bases", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lists", action="store_true")
    arguments = parser.parse_args()
    statuses: Counter[int] = Counter()
    leaks = 0
    for number in range(arguments.bases):
        chance = random.Random(f"{arguments.seed}/{number}")  # noqa: S311 -- requests, not secrets
        with (
            tempfile.TemporaryDirectory(prefix="kb-adgang-") as folder,
            twins(Path(folder), chance, lists=arguments.lists) as pair,
        ):
            routes = rules(pair)
            for request in range(arguments.requests // arguments.bases):
                found = pair.ask(drawn(pair, chance, routes[request % len(routes)]))
                if found is not None:
                    leaks += 1
                    print(f"{found.request}\n  {found.what}", flush=True)
            statuses.update(pair.statuses)
    told = {"requests": sum(statuses.values()), "routes": len(routes), "leaks": leaks}
    print(json.dumps({**told, "statuses": {str(code): count for code, count in sorted(statuses.items())}}))
    return 1 if leaks else 0


if __name__ == "__main__":
    raise SystemExit(main())
