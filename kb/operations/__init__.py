"""What is done to an installation: backup and restore, changes to the corpus, and indexing as a job beside a server."""
