"""Builds whose vectors and words are on a Milvus server, behind the same ports as the local ones.

:mod:`place` keeps the builds, :mod:`connection` asks the server, :mod:`writing` fills the collections of a new build,
:mod:`dense` and :mod:`words` search them, and :mod:`filters` says in Milvus's language which rows are allowed. A build
has two collections:

    NAME_ID_passages     row, vector; terms (a sparse vector); words with counts (for scoring); the words as written
    NAME_ID_sentences    row, vector
    NAME_current         an alias of the passages of the build in use

Documents, passages with their text, facts and the vocabulary are in the build's folder, which every web server reads
(``docs/scale.md`` says why). pymilvus is imported in :mod:`connection` alone, when a server is first asked.
"""
