"""What tells whether documents are cut again: the code that cuts, not where its modules lie."""

from __future__ import annotations

from kb.indexing.chunk_reuse import _without_imports

SOURCE = '''"""Cuts."""

from {package} import (
    sentences,
)

LIMIT = {limit}


def cut() -> None:
    from kb.late import imported
'''


def test_a_module_that_moved_cuts_as_before() -> None:
    first, moved = (_without_imports(SOURCE.format(package=package, limit=1)) for package in ("kb.a", "kb.b.c"))
    assert first == moved


def test_a_changed_rule_is_noticed() -> None:
    one, two = (_without_imports(SOURCE.format(package="kb.a", limit=limit)) for limit in (1, 2))
    assert one != two
    assert "kb.late" in one
