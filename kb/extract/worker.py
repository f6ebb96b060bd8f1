"""The process that reads files for :mod:`kb.extract.isolation`: ``python -m kb.extract.worker FILE_DESCRIPTOR``."""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection

from kb.extract.isolation import work

if __name__ == "__main__":
    work(Connection(int(sys.argv[1])))
