"""What a Python process that this one starts is given, so that it runs the very same code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def environment_of_child() -> Mapping[str, str]:
    """The environment of this process with its import path, this package first, however it was found."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), *(entry for entry in sys.path if entry)])
    return {**os.environ, "PYTHONPATH": path}
