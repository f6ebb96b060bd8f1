"""Brings the index in line with the corpus: plan, read, cut, embed, build aside, verify, publish.

A build is a function of the files found and of what reading and embedding them gave. Both are kept outside the builds
(:class:`ReadCache`, :class:`VectorCache`), each file and each batch as soon as it is done. So an incremental run puts
together exactly what a full run would, at the price of what is new; and a run that is killed loses at most one file's
reading or one batch. The new build is made in a folder of its own, checked, and put in use by one rename; until then,
and whenever anything fails, the old one is in use and untouched. One run at a time holds the lock, which the operating
system frees when its process dies. Every run has a row in the state file (:mod:`kb.state.runs`) from its first
moment, with its progress and at the end its report.
"""

from kb.indexing.assembly import LexicalEntries, content_digest, lexical_entries
from kb.indexing.chunk_reuse import chunk_key, vector_key
from kb.indexing.extraction import CHANGED_MEANWHILE, ID_TAKEN
from kb.indexing.locking import LOCK_FILE, lock
from kb.indexing.plan import find_places
from kb.indexing.progress import Progress, Silent
from kb.indexing.rollback import roll_back
from kb.indexing.run import PAGE_IMAGES, run, run_documents
from kb.indexing.run_report import RunReport

__all__ = [
    "CHANGED_MEANWHILE",
    "ID_TAKEN",
    "LOCK_FILE",
    "PAGE_IMAGES",
    "LexicalEntries",
    "Progress",
    "RunReport",
    "Silent",
    "chunk_key",
    "content_digest",
    "find_places",
    "lexical_entries",
    "lock",
    "roll_back",
    "run",
    "run_documents",
    "vector_key",
]
