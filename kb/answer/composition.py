"""Lays out an answer: numbers the citations, groups findings by project and role, counts coverage, or refuses."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from kb.answer.classifiers import certainty, models, probability_of
from kb.answer.comparison import Compared, Entry, compare, kinds_of
from kb.answer.comparison_intent import comparison_of
from kb.answer.conflicts import Conflict, conflicts
from kb.answer.features import OTHER_NAME, Gathered, gather
from kb.answer.intent import ACROSS, is_elliptical, is_own_case, is_vague
from kb.answer.metadata_constraints import Demands, demands, named
from kb.answer.parts import left_open
from kb.answer.reading import read_for
from kb.answer.refusal import of_another, own_case, refuse, search_only, too_vague, whom_to_ask
from kb.answer.selection import (
    MAX_SENTENCES,
    Judged,
    JudgedDocument,
    answer_features,
    certainty_features,
    choose,
    judge_documents,
    judge_read,
    repeats,
)
from kb.answer.shortening import in_full, shorten
from kb.answer.wording import asks_whom_to_contact
from kb.core.models import (
    Answer,
    AnswerSentence,
    Certainty,
    Citation,
    Coverage,
    Disagreement,
    DocumentRecord,
    Finding,
    Metadata,
    Page,
    ProjectAnswer,
    ProjectRef,
    QuestionKind,
    Role,
    Side,
    page_at,
)
from kb.language.analysis import Question
from kb.language.roles import role_of_sentence
from kb.language.sentences import Sentence, is_row
from kb.retrieval.filters import Filters
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import ProjectSummary, Snapshot

# A sentence longer than this is cut for the short answer; its citation keeps it whole. Of 1,230 answering sentences of
# genuine documents .006 are longer, and .038 longer than 320: what was cut was the end of the list that was asked for.
SENTENCE_CHARACTERS = 480
FINDINGS_PER_ROLE = 2
FINDINGS_PER_PROJECT = 6
# A further sentence of a project that speaks is shown as a finding from this share of its best one's probability on.
FINDING_SHARE = 0.25
NEAREST_SHOWN = 3
# From this probability on a sentence speaks of many projects. That it speaks of another named one the reader does not
# tell well enough: of the answering sentences to 41 questions across projects 18 of the very project were lost to it.
ABOUT_MANY = 0.5
# The probability of what metadata alone answer: they may be wrong, but there is nothing to weigh.
BY_METADATA = 0.97
# Of what facts answer, the short answer has one sentence each of so many projects, and all of them of a few.
FACT_SENTENCES = 10
FEW_PROJECTS = 2
# Questions that one kind of thing answers: the sentences that hold it stand first.
HELD_FIRST = (QuestionKind.NUMBER, QuestionKind.DATE)
HELD_SHARE = 0.05
# A sentence that tells a number of projects goes before what each project says, unless its probability is less than
# this share of the best one's.
NUMBER_SHARE = 0.5
ROLE_ORDER = (
    Role.CHALLENGE, Role.HANDLING, Role.LESSON, Role.RESULT, Role.ADVICE, Role.PURPOSE, Role.DATA, Role.METHOD,
    Role.OTHER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Speaking:
    """A document that speaks to the question; ``reasons`` are metadata that met it."""

    judged: JudgedDocument
    reasons: tuple[str, ...] = ()


@dataclass
class Citations:
    """Numbers places in the order they are first cited; ``pages_of`` gives a document's pages by its id."""

    pages_of: Callable[[str], Sequence[Page]]
    numbers: dict[tuple[str, int, int], int] = field(default_factory=dict)
    made: list[Citation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pages_of = cache(self.pages_of)  # a document is often cited more than once

    def cite(self, sentence: Sentence, document: DocumentRecord) -> int:
        """The number of a sentence's place."""
        key = (document.id, sentence.start, sentence.end)
        if key not in self.numbers:
            self.numbers[key] = len(self.made) + 1
            passage = sentence.passage
            page = page_at(self.pages_of(document.id), sentence.start)
            self.made.append(
                Citation(
                    number=self.numbers[key],
                    document_id=document.id,
                    passage_id=passage.id,
                    start=sentence.start,
                    end=sentence.end,
                    quote=sentence.verbatim,
                    title=document.metadata.titel,
                    project=document.metadata.projekt,
                    heading_path=passage.heading_path,
                    page=page.number if page else None,
                    page_label=page.label if page else "",
                    role=passage.role,
                    inferred=passage.inferred,
                )
            )
        return self.numbers[key]

    def hold(self, sentence: Sentence) -> bool:
        """Whether a sentence is part of what is cited already."""
        return any(
            made.document_id == sentence.passage.document_id
            and made.start <= sentence.start <= sentence.end <= made.end
            for made in self.made
        )

    def of(self, judged: Judged) -> int:
        """The number of a judged sentence's place."""
        return self.cite(judged.candidate.sentence, judged.candidate.hit.document)


def answer(searcher: Searcher, question: Question, filters: Filters) -> Answer:
    """Answer an analysed question from the searcher's build."""
    gathered = gather(searcher, question, filters)
    records = {stored.record.id: stored.record for stored in searcher.snapshot.passing(filters)}
    projects = [p for p in searcher.snapshot.projects() if not records.keys().isdisjoint(p.document_ids)]
    empty = _empty(searcher.snapshot, gathered, projects, filters)
    if not searcher.settings.reading:
        return replace(empty, refusal=search_only())
    compared = _compared(searcher, gathered.question, records)
    if compared:
        return _by_facts(compared, empty, searcher.snapshot, records, projects)
    if is_own_case(gathered.question):
        return replace(empty, refusal=own_case())
    if asks_whom_to_contact(gathered.question):
        return replace(empty, refusal=whom_to_ask(_asked_about(gathered, records.values())))
    if is_vague(gathered.question):
        return replace(empty, refusal=too_vague())
    return _by_reading(searcher, gathered, empty, records, projects)


def _empty(snapshot: Snapshot, gathered: Gathered, projects: Sequence[ProjectSummary], filters: Filters) -> Answer:
    """An answer that says nothing yet."""
    return Answer(
        question=gathered.question,
        kind=gathered.want.kind,
        build_id=snapshot.build_id,
        created=snapshot.manifest.created,
        filters=filters.as_dict(),
        sentences=(),
        projects=(),
        coverage=_coverage(projects, frozenset()),
        certainty=certainty(0.0),
        citations=(),
        corrections=gathered.corrections,
    )


def _by_reading(
    searcher: Searcher,
    gathered: Gathered,
    empty: Answer,
    records: Mapping[str, DocumentRecord],
    projects: Sequence[ProjectSummary],
) -> Answer:
    """Answer by what the reader says of the windows it is given, or refuse."""
    judged = judge_read(read_for(searcher, gathered, models()), models())
    logit = models().answer.score(answer_features(judged)) if judged else -math.inf
    demanded = _demands(gathered, records.values())
    if demanded.complete:
        logit = math.log(BY_METADATA / (1 - BY_METADATA))
    probability = BY_METADATA if demanded.complete else _right(logit, judged[0]) if judged else 0.0
    empty = replace(empty, certainty=certainty(probability))
    citations = Citations(searcher.snapshot.pages_of)
    if probability_of(logit) < models().answer.threshold:
        return _refused(empty, gathered, judged, records.values(), citations)
    # A project speaks by what its report says of it, not by what that says of many.
    own = [one for one in judged if not _is_laid_wrong(one)] or judged
    documents = _speaking(empty.kind, judge_documents(gathered, own, models()), demanded, records)
    pool = _shown_from(empty.kind, judged, documents)
    found = _answered(empty, pool, documents, projects, logit, citations)
    if demanded.complete or not found.sentences:
        return found
    if empty.kind is QuestionKind.YES_NO or found.lead or is_elliptical(gathered.question):
        found = replace(found, sentences=tuple(_less_than_sure(one) for one in found.sentences))
    # What is shown may be less probable than the best there is, and is what the reader goes by.
    return replace(found, certainty=min((one.certainty for one in found.sentences), key=list(Certainty).index))


def _less_than_sure(sentence: AnswerSentence) -> AnswerSentence:
    """A sentence of an answer that is not whole, or that does not say yes or no where that is asked for."""
    return replace(sentence, certainty=Certainty.LIKELY) if sentence.certainty is Certainty.SURE else sentence


def _compared(searcher: Searcher, question: str, records: Mapping[str, DocumentRecord]) -> Compared | None:
    """The answer to a question that asks to have projects compared; None of any other, and of one that names nothing
    and points at one ("Hvad kostede det?").
    """
    known = {id_: record.metadata for id_, record in records.items()}
    comparison = comparison_of(question, known)
    if comparison is None or (not comparison.sides and is_vague(question)):
        return None
    return compare(comparison, searcher.snapshot.facts(kinds_of(comparison)), known)


def _by_facts(
    compared: Compared,
    empty: Answer,
    snapshot: Snapshot,
    records: Mapping[str, DocumentRecord],
    projects: Sequence[ProjectSummary],
) -> Answer:
    """Lay out what facts answer: each with its sentence, project by project in the order of the comparison."""
    citations = Citations(snapshot.pages_of)
    by_document = {id_: project for project in projects for id_ in project.document_ids}
    answers = tuple(
        _fact_answer(entry, snapshot, records, by_document.get(entry.told[0].document_id), citations)
        for entry in compared.entries
    )
    # What is told of several projects together is marked where it stands, and says nothing of the others.
    own = [entry.certainty for entry in compared.entries if not entry.told[0].fact.shared]
    return replace(
        empty,
        sentences=tuple(_fact_sentences(answers)),
        projects=answers,
        coverage=_coverage(projects, frozenset(one.slug for one in answers if not one.cross_cutting)),
        certainty=max(own or [Certainty.UNSURE], key=list(Certainty).index),
        citations=tuple(citations.made),
        lead=compared.lead,
    )


def _fact_answer(
    entry: Entry,
    snapshot: Snapshot,
    records: Mapping[str, DocumentRecord],
    project: ProjectSummary | None,
    citations: Citations,
) -> ProjectAnswer:
    """A project with the sentences of its facts, each once."""
    findings: dict[int, Finding] = {}
    for told in entry.told:
        sentence = Sentence(snapshot.passage(told.fact.passage_id), told.fact.start, told.fact.end)
        number = citations.cite(sentence, records[told.document_id])
        role = role_of_sentence(sentence.text, sentence.passage.role)
        findings.setdefault(number, Finding(role, sentence.text, number))
    metadata = records[entry.told[0].document_id].metadata
    return ProjectAnswer(
        name=project.name if project else metadata.titel,
        slug=project.slug if project else "",
        document_ids=tuple(dict.fromkeys(told.document_id for told in entry.told)),
        authority=metadata.myndighed,
        cross_cutting=project is None,
        certainty=entry.certainty,
        findings=tuple(findings.values()),
        reasons=entry.reasons,
    )


def _fact_sentences(answers: Sequence[ProjectAnswer]) -> Iterator[AnswerSentence]:
    """The short answer: the deciding sentence of each project, of one or two projects all of theirs."""
    of_each = None if len(answers) <= FEW_PROJECTS else 1
    for one in answers[:FACT_SENTENCES]:
        for finding in one.findings[:of_each]:
            yield AnswerSentence(shorten(finding.text, SENTENCE_CHARACTERS), (finding.citation,), one.certainty)


def _right(logit: float, judged: Judged) -> float:
    """The probability that what is shown is right, by the logit that the base answers and that a sentence does."""
    return models().certainty.probability(certainty_features(logit, judged.logit))


def _demands(gathered: Gathered, records: Iterable[DocumentRecord]) -> Demands:
    """What a question across projects demands of their metadata; nothing of any other question."""
    if gathered.want.kind not in ACROSS:
        return Demands()
    known = [record.metadata for record in records if record.metadata.projekt]
    return demands(gathered.question, gathered.words.words, known)


def _speaking(
    kind: QuestionKind,
    documents: Sequence[JudgedDocument],
    demanded: Demands,
    records: Mapping[str, DocumentRecord],
) -> list[Speaking]:
    """The documents that speak to the question, most probable first, with the metadata that met it.

    What answers a question for one thing stands in some document: the most probable one speaks, however little.
    """
    threshold = models().document.threshold
    if not demanded.constraints:
        speaking = [Speaking(document) for document in documents if document.probability >= threshold]
        return speaking or ([] if kind in ACROSS else [Speaking(one) for one in documents[:1]])
    found = []
    for document in documents:
        reasons = demanded.reasons(document.document.metadata) if document.document.metadata.projekt else None
        if reasons is not None and demanded.complete:
            found.append(Speaking(replace(document, probability=BY_METADATA), reasons))
        elif reasons is not None and document.probability >= threshold:
            found.append(Speaking(document, reasons))
    if demanded.complete:
        read = {document.document.id for document in documents}
        for id_, record in records.items():
            reasons = demanded.reasons(record.metadata) if record.metadata.projekt and id_ not in read else None
            if reasons is not None:
                found.append(Speaking(JudgedDocument(record, BY_METADATA, ()), reasons))
    return found


def _answered(
    empty: Answer,
    pool: Sequence[Judged],
    documents: Sequence[Speaking],
    projects: Sequence[ProjectSummary],
    logit: float,
    citations: Citations,
) -> Answer:
    chosen = _of_each_project(documents) if empty.kind in ACROSS else []
    if empty.kind is QuestionKind.HOW_MANY_PROJECTS:
        chosen = [*_telling_the_number(pool), *chosen][:MAX_SENTENCES]
    sentences = tuple(_sentences(_holding_first(empty.kind, chosen or choose(pool), pool), logit, citations))
    found = _projects(documents, projects, citations)
    if empty.kind in ACROSS:  # the question is for projects: reports about all of them stand behind
        found = tuple(sorted(found, key=lambda project: project.cross_cutting))
    speaking = frozenset(one.slug for one in found if not one.cross_cutting)
    disagreements = tuple(_disagreement(conflict, citations) for conflict in conflicts(empty.question, pool))
    return replace(
        empty,
        sentences=sentences,
        projects=found,
        coverage=_coverage(projects, speaking),
        disagreements=disagreements,
        citations=tuple(citations.made),
        lead=left_open(empty.question, [one.text for one in sentences]),
    )


def _shown_from(kind: QuestionKind, judged: Sequence[Judged], documents: Sequence[Speaking]) -> list[Judged]:
    """The sentences that the short answer is chosen from, most probable first.

    A question that metadata narrow is answered by sentences of the projects that are left. Rows of tables answer
    questions for numbers and dates.
    """
    speaking_ids = {one.judged.document.id for one in documents}
    narrowed = any(one.reasons for one in documents)
    pool = [one for one in judged if not narrowed or one.candidate.hit.document.id in speaking_ids]
    if kind not in HELD_FIRST:
        pool = [one for one in pool if not is_row(one.candidate.sentence.text)] or pool
    return pool if kind not in ACROSS else [one for one in pool if not _is_laid_wrong(one)] or pool


def _of_each_project(documents: Iterable[Speaking]) -> list[Judged]:
    """The best sentence of each project that speaks, in their order, for a question across projects.

    A report about all of them repeats the question's words and tells what none of them did: it is shown where no
    project speaks. On 41 development questions an answering sentence stands among the first three in .66 and first in
    .59; of the most probable sentences, two of a document, in .51 and .46.
    """
    best: list[Judged] = []
    for one in documents:
        own = [sentence for sentence in one.judged.sentences if _is_of_project(sentence)]
        told = choose([sentence for sentence in own if not _is_laid_wrong(sentence)])
        best += [sentence for sentence in told[:1] if not any(repeats(sentence, other) for other in best)]
    return best[:MAX_SENTENCES]


def _telling_the_number(pool: Sequence[Judged]) -> list[Judged]:
    """The best sentence of a report about many projects that counts what a question asks the number of ("I alt 40
    signaturprojekter"), unless another sentence is much more probable.
    """
    told = (one for one in pool if not _is_of_project(one) and one.candidate.counts >= OTHER_NAME)
    best = next(told, None)
    return [best] if best and best.probability >= NUMBER_SHARE * pool[0].probability else []


def _is_laid_wrong(judged: Judged) -> bool:
    """Whether a sentence of a project's report speaks of many projects."""
    return _is_of_project(judged) and judged.about_many >= ABOUT_MANY


def _is_of_project(judged: Judged) -> bool:
    return bool(judged.candidate.hit.document.metadata.projekt)


def _disagreement(conflict: Conflict, citations: Citations) -> Disagreement:
    return Disagreement(conflict.about, (_side(conflict.first, citations), _side(conflict.second, citations)))


def _side(judged: Judged, citations: Citations) -> Side:
    metadata = judged.candidate.hit.document.metadata
    return Side(metadata.projekt or metadata.titel, judged.candidate.sentence.text, citations.of(judged))


def _asked_about(gathered: Gathered, records: Iterable[DocumentRecord]) -> list[Metadata]:
    """The metadata of the projects that a question names; of the nearest report where it names none."""
    known = [record.metadata for record in records]
    projects = named(gathered.question, known)
    return [one for one in known if one.projekt in projects] or [hit.document.metadata for hit in gathered.hits[:1]]


def _refused(
    empty: Answer,
    gathered: Gathered,
    judged: Sequence[Judged],
    records: Iterable[DocumentRecord],
    citations: Citations,
) -> Answer:
    projects = named(gathered.question, (record.metadata for record in records))
    own = [one for one in judged if one.candidate.hit.document.metadata.projekt in projects]
    other = of_another(gathered.question, judged, projects)
    shown = choose(([other] if other else []) + list(own or judged))
    nearest = tuple(dict.fromkeys(citations.of(one) for one in shown[:NEAREST_SHOWN]))
    refusal = refuse(gathered, judged, nearest, empty.filters, projects, other)
    return replace(empty, refusal=refusal, citations=tuple(citations.made))


def _holding_first(kind: QuestionKind, chosen: Sequence[Judged], pool: Sequence[Judged]) -> list[Judged]:
    """The chosen sentences, of a question for a number or a date those first that hold one.

    Where none does, the best of the pool that does is put first, unless it is much less probable (on 60 development
    questions an answering sentence then stands first in .82, else in .80).
    """
    if kind not in HELD_FIRST or not chosen:
        return list(chosen)
    if not any(judged.candidate.holds for judged in chosen):
        least = HELD_SHARE * chosen[0].probability
        chosen = [*choose([one for one in pool if one.candidate.holds and one.probability >= least])[:1], *chosen]
    return sorted(chosen, key=lambda judged: -judged.candidate.holds)


def _as_shown(judged: Judged) -> Sentence:
    """A sentence with what it points back at and the list that it leads in, unless that makes it too long."""
    return in_full(judged.candidate.sentence, SENTENCE_CHARACTERS)


def _sentences(chosen: Sequence[Judged], logit: float, citations: Citations) -> Iterator[AnswerSentence]:
    """The chosen sentences as they are shown, each with what it points back at.

    A sentence that a later one points back at is shown with that one, in its own place; none is shown twice.
    """
    shown = [_as_shown(judged) for judged in chosen]
    for judged, own in zip(chosen, shown, strict=True):
        sentence = next((one for one in shown if one.holds(own)), own)
        if citations.hold(sentence):
            continue
        number = citations.cite(sentence, judged.candidate.hit.document)
        yield AnswerSentence(shorten(sentence.text, SENTENCE_CHARACTERS), (number,), certainty(_right(logit, judged)))


def _coverage(projects: Sequence[ProjectSummary], speaking: Collection[str]) -> Coverage:
    refs = [ProjectRef(project.name, project.slug, project.document_ids) for project in projects]
    return Coverage(
        speaking=tuple(ref for ref in refs if ref.slug in speaking),
        silent=tuple(ref for ref in refs if ref.slug not in speaking),
    )


def _projects(
    documents: Sequence[Speaking], projects: Sequence[ProjectSummary], citations: Citations
) -> tuple[ProjectAnswer, ...]:
    """The documents' projects, most probable first; a document of no project stands under its own title."""
    by_document = {id_: project for project in projects for id_ in project.document_ids}
    groups: dict[str, list[Speaking]] = {}
    for one in documents:
        project = by_document.get(one.judged.document.id)
        groups.setdefault(project.slug if project else f"\0{one.judged.document.id}", []).append(one)
    return tuple(_project(group, by_document.get(group[0].judged.document.id), citations) for group in groups.values())


def _project(group: Sequence[Speaking], project: ProjectSummary | None, citations: Citations) -> ProjectAnswer:
    metadata = group[0].judged.document.metadata
    sentences = sorted((s for one in group for s in one.judged.sentences), key=lambda sentence: -sentence.logit)
    return ProjectAnswer(
        name=project.name if project else metadata.titel,
        slug=project.slug if project else "",
        document_ids=tuple(one.judged.document.id for one in group),
        authority=metadata.myndighed,
        cross_cutting=project is None,
        certainty=certainty(group[0].judged.probability),
        findings=_findings(sentences, citations) if sentences else (),
        reasons=tuple(dict.fromkeys(reason for one in group for reason in one.reasons)),
    )


def _findings(sentences: Sequence[Judged], citations: Citations) -> tuple[Finding, ...]:
    """The best sentences by role, without repetition, in the order of a lesson: challenge first.

    Each is shown with what it points back at, which then does not stand alone as well.
    """
    if _is_of_project(sentences[0]):
        # What is said of many projects is no finding of this one, unless nothing else is there.
        sentences = [one for one in sentences if not _is_laid_wrong(one)] or sentences
    least = FINDING_SHARE * sentences[0].probability
    kept: list[Judged] = []
    by_role: dict[Role, int] = {}
    for sentence in sentences:
        role = role_of(sentence)
        if len(kept) >= FINDINGS_PER_PROJECT or sentence.probability < least:
            break
        if by_role.get(role, 0) < FINDINGS_PER_ROLE and not any(repeats(sentence, one) for one in kept):
            kept.append(sentence)
            by_role[role] = by_role.get(role, 0) + 1
    kept.sort(key=lambda one: ROLE_ORDER.index(role_of(one)))
    shown = [_as_shown(one) for one in kept]
    return tuple(
        _finding(one, own, citations)
        for one, own in zip(kept, shown, strict=True)
        if not any(other.holds(own) for other in shown)
    )


def role_of(judged: Judged) -> Role:
    """What a sentence tells, by its headings and words."""
    sentence = judged.candidate.sentence
    return role_of_sentence(sentence.text, sentence.passage.role)


def _finding(judged: Judged, shown: Sentence, citations: Citations) -> Finding:
    passage = shown.passage
    number = citations.cite(shown, judged.candidate.hit.document)
    certain = passage.role is not Role.OTHER
    return Finding(role_of(judged), shown.text, number, passage.inferred, role_certain=certain)
