#!/bin/sh
# Installs the peers that the search is compared with into an environment of their own (benchmarks/peers/.venv).
# The environment sees the project's packages, so that PyTorch is neither downloaded again nor replaced.
# Usage: benchmarks/peers/install.sh [python of the project, default .venv/bin/python]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
project=${1:-"$here/../../.venv/bin/python"}
"$project" -m venv "$here/.venv"
peers="$here/.venv/bin/python"
"$project" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
    > "$("$peers" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
"$peers" -m pip install --quiet --constraint "$here/constraints.txt" --requirement "$here/requirements.txt"
"$peers" -c 'from importlib.metadata import version; print(*(f"{name} {version(name)}" for name in ("txtai", "lancedb")))'
