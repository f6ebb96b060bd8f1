"""Words are checked by the language before they are searched by."""

from __future__ import annotations

import pytest

from kb.core.errors import InputError, NotFoundError
from kb.curation.words import Curation
from kb.operations.curating import switched, with_new_words


@pytest.mark.parametrize("name", ["og", "med det", "Hvad er"])
def test_a_name_of_little_words_alone_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="småord"):
        with_new_words(Curation(), ["skraldebil", name], "")


def test_only_shipped_groups_are_switched_off() -> None:
    assert switched(Curation(), "hospital", on=False).switched_off == ("hospital",)
    with pytest.raises(NotFoundError):
        switched(Curation(), "skraldebil", on=False)
