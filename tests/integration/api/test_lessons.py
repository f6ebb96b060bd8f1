"""Lessons over the API: as on the pages, with what became of their evidence."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from kb.http.api.operations import PREFIX

pytestmark = pytest.mark.slow


@pytest.fixture
def passage(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{PREFIX}/documents/asta/passages").get_json()["items"][0]
    return found


def written(passage: dict[str, Any], **values: Any) -> dict[str, Any]:
    evidence = [{"document_id": "asta", "quote": passage["text"]}]
    return {
        "lesson": "Begynd i god tid.",
        "evidence": evidence,
        "owner": "digital@kommune.dk",
        "review_by": "2999-01-01",
        "themes": ["data"],
        "status": "bekræftet",
        **values,
    }


def test_a_lesson_is_made_changed_used_and_deleted(client: FlaskClient, passage: dict[str, Any]) -> None:
    response = client.post(f"{PREFIX}/lessons", json=written(passage))
    assert response.status_code == 201, response.text
    made, address = response.get_json(), response.headers["Location"]
    assert made["evidence"][0] | {"quote": ""} == {
        "document_id": "asta", "quote": "", "state": "uændret", "found_in": "asta", "passage_id": passage["id"],
    }  # fmt: skip
    assert client.get(address).get_json() == made

    use = {"project": "Ruter", "outcome": "virkede"}
    assert client.post(f"{address}/uses", json=use).status_code == 201
    changed = written(passage, lesson="Begynd før.", evidence=[{"document_id": "asta", "quote": "Det står der ikke."}])
    saved = client.put(address, json={**changed, "revision": 1}).get_json()
    assert (saved["lesson"], saved["revision"], saved["used"]) == ("Begynd før.", 2, 1)
    assert saved["evidence"][0]["state"] == "væk"
    late = client.put(address, json={**changed, "revision": 1})
    assert (late.status_code, "ændret af en anden" in late.get_json()["detail"]) == (400, True)

    figures = client.get(f"{PREFIX}/lessons/figures").get_json()
    assert (figures["by_status"]["bekræftet"], figures["uses"], figures["by_outcome"]["virkede"]) == (1, 1, 1)
    assert client.delete(address).get_json() == {"lesson_id": made["id"]}
    assert client.get(address).status_code == 404


def test_a_lesson_stands_in_the_answer_it_belongs_to_and_a_cached_answer_is_not_kept_past_it(
    client: FlaskClient, passage: dict[str, Any]
) -> None:
    address = f"{PREFIX}/answer?q=Hvad+er+erfaringen+med+faldrisiko"
    before = client.get(address)
    assert before.get_json()["lessons"] == []
    quote = before.get_json()["citations"][0]["quote"]
    evidence = [{"document_id": before.get_json()["citations"][0]["document_id"], "quote": quote}]
    made = client.post(f"{PREFIX}/lessons", json=written(passage, evidence=evidence)).get_json()

    known = {"If-None-Match": before.headers["ETag"]}
    after = client.get(address, headers=known)
    assert [one["id"] for one in after.get_json()["lessons"]] == [made["id"]]
    assert client.get(address, headers={"If-None-Match": after.headers["ETag"]}).status_code == 304

    client.delete(f"{PREFIX}/lessons/{made['id']}")
    assert client.get(address, headers={"If-None-Match": after.headers["ETag"]}).get_json()["lessons"] == []


def test_lists_are_filtered(client: FlaskClient, passage: dict[str, Any]) -> None:
    lessons = [written(passage, lesson="En."), written(passage, lesson="To.", themes=["jura"], review_by="2001-01-01")]
    assert client.post(f"{PREFIX}/lessons/import", json={"lessons": lessons}).get_json()["added"] == 2

    def listed(query: str) -> list[str]:
        return [one["lesson"] for one in client.get(f"{PREFIX}/lessons?{query}").get_json()["items"]]

    assert sorted(listed("")) == ["En.", "To."]
    assert listed("tema=jura") == ["To."]
    assert listed("due=true") == ["To."]
    assert listed("status=kladde") == []
    assert client.get(f"{PREFIX}/lessons?status=vejr").status_code == 400


def test_a_proposal_is_turned_down_for_good(client: FlaskClient) -> None:
    found = client.get(f"{PREFIX}/lessons/proposals").get_json()["items"]
    for one in found:
        assert client.post(f"{PREFIX}/lessons/proposals/{one['id']}/turn-down").status_code == 200
    assert client.get(f"{PREFIX}/lessons/proposals").get_json()["items"] == []
    assert client.post(f"{PREFIX}/lessons/proposals/vejr/turn-down").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lesson": ""},
        {"lesson": "x", "vejr": 1},
        {"lesson": "x", "phase": "sommer"},
        {"lesson": "x", "themes": ["vejr"]},
        {"lesson": "x", "status": "bekræftet"},
        {"lesson": "x", "evidence": [{"document_id": "", "quote": ""}]},
    ],
)
def test_what_is_no_lesson_is_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    response = client.post(f"{PREFIX}/lessons", json=body)
    assert response.status_code == 400, response.text
    assert response.get_json()["type"].endswith("ugyldigt-input")
