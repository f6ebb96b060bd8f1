"""What the API gives: contents, filters, pages, fields, ETags and the descriptions of all that."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.datastructures import MultiDict

from kb.core.models import Match
from kb.http.api import response_models
from kb.http.api.openapi import response_examples
from kb.http.api.operations import EXTENSION, PREFIX, Operation
from kb.language.analysis import Analyser, Question

QUESTION = "Hvad var erfaringen med faldrisiko?"


def get(client: FlaskClient, path: str, **query: Any) -> Any:
    response = client.get(PREFIX + path, query_string=query)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


def operations(app: Flask) -> list[Operation]:
    return list(app.extensions[EXTENSION].values())


def own_example(client: FlaskClient, operation: Operation) -> tuple[str, dict[str, Any]]:
    """The operation's example with ids of this corpus."""
    ids = {"document_id": "asta", "passage_id": get(client, "/documents/asta/passages")["items"][0]["id"]}
    ids |= {"slug": "asta", "run_id": get(client, "/runs")["items"][0]["id"]}
    path = PREFIX + operation.path
    query = {}
    for name, value in operation.example.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", ids[name])
        else:
            query[name] = str(value).lower() if isinstance(value, bool) else value
    return path, query


def test_every_answer_is_as_described(client: FlaskClient, app: Flask) -> None:
    described = get(client, "/openapi.json")
    visited = set()
    for operation in operations(app):
        if operation.method != "GET" or operation.name in {"job", "lesson"}:  # of which this server has none
            continue
        path, query = own_example(client, operation)
        response = client.get(path, query_string=query)
        assert response.status_code == operation.status, response.get_data(as_text=True)
        media = described["paths"][PREFIX + operation.path]["get"]["responses"]["200"]["content"]["application/json"]
        schema = {**media["schema"], "components": described["components"]}
        Draft202012Validator(schema).validate(response.get_json())
        visited.add(operation.name)
    assert {"search", "answer", "documents", "document", "passage", "projects", "themes", "list_builds"} <= visited


def test_every_operation_has_a_valid_example(client: FlaskClient, app: Flask) -> None:
    described = get(client, "/openapi.json")
    for operation in operations(app):
        operation.query.of(_multi(operation))
        reference = f"#/components/schemas/{operation.response.__name__}"
        schema = {"$ref": reference, "components": described["components"]}
        Draft202012Validator(schema).validate(response_examples()[operation.name])
        if taken := operation.body or operation.form:
            taken.model_validate(operation.body_example)


def _multi(operation: Operation) -> MultiDict[str, str]:
    pairs = []
    for name, value in operation.example.items():
        if f"{{{name}}}" not in operation.path:
            values = value if isinstance(value, list) else [value]
            pairs += [(name, str(one).lower() if isinstance(one, bool) else str(one)) for one in values]
    return MultiDict(pairs)


