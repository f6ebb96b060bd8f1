"""What the values of the layers below become as JSON."""

from __future__ import annotations

import json
from typing import Any

from kb.core.models import (
    Answer,
    AnswerSentence,
    Certainty,
    Citation,
    Coverage,
    DocumentRecord,
    Finding,
    Hit,
    Match,
    MatchKind,
    Metadata,
    Passage,
    ProjectAnswer,
    ProjectRef,
    QuestionKind,
    Refusal,
    RefusalReason,
    Role,
    Scores,
    SearchResult,
    Source,
)
from kb.http.api import response_models
from kb.http.api.response_models import Body
from kb.state.runs import Run, Status

METADATA = Metadata(
    id="a",
    titel="Titel",
    projekt="ASTA",
    temaer=("jura",),
    kilder=(Source("https://x.dk"),),
    inferred=frozenset({"år"}),
)
PASSAGE = Passage("a.1", "a", 1, "Mails blev fordelt.", 10, 29, ("Titel", "Læring"), 2, 3, Role.LESSON)
RECORD = DocumentRecord("a", "a.md", "f0", "text/markdown", "markdown", METADATA, 3, 4, 900)
HIT = Hit(1, PASSAGE, RECORD, Scores(0.123456, dense=0.98765, dense_rank=1), (Match(0, 5, MatchKind.STEM, "mail"),))
CITATION = Citation(1, "a", "a.1", 10, 29, "Mails blev fordelt.", "Titel", "ASTA", ("Titel", "Læring"), 2, Role.LESSON)
ANSWER = Answer(
    question="Blev mails fordelt?",
    kind=QuestionKind.YES_NO,
    build_id="20261129T000000000000Z",
    created="2026-11-29T00:00:00+00:00",
    filters={"temaer": ("jura",)},
    sentences=(AnswerSentence("Mails blev fordelt.", (1,), Certainty.SURE),),
    projects=(ProjectAnswer("ASTA", "asta", ("a",), "", False, Certainty.LIKELY, (Finding(Role.LESSON, "M.", 1),)),),
    coverage=Coverage((ProjectRef("ASTA", "asta", ("a",)),), (ProjectRef("B", "b", ("b",)),)),
    certainty=Certainty.SURE,
    citations=(CITATION,),
)


def as_json(body: Body) -> Any:
    return json.loads(body.to_json())


def test_an_answer_is_laid_out_with_its_citations_beside_it() -> None:
    values = as_json(response_models.Answer.from_domain(ANSWER))
    answer = values["answer"]
    assert (values["build_id"], values["filters"], values["corrections"]) == (ANSWER.build_id, {"temaer": ["jura"]}, {})
    assert (answer["refused"], answer["reason"], answer["nearest"], answer["kind"]) == (False, "", [], "ja-nej")
    assert answer["sentences"] == [{"text": "Mails blev fordelt.", "citations": [1], "certainty": "sikkert"}]
    assert (answer["coverage"]["speaking"], answer["coverage"]["of"]) == (1, 2)
    assert answer["coverage"]["silent"] == [{"name": "B", "slug": "b", "document_ids": ["b"]}]
    assert (answer["projects"][0]["project"], answer["projects"][0]["findings"][0]["role"]) == ("ASTA", "læring")
    assert values["citations"][0]["heading_path"] == ["Titel", "Læring"]


def test_a_refusal_says_why() -> None:
    refusal = Refusal(RefusalReason.NO_SUBJECT, "Intet om det.", (1,), ("zeppelin",))
    refused = Answer(**{**{name: getattr(ANSWER, name) for name in ANSWER.__slots__}, "refusal": refusal})
    answer = as_json(response_models.Answer.from_domain(refused))["answer"]
    assert answer["refused"] is True
    assert (answer["reason"], answer["message"]) == ("intet om emnet", "Intet om det.")
    assert (answer["nearest"], answer["missing"]) == ([1], ["zeppelin"])


def test_a_client_reads_what_the_server_wrote() -> None:
    written = response_models.Answer.from_domain(ANSWER)
    assert response_models.Answer.model_validate_json(written.to_json()) == written


def test_a_hit_explains_itself_only_when_asked() -> None:
    assert "explanation" not in as_json(response_models.Hit.from_domain(HIT))
    explained = as_json(response_models.Hit.from_domain(HIT, explain=True))["explanation"]
    assert explained["dense"] == {"score": 0.9877, "rank": 1}
    assert explained["lexical"] == {"score": None, "rank": None}
    assert explained["matches"] == [{"start": 0, "end": 5, "word": "Mails", "kind": "stamme", "term": "mail"}]


def test_a_page_of_hits_has_the_chosen_fields_alone_and_its_next_page() -> None:
    result = SearchResult("mails", "b", (HIT,), 40, facets={"temaer": {"jura": 3}})
    page = response_models.SearchResult.page(
        response_models.FoundPassages.from_domain(result), ("url", "quote", "explanation"), "/api/v1/search?offset=1"
    )
    values = as_json(page)
    assert values["hits"] == [{"url": "/dokumenter/a?passage=a.1#a.1", "quote": "Mails blev fordelt."}]
    assert (values["total"], values["next"], values["facets"]) == (
        40,
        "/api/v1/search?offset=1",
        {"temaer": {"jura": 3}},
    )


def test_metadata_have_all_fields_of_the_table_and_which_were_inferred() -> None:
    metadata = as_json(response_models.Metadata.model_validate(METADATA))
    assert metadata == METADATA.as_dict()


def test_a_run_has_its_progress_apart_and_null_for_what_there_is_not() -> None:
    run = Run("r", "", "kb index", "2026-11-29", "", Status.INTERRUPTED, stage="læser", done=1, total=4, note="a.md")
    values = as_json(response_models.Run.from_domain(run))
    assert values["progress"] == {"stage": "læser", "done": 1, "total": 4, "file": "a.md", "seconds_left": None}
    assert (values["status"], values["error"], values["report"]) == ("afbrudt", None, None)


def test_the_description_of_a_run_names_the_words_a_run_may_have() -> None:
    said = response_models.Run.model_fields["status"].description or ""
    assert [status for status in Status if status is not Status.WAITING and status.value not in said] == []
