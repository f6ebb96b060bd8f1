"""Brings the index in line with the corpus: plan, extract, chunk, embed, build in a staging folder, verify, publish.

A build is a function of the files, of their readings and of the vectors of their texts. Readings and vectors are cached
outside the builds (:class:`ReadCache`, :class:`VectorCache`), each file and each batch as soon as it is done. So an
incremental run produces exactly what a full run would and pays only for what is new, and a run that is killed loses at
most one file's reading or one batch. The new build is made in a staging folder, verified, and put in use by one rename;
until then, and after any failure, the old build is in use and unchanged. One run at a time holds the lock, which the
operating system frees when its process dies. Every run has a row in the state database (:mod:`kb.state.runs`) from its
start, with its progress and at the end its report.
"""

from kb.indexing.assembly import LexicalEntries, content_digest, lexical_entries
from kb.indexing.chunk_reuse import chunk_key, vector_key
from kb.indexing.extraction import CHANGED_MEANWHILE, ID_TAKEN
from kb.indexing.locking import LOCK_FILE, lock
from kb.indexing.plan import find_source_files
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
    "find_source_files",
    "lexical_entries",
    "lock",
    "roll_back",
    "run",
    "run_documents",
    "vector_key",
]