def test_the_description_is_openapi_3_1(client: FlaskClient) -> None:
    described = get(client, "/openapi.json")
    assert described["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(described).validate()


def test_the_page_of_the_description_fetches_nothing_from_elsewhere(client: FlaskClient, app: Flask) -> None:
    page = client.get(f"{PREFIX}/dokumentation")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "http://" not in text.replace("http://www.w3.org/", "")
    for operation in operations(app):
        assert f'id="{operation.name}"' in text


def test_search_finds_and_explains(client: FlaskClient) -> None:
    found = get(client, "/search", q=QUESTION, top=2, explain="true")
    assert found["hits"][0]["document_id"] == "faldrisiko"
    assert found["hits"][0]["explanation"]["lexical"]["rank"] == 1
    assert len(found["hits"]) == 2


def test_words_are_marked_where_they_are_told_of_alone(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marking takes a third of a search that nobody has asked before."""
    marked: list[str] = []
    mark = Analyser.matches

    def told(self: Analyser, question: Question, text: str) -> tuple[Match, ...]:
        marked.append(text)
        return mark(self, question, text)

    monkeypatch.setattr(Analyser, "matches", told)
    plain = get(client, "/search", q="Hvad lærte de af journalnotater?")
    assert marked == []
    explained = get(client, "/search", q="Hvad lærte de af journalnotater?", explain="true")
    assert len(marked) == len(explained["hits"])
    for hit in explained["hits"]:
        del hit["explanation"]
    assert explained["hits"] == plain["hits"]


def test_pages_of_a_search_follow_one_another_without_gap_or_repeat(client: FlaskClient) -> None:
    whole = [hit["passage_id"] for hit in get(client, "/search", q=QUESTION, top=8)["hits"]]
    address: str | None = f"{PREFIX}/search?q={QUESTION}&top=2"
    paged: list[str] = []
    while address and len(paged) < 8:
        page = client.get(address).get_json()
        paged += [hit["passage_id"] for hit in page["hits"]]
        address = page["next"]
    assert paged[: len(whole)] == whole


def test_the_last_page_of_a_list_has_no_next(client: FlaskClient) -> None:
    address: str | None = f"{PREFIX}/documents?top=3"
    seen: list[str] = []
    while address:
        page = client.get(address).get_json()
        seen += [item["id"] for item in page["items"]]
        address = page["next"]
    assert sorted(seen) == ["asta", "faldrisiko", "mail-sortering", "noter"]
    assert page["total"] == 4


def test_filters_hold(client: FlaskClient) -> None:
    assert [item["id"] for item in get(client, "/documents", år="2022")["items"]] == ["faldrisiko"]
    hits = get(client, "/search", q=QUESTION, projekt=["ASTA", "Mailsortering"])["hits"]
    assert {hit["project"] for hit in hits} == {"ASTA", "Mailsortering"}
    assert {hit["role"] for hit in get(client, "/search", q=QUESTION, rolle="formål")["hits"]} == {"formål"}


def test_only_the_fields_asked_for(client: FlaskClient) -> None:
    assert set(get(client, "/documents", fields="id,metadata")["items"][0]) == {"id", "metadata"}
    assert set(get(client, "/search", q=QUESTION, fields="quote")["hits"][0]) == {"quote"}


def test_an_answer_cites_the_text_verbatim(client: FlaskClient) -> None:
    given = get(client, "/answer", q=QUESTION)
    text = get(client, f"/documents/{given['citations'][0]['document_id']}")["text"]
    for citation in given["citations"]:
        if citation["document_id"] == given["citations"][0]["document_id"]:
            assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_the_same_question_again_is_not_modified(client: FlaskClient) -> None:
    first = client.get(f"{PREFIX}/search", query_string={"q": QUESTION})
    has = {"If-None-Match": first.headers["ETag"]}
    spaced = {"q": f"  {QUESTION.replace(' ', '   ')} "}
    again = client.get(f"{PREFIX}/search", query_string=spaced, headers=has)
    other = client.get(f"{PREFIX}/search", query_string={"q": "vandløb"}, headers=has)
    assert first.headers["ETag"].startswith('W/"')
    assert (again.status_code, again.data) == (304, b"")
    assert other.status_code == 200


def test_suggestions_begin_as_written(client: FlaskClient) -> None:
    found = get(client, "/suggestions", q="mailS")["items"]
    assert found[0] == {"text": "Mailsortering", "kind": "projekt", "url": "/projekter/mailsortering"}
    assert all("mails" in item["text"].casefold() for item in found)


def test_a_cpr_number_in_a_question_comes_back_masked(client: FlaskClient) -> None:
    response = client.get(f"{PREFIX}/search", query_string={"q": "Hvad med borgeren 070761-4285?"})
    assert "070761" not in response.get_data(as_text=True)


def test_letters_are_not_escaped_and_the_request_has_its_id(client: FlaskClient) -> None:
    response = client.get(f"{PREFIX}/themes", headers={"X-Request-Id": "proxy-12345"})
    assert "økonomi" in response.get_data(as_text=True)
    assert response.headers["X-Request-Id"] == "proxy-12345"
    assert client.get(f"{PREFIX}/themes", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"] != "a b"


def test_live_without_an_index_but_not_ready(empty: FlaskClient) -> None:
    assert empty.get(f"{PREFIX}/health/live").status_code == 200
    assert empty.get(f"{PREFIX}/health/ready").status_code == 503
    assert empty.get(f"{PREFIX}/builds").get_json() == {"items": []}


@pytest.mark.parametrize("name", sorted(response_models.Build.model_fields))
def test_a_build_is_told_whole(client: FlaskClient, name: str) -> None:
    assert name in get(client, "/builds")["items"][0]
