"""Readers: from the files people have to :class:`kb.core.models.Document`.

    options = ReadOptions.from_settings(load_settings())
    for outcome in read_files(find_files([root]).files, root, options):
        print(outcome.path, outcome.status, outcome.reason)

``read_files`` reads each file, and then what is inside it, in a process of its own kind and is what indexing uses;
``recognise_file`` tells in one what a file is, and ``take_out_isolated`` unpacks in one what is inside a file.
``read_file`` reads one in this process. The way of a file: ``recognition`` recognises it, a reader
makes blocks of it, ``metadata`` checks what is known of it, :mod:`kb.core.privacy` masks, and ``blocks`` lays out the
canonical text with its headings and pages.
"""

from kb.extract.corpus_files import content_key, find_files
from kb.extract.isolation import ReadOutcome, ReadStatus, read_files, recognise_file, take_out_isolated
from kb.extract.options import READER_VERSION, ReadOptions
from kb.extract.reader import MODULE_MISSING, read_file

__all__ = [
    "MODULE_MISSING",
    "READER_VERSION",
    "ReadOptions",
    "ReadOutcome",
    "ReadStatus",
    "content_key",
    "find_files",
    "read_file",
    "read_files",
    "recognise_file",
    "take_out_isolated",
]
