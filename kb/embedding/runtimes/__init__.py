"""What runs an embedding model: sentence-transformers, the reference, and quicker ways that are measured against it.

:mod:`.onnx_export` makes the files that ONNX Runtime reads, :mod:`.measurement` compares every way this machine has
on a fixed set of Danish texts, :mod:`.choice` keeps what was measured beside the model and chooses by it, and
:mod:`.opening` opens what was chosen. Nothing here knows of prefixes by name, builds or settings files; torch is
imported by the runtimes that need it and by nothing else.
"""
