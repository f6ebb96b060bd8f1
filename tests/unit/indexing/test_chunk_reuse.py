"""Whether documents are chunked again depends on the code that chunks, not on where it is or what its comments say."""

from __future__ import annotations

from kb.indexing.chunk_reuse import _rules

SOURCE = '''"""Cuts."""

from {package} import (
    sentences,
)

LIMIT = {limit}


def cut() -> None:
    from kb.late import imported
'''


def test_a_module_that_moved_chunks_as_before() -> None:
    first, moved = (_rules(SOURCE.format(package=package, limit=1)) for package in ("kb.a", "kb.b.c"))
    assert first == moved


def test_a_changed_rule_is_noticed() -> None:
    one, two = (_rules(SOURCE.format(package="kb.a", limit=limit)) for limit in (1, 2))
    assert one != two
    assert "kb.late" in one


def test_rewritten_comments_and_docstrings_chunk_as_before() -> None:
    source = SOURCE.format(package="kb.a", limit=1)
    rewritten = source.replace('"""Cuts."""', '"""Divides documents."""').replace("LIMIT = 1", "LIMIT = 1  # in tokens")
    assert rewritten != source
    assert _rules(rewritten) == _rules(source)


def test_a_function_of_a_docstring_alone_is_still_code() -> None:
    assert _rules('def empty() -> None:\n    """Do nothing."""') == "def empty() -> None:\n    pass"
