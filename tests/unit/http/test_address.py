"""An address that the server cannot listen on is told of with what to do about it."""

from __future__ import annotations

import errno
import os

import pytest

from kb.core.errors import ConfigurationError
from kb.core.settings import Settings
from kb.http.server import told_of_address


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EADDRINUSE, "ss -ltnp"), (errno.EADDRNOTAVAIL, "KB_HOST"), (errno.EACCES, "1024"), (errno.EIO, "KB_PORT")],
)
def test_the_advice_is_for_what_is_wrong(number: int, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as told, told_of_address(Settings(host="127.0.0.1", port=8000)):
        raise OSError(number, os.strerror(number))
    assert remedy in told.value.advice
