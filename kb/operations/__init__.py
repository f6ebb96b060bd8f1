"""Operations on an installation: backup and restore, changes to the corpus, and indexing jobs beside a server."""
