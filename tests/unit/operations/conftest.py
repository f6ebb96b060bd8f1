"""A mail server on this machine for everything that sends mails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.post import Post, receiving


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    """A mail server and its port."""
    handler = Post()
    with receiving(handler) as port:
        yield handler, port
