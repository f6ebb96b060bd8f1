"""Native code neither looks anything up nor connects, nor writes in the user's folders."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = (
    "kb.cli",
    "kb.http.server",
    "kb.extract.worker",
    "kb.operations.job_process",
    "kb.embedding.embedder",
    "kb.cluster.worker",
)
SWITCHES = {"ORT_DISABLE_TELEMETRY": "1", "RAY_USAGE_STATS_ENABLED": "0"}
ASKED = "import sys; sys.path.insert(0, {root!r}); import {module}, os; print(*map(os.environ.get, {switches!r}))"
SESSION = """
import sys, time; sys.path.insert(0, {root!r})
import kb, onnx, onnxruntime
from onnx import TensorProto, helper
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnxruntime.InferenceSession(model.SerializeToString())
time.sleep(5)
"""


def _environment(home: Path) -> dict[str, str]:
    dropped = {*SWITCHES, "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_every_entry_point_switches_it_off(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASKED.format(root=str(ROOT), module=module, switches=list(SWITCHES))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment(tmp_path))
    assert done.stdout.split() == list(SWITCHES.values())


@pytest.mark.skipif(not shutil.which("strace"), reason="UDEN strace ER DET IKKE PRØVET, OM NATIV KODE KALDER UD")
@pytest.mark.slow
def test_a_session_neither_connects_nor_writes_in_the_home_folder(tmp_path: Path) -> None:
    home, trace = tmp_path / "home", tmp_path / "trace"
    home.mkdir()
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    command += [sys.executable, "-c", SESSION.format(root=str(ROOT))]
    subprocess.run(command, check=True, env=_environment(home), capture_output=True, timeout=240)
    calls = trace.read_text(errors="replace")
    assert not re.findall(r".*AF_INET.*|.*nscd.*|.*sin6?_port.*", calls)
    assert [path for path in home.rglob("*") if path.is_file()] == []
