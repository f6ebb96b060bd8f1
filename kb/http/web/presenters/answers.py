"""An answer laid out: its sentences, its projects and its sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from kb.core.models import Answer, Certainty, Citation, Finding, Passage, ProjectAnswer
from kb.http.web.presenters import quotes
from kb.http.web.presenters.labels import ROLE_LABELS
from kb.http.web.presenters.quotes import Cited, Segment
from kb.retrieval.snapshot import Snapshot

CERTAINTY = {
    Certainty.SURE: ("Sikkert", "badge-success"),
    Certainty.LIKELY: ("Sandsynligt", "badge-info"),
    Certainty.UNSURE: ("Usikkert", "badge-warning"),
}


@dataclass(frozen=True, slots=True)
class CitationView:
    """A source of an answer: the passage it stands in, with the cited words marked.

    ``place`` is the cited range of the report's text, as its page takes it.
    """

    number: int
    document_id: str
    passage_id: str
    place: str
    title: str
    project: str
    section: str
    page: str
    inferred: bool
    context: tuple[Segment, ...]
    citation: str
    lang: str


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """A project's findings of one role."""

    label: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ProjectView:
    """What one project, or one report across projects, says; ``document_id`` is of a report across projects.

    ``groups`` are the findings that the short answer does not show, ``said`` the sources of those that it does.
    """

    name: str
    slug: str
    document_id: str
    authority: str
    certainty: str
    badge: str
    groups: tuple[FindingGroup, ...]
    reasons: tuple[str, ...]
    said: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer laid out: sentences, projects, reports across projects, sources, and the whole as text to copy."""

    answer: Answer
    certainty: str
    badge: str
    projects: tuple[ProjectView, ...]
    cross_cutting: tuple[ProjectView, ...]
    citations: tuple[CitationView, ...]
    text: str

    @property
    def sources(self) -> dict[str, int]:
        """The first source that stands in each cited passage, by the passage's id."""
        return {citation.passage_id: citation.number for citation in reversed(self.citations)}


def view_on(snapshot: Snapshot, answer: Answer) -> AnswerView:
    """What the answer page shows of an answer on a build, each source in its passage."""
    passages = {citation.passage_id: snapshot.passage(citation.passage_id) for citation in answer.citations}
    languages = {id_: stored.record.metadata.sprog for id_, stored in snapshot.records.items()}
    return answer_view(answer, passages, languages)


def answer_view(answer: Answer, passages: Mapping[str, Passage], languages: Mapping[str, str]) -> AnswerView:
    """What the answer page shows of an answer.

    ``passages`` holds the cited passages by id, ``languages`` the language of each report by id.
    """
    certainty, badge = CERTAINTY[answer.certainty]
    said = frozenset(number for sentence in answer.sentences for number in sentence.citations)
    projects = [(project.cross_cutting, _project_view(project, said)) for project in answer.projects]
    return AnswerView(
        answer=answer,
        certainty=certainty,
        badge=badge,
        projects=tuple(view for crossing, view in projects if not crossing),
        cross_cutting=tuple(view for crossing, view in projects if crossing),
        citations=tuple(_citation_views(answer, passages, languages)),
        text=answer_text(answer),
    )


def _project_view(project: ProjectAnswer, said: Set[int]) -> ProjectView:
    certainty, badge = CERTAINTY[project.certainty]
    further = [finding for finding in project.findings if finding.citation not in said]
    roles = dict.fromkeys(finding.role for finding in further)
    groups = tuple(
        FindingGroup(ROLE_LABELS[role], tuple(finding for finding in further if finding.role is role)) for role in roles
    )
    shown = dict.fromkeys(finding.citation for finding in project.findings if finding.citation in said)
    documents = project.document_ids
    return ProjectView(
        project.name, project.slug, documents[0] if documents else "", project.authority, certainty, badge, groups,
        project.reasons, tuple(shown),
    )  # fmt: skip


def _citation_views(
    answer: Answer, passages: Mapping[str, Passage], languages: Mapping[str, str]
) -> Iterator[CitationView]:
    """The sources, the passage around them once: a second one in it has its own words, or is left out of a refusal."""
    shown: set[str] = set()
    for citation in answer.citations:
        again = citation.passage_id in shown
        if again and answer.refused:
            continue
        shown.add(citation.passage_id)
        view = citation_view(citation, passages[citation.passage_id], languages.get(citation.document_id, ""))
        yield replace(view, context=(Segment(citation.quote, marked=True),)) if again else view


def citation_view(citation: Citation, passage: Passage, language: str) -> CitationView:
    """A source laid out: the passage with the cited words marked, and the text to copy."""
    cited = Cited(citation.start - passage.start, citation.end - passage.start)
    return CitationView(
        number=citation.number,
        document_id=citation.document_id,
        passage_id=citation.passage_id,
        place=f"{citation.start}-{citation.end}",
        title=citation.title,
        project=citation.project,
        section=quotes.section(citation.heading_path, citation.title),
        page=quotes.page(citation.page, citation.page_label),
        inferred=citation.inferred,
        context=cited.cut(passage.text, 0, len(passage.text)),
        citation=_source_text(citation),
        lang=quotes.foreign(language),
    )


def _source_text(citation: Citation) -> str:
    parts = [citation.title, quotes.page(citation.page, citation.page_label), citation.passage_id]
    return f"»{' '.join(citation.quote.split())}« ({', '.join(part for part in parts if part)})"


def answer_text(answer: Answer) -> str:
    """The answer with its sources as text to paste."""
    lines = [answer.question, "", *filter(None, [answer.lead])]
    lines += [f"{sentence.text} {references(sentence.citations)}" for sentence in answer.sentences]
    if answer.refusal:
        lines.append(answer.refusal.message)
    used = {number for sentence in answer.sentences for number in sentence.citations}
    sources = [citation for citation in answer.citations if citation.number in used]
    lines += ["", answer.coverage.sentence + ".", ""] if answer.coverage.of else [""]
    lines += [f"[{citation.number}] {_source_text(citation)}" for citation in sources]
    return "\n".join(lines).strip()


def references(numbers: Sequence[int]) -> str:
    """Citation numbers as text: [1][4]."""
    return "".join(f"[{number}]" for number in numbers)
