"""What a passage tells, read from the headings above it (pure).

A heading is matched by its words in the tables below, the innermost heading first. "Vores læsning" is the collector's
own inference about a project: it counts as a lesson and is marked as inferred, so that it is never presented as the
project's own. A heading over sources, annexes or contacts tells nothing, whatever stands above it; nor does a
document's title, which the caller leaves out: a report called "GDPR som barriere" is not all challenges.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.models import Role

INFERRED_HEADING = re.compile(r"\bvores (?:læsning|vurdering|fortolkning)\b")
_TELLS_NOTHING = re.compile(r"^(?:kilder?|referencer|litteratur|henvisninger|links|bilag|indhold\w*|kontakt\w*)\b")
# In order: a heading such as "Udfordringer og håndtering" is taken by its first word.
_HEADING_ROLES: tuple[tuple[Role, str], ...] = (
    (Role.ADVICE, r"råd\b|anbefal|gode råd|opmærksomhedspunkt|huskeliste"),
    (Role.LESSON, r"læring|erfaring|lærte|lært|tager med|vores læsning|pointer?\b|konklusion"),
    (Role.CHALLENGE, r"udfordring|problem|barriere|risi[ck]|løb ind i|hindring|svær|forhindring"),
    (Role.HANDLING, r"håndter|løsning|greb|tiltag|sådan gjorde|gjorde de|tilgang|fremgangsmåde"),
    (Role.RESULT, r"resultat|effekt|gevinst|status|udbytte|virkning|opnåe"),
    (Role.PURPOSE, r"formål|baggrund|mål\b|målet|idé|hvorfor|om projektet|kort om"),
    (Role.METHOD, r"metode|teknik|teknologi|model\b|sådan virker"),
    (Role.DATA, r"\bdata"),
)
_COMPILED = tuple((role, re.compile(pattern)) for role, pattern in _HEADING_ROLES)


def is_inferred(heading_path: Sequence[str]) -> bool:
    """Whether the headings say that what follows is the collector's own reading."""
    return any(INFERRED_HEADING.search(heading.lower()) for heading in heading_path)


def role_of(heading_path: Sequence[str]) -> Role:
    """The role that the innermost telling heading gives; :attr:`Role.OTHER` where none tells."""
    if heading_path and _TELLS_NOTHING.search(heading_path[-1].lower()):
        return Role.OTHER
    for heading in reversed(heading_path):
        role = _role_of_heading(heading.lower())
        if role is not Role.OTHER:
            return role
    return Role.OTHER


def _role_of_heading(heading: str) -> Role:
    found = [(match.start(), role) for role, pattern in _COMPILED if (match := pattern.search(heading))]
    return min(found, key=lambda item: item[0])[1] if found else Role.OTHER
