"""What a report says of its project as facts with evidence: status, money, period, partners, data, phase, events.

:func:`kb.facts.extraction.facts_of` reads them from a document's sentences by the one table of
:mod:`kb.facts.patterns`; each is a value with the place of the sentence that says it. Nothing is read from metadata.
"""

from kb.core.stages import Status
from kb.facts.extraction import facts_of
from kb.facts.fact import Fact, FactKind, current_status

__all__ = ["Fact", "FactKind", "Status", "current_status", "facts_of"]
