"""Sends the news of saved questions in processes that can be killed, one for every line (:mod:`tests.killing`)."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from kb.core.settings import Settings
from kb.operations.saved_questions import notify
from kb.retrieval.searcher import open_searcher
from tests.killing import fork_for_lines
from tests.support import HashEmbedder, make_settings

TODAY = date(2027, 2, 1)


def mailing_settings(folder: Path, port: int) -> Settings:
    """Settings of a base in a folder that mails to a server on this machine."""
    return make_settings(
        folder, smtp_host="127.0.0.1", smtp_port=port, smtp_tls="none", smtp_sender="base@kommune.dk",
        public_url="https://erfaringer.kommune.dk",
    )  # fmt: skip


if __name__ == "__main__":
    folder, index, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    base = mailing_settings(folder, port).model_copy(update={"index_dir": index})
    fork_for_lines(lambda: notify(base, lambda _access: open_searcher(base, HashEmbedder()), TODAY))
