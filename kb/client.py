"""A typed client of the API, for the intranet's and other Python programs.

    with Client("https://erfaringer.kommune.dk", key=os.environ["KB_KEY"]) as client:
        answer = client.answer("Hvordan håndterede projekterne GDPR?", temaer=["jura"])
        for sentence in answer.answer.sentences:
            print(sentence.text, sentence.citations)

It is a package of its own too, ``erfaringsbasen-client`` (``client/``), which holds what this module imports.

What comes back are the models of :mod:`kb.http.api.response_models`. Members they do not know are left out, so that a
client goes on working when the server learns more. Every error of the server is an :class:`ApiError`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel

from kb.http.api import lesson_responses, response_models

PREFIX = "/api/v1"
SECONDS = 30.0
LONGEST_WAIT = 60.0
TOO_MANY = 429
Model = TypeVar("Model", bound=BaseModel)


class ApiError(Exception):
    """A problem the server answered with: its ``code`` (the end of its type), ``status``, Danish text and advice."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("type", "")).rpartition("#")[2]
        self.advice = str(problem.get("advice", ""))
        self.request_id = str(problem.get("request_id", ""))
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))


class Client:
    """The API of one server. ``retries`` is how often a call is tried again when the server asks one to wait.

    ``forwarded_for`` names whom the calls are made for, as a proxy does.
    """

    def __init__(
        self, address: str, *, key: str = "", timeout: float = SECONDS, retries: int = 2, forwarded_for: str = ""
    ) -> None:
        self._address = address.rstrip("/")
        self._timeout = timeout
        self._retries = retries
        self._session = requests.Session()
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"
        if forwarded_for:
            self._session.headers["X-Forwarded-For"] = forwarded_for

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def search(
        self, question: str, *, top: int = 20, offset: int = 0, **filters: Sequence[str]
    ) -> response_models.SearchResult:
        """The best passages for a question; filters by their Danish names, each a list of values."""
        query = {"q": question, "top": top, "offset": offset, **filters}
        return self._get("/search", response_models.SearchResult, query)

    def answer(self, question: str, **filters: Sequence[str]) -> lesson_responses.AnswerWithLessons:
        """The cited answer to a question with its lessons, or with ``answer.refused`` the reason why there is none."""
        return self._get("/answer", lesson_responses.AnswerWithLessons, {"q": question, **filters})

    def project_start(self, plan: str) -> lesson_responses.ProjectStartWithLessons:
        """What the base has to tell a plan for a project; the plan is read and not kept."""
        return self._send("POST", "/project-start", lesson_responses.ProjectStartWithLessons, json={"plan": plan})

    def suggestions(self, written: str, *, top: int = 8) -> list[response_models.Suggestion]:
        """What begins as was written."""
        return self._get("/suggestions", response_models.Suggestions, {"q": written, "top": top}).items

    def documents(self, *, order: str = "titel", **filters: Sequence[str]) -> Iterator[response_models.Document]:
        """Every document that passes the filters, page after page."""
        page = self._get("/documents", response_models.Documents, {"order": order, "top": 100, **filters})
        yield from page.items
        while page.next:
            page = self._get(page.next.partition(PREFIX)[2], response_models.Documents)
            yield from page.items

    def document(self, document_id: str) -> response_models.WholeDocument:
        """One document with its text."""
        return self._get(f"/documents/{_part(document_id)}", response_models.WholeDocument)

    def passage(self, passage_id: str) -> response_models.Passage:
        """One passage."""
        return self._get(f"/passages/{_part(passage_id)}", response_models.Passage)

    def projects(self) -> Iterator[response_models.Project]:
        """Every project by name, page after page."""
        page = self._get("/projects", response_models.Projects, {"top": 100})
        yield from page.items
        while page.next:
            page = self._get(page.next.partition(PREFIX)[2], response_models.Projects)
            yield from page.items

    def health(self) -> response_models.Health:
        """Whether questions can be answered; raises :class:`ApiError` when not."""
        return self._get("/health/ready", response_models.Health)

    def upload(self, file: Path, metadata: Mapping[str, Any] | None = None) -> response_models.Uploaded:
        """Put a file in; wait for its job to find it (needs the role editor)."""
        data = {"metadata": json.dumps(dict(metadata))} if metadata else None
        with file.open("rb") as opened:
            return self._send(
                "POST", "/documents", response_models.Uploaded, files={"file": (file.name, opened)}, data=data
            )

    def replace_metadata(self, document_id: str, metadata: Mapping[str, Any]) -> response_models.Changed:
        """Replace a document's metadata as a whole (editor)."""
        path = f"/documents/{_part(document_id)}/metadata"
        return self._send("PUT", path, response_models.Changed, json=dict(metadata))

    def delete(self, document_id: str) -> response_models.Changed:
        """Delete a document (editor)."""
        return self._send("DELETE", f"/documents/{_part(document_id)}", response_models.Changed)

    def job(self, job_id: str) -> response_models.Job:
        """A job as it stands (editor)."""
        return self._get(f"/jobs/{_part(job_id)}", response_models.Job)

    def wait(self, job: response_models.Job, *, seconds: float = 600.0) -> response_models.Job:
        """The job when it is over; raises TimeoutError when it is not within ``seconds``."""
        until = time.monotonic() + seconds
        while not job.is_over:
            if time.monotonic() > until:
                raise TimeoutError(f"Jobbet {job.id} er ikke færdigt efter {seconds:.0f} sekunder.")
            time.sleep(0.5)
            job = self.job(job.id)
        return job

    def feedback(self, question: str, *, useful: bool, comment: str = "", build_id: str = "") -> None:
        """Say whether an answer was useful."""
        body = {"question": question, "useful": useful, "comment": comment, "build_id": build_id}
        self._send("POST", "/feedback", response_models.Received, json=body)

    def _get(self, path: str, model: type[Model], query: Mapping[str, Any] | None = None) -> Model:
        return self._send("GET", path, model, params=query)

    def _send(self, method: str, path: str, model: type[Model], **options: Any) -> Model:
        for left in range(self._retries, -1, -1):
            answer = self._session.request(
                method, f"{self._address}{PREFIX}{path}", timeout=self._timeout, allow_redirects=False, **options
            )
            # A file that has been sent cannot be sent again without being read again.
            if answer.status_code != TOO_MANY or not left or "files" in options:
                break
            time.sleep(min(float(answer.headers.get("Retry-After", 1)), LONGEST_WAIT))
        body = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
        if not answer.ok or not body:
            raise ApiError(answer.status_code, body)
        return model.model_validate(body, extra="ignore")


def _part(text: str) -> str:
    return quote(text, safe="")
