"""What one changed report costs beside a first run: ``python -m benchmarks.one_changed``.

``kb index`` is run three times as a process of its own, so that imports and the model's loading count: on a copy of
``corpus/`` and an empty index; after a sentence has been added to one report; and with nothing changed. Prints one JSON
object: seconds of each run, texts embedded, each run's stages, and the second run's share of the first.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kb.core.settings import load_settings
from kb.embedding.model_store import model_folder

ADDED = "\n\nDer kom en linje til om nabohjælp.\n"


def main() -> None:
    own = load_settings()
    model = model_folder(own).resolve()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copytree(own.corpus, folder / "corpus")
        places = {"KB_CORPUS": folder / "corpus", "KB_INDEX_DIR": folder / "index", "KB_STATE_DIR": folder / "state"}
        environment = {**os.environ, "KB_MODEL": str(model), **{name: str(path) for name, path in places.items()}}
        first = _run(environment)
        report = sorted((folder / "corpus").rglob("*.md"))[0]
        report.write_text(report.read_text(encoding="utf-8") + ADDED, encoding="utf-8")
        changed = _run(environment)
        unchanged = _run(environment)
    share = round(changed["seconds"] / first["seconds"], 3)
    runs = {"first": first, "one_changed": changed, "unchanged": unchanged}
    print(json.dumps({**runs, "share_of_first": share}, ensure_ascii=False, indent=2))


def _run(environment: dict[str, str]) -> dict[str, Any]:
    begun = time.perf_counter()
    command = [str(Path(sys.executable).with_name("kb")), "index", "--json"]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - begun
    report = json.loads(done.stdout)
    return {"seconds": round(seconds, 2), "embedded": report["embedded"], "stages": report["seconds"]}


if __name__ == "__main__":
    main()
