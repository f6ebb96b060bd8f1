"""What a question asks to have compared: status, money, period, partners, news, two projects (pure).

"Hvilke projekter er i drift?", "Hvilke fik mest støtte?" and "Er Vådindeks sat i drift?" are answered by the facts of
the reports (:mod:`kb.facts`) and not by any one sentence. A question is taken only where nothing of it is left over:
the words of the comparison are taken out of it one after the other, and what remains must name projects of the base.
Every other word leaves the question to the text ("Hvilke projekter i drift bruger røntgenbilleder?"). What no such form
takes is read by a model of its wording (:mod:`kb.answer.comparison_wording`: "Har nogen droppet et projekt?").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kb.answer.comparison_forms import Comparison, Form, read_form
from kb.answer.comparison_names import has_projects, named, telling
from kb.answer.comparison_wording import by_wording as read_by_wording
from kb.answer.plain_wording import plain
from kb.core.models import Metadata


def comparison_of(question: str, known: Mapping[str, Metadata], *, by_wording: bool = True) -> Comparison | None:
    """What a question asks to have compared; None where facts do not answer it. ``known`` are metadata by document.

    Without ``by_wording`` only the forms are read in which every word is accounted for.
    """
    form = read_form(plain(question))
    comparison = _resolved(form, known) if form else None
    return read_by_wording(question, known) if comparison is None and by_wording else comparison


def _resolved(found: Form, known: Mapping[str, Metadata]) -> Comparison | None:
    """The comparison with the projects that the rest of the question names; None where it says something else."""
    sides: list[frozenset[str]] = []
    for rest in found.rests:
        words = telling(rest)
        if words is None:
            return None
        projects = named(words, known, projects_only=found.projects_only) if words else []
        if words and not projects:
            return None
        if not found.least <= len(projects) <= found.most:
            return None
        sides += projects
    if len(set(sides)) < len(sides):
        return None
    partner = found.comparison.partner
    if partner and not sides and has_projects(partner, known):
        return None  # Its own projects are as much asked for, and no fact tells that they are its own.
    return replace(found.comparison, sides=tuple(sides))
