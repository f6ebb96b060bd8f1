"""Make ``docs/fields.md``: every metadata field with what it may hold and where it is used, in Danish.

All of it is read from :data:`kb.core.fields.FIELDS`. Run it when a field has changed: ``make reference``. A test
compares the page with the table.
"""

from __future__ import annotations

from pathlib import Path

from kb.core.fields import FIELDS, FILTERS, FIRST_YEAR, LAST_YEAR, FieldKind, MetadataField

TARGET = Path(__file__).parents[1] / "docs" / "fields.md"
HEADING = """# Metadatafelter

Siden er lavet af `kb/core/fields.py` med `make reference`.

Felterne skrives som YAML: øverst i en Markdown-fil mellem to linjer med `---`, og ved siden af enhver anden fil i
`FIL.meta.yaml`. Et tomt eller udeladt felt betyder, at det ikke vides; titel, år, sprog og id tages da af filen,
hvor den siger det. Feltets navn er også filterets navn i adresser og i API'et.

| felt | navn på siderne | indhold | grænser | filter | facet | kan rettes | betydning |
|---|---|---|---|---|---|---|---|
"""
RULES = """
## Filtre, der ikke er feltets egne ord

Disse filtre læses af metadata og, hvor de intet siger, af det, rapporten selv fortæller om sit projekt. Stedet, der
siger det, er et vidne som et citat; en rapport om flere projekter har ingen af dem.

| filter | navn på siderne | der kan spørges efter | betydning |
|---|---|---|---|
"""


def bounds(field: MetadataField) -> str:
    """What a value may be, in words."""
    if field.kind is FieldKind.YEAR:
        return f"{FIRST_YEAR}-{LAST_YEAR}"
    if field.kind in {FieldKind.CHOICE, FieldKind.WORDS}:
        return " · ".join(f"`{word}`" for word in field.words)
    return f"højst {field.longest} tegn"


def row(field: MetadataField) -> str:
    """One field's line in the table."""
    used = ("ja" if one else "nej" for one in (field.filterable, field.facet, field.editable))
    cells = (f"`{field.name}`", field.label, field.kind.value, bounds(field), *used, field.description)
    return f"| {' | '.join(cells)} |"


def rule_row(field: MetadataField) -> str:
    """The line of a filter that has a rule of its own; empty for another."""
    if field.rule is None:
        return ""
    asked = " · ".join(f"`{word}`" for word in field.rule.words) or "`2021` · `2020-2022`"
    return f"| `{field.name}` | {field.label} | {asked} | {field.rule.description} |"


def page() -> str:
    """The whole page."""
    rules = filter(None, map(rule_row, FILTERS))
    return HEADING + "\n".join(map(row, FIELDS)) + "\n" + RULES + "\n".join(rules) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
