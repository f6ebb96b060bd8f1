"""``docs/fields.md`` is what the table of fields says."""

from __future__ import annotations

from kb.core.fields import FIELDS
from tools import fields_page


def test_the_page_is_that_of_the_table() -> None:
    page = fields_page.TARGET.read_text(encoding="utf-8")
    assert page == fields_page.page(), "Kør: make reference"


def test_every_field_stands_there_with_its_bounds() -> None:
    page = fields_page.page()
    assert not [field.name for field in FIELDS if f"| `{field.name}` | {field.label} |" not in page]
    assert "| `år` | År | årstal | 1800-2200 | ja | ja | ja |" in page
    assert "`kommunal` · `regional`" in page
