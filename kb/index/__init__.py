"""A build on disk and its parts: database, vectors, lexical and forward index; and the check of all of them."""
