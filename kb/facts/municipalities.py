"""The forms that a text names a municipality's place by, from the list of authorities (pure)."""

from __future__ import annotations

from functools import cache

from kb.proposals.authorities import all_authorities


@cache
def municipalities() -> dict[str, str]:
    """Every form of a municipality's place in lower case, with the municipality's name."""
    found: dict[str, str] = {}
    for authority in all_authorities():
        if authority.kind != "municipalities":
            continue
        # The place as people say it, and as the name has it ("København", "Københavns").
        for place in (authority.place, authority.name.rpartition(" ")[0]):
            for form in (place, place.replace("aa", "å").replace("Aa", "Å")):
                stem = form.removesuffix("s")
                found |= {one.casefold(): authority.name for one in (form, stem, f"{stem}s")}
    return found
