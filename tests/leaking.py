"""Two bases that differ in nothing but reports that a reader may not see, and requests that must not tell them apart.

    with twins(folder, random.Random(1)) as pair:
        leaks = [found for number in range(300) if (found := pair.ask(drawn(pair, chance)))]

The bases are made of the same reports; the other one has some more, for a group that none of those who ask is in, and
what was written of them: lessons, a pinned passage, questions without an answer, feedback. Both builds get one id and
one time, every random name is drawn alike, and the jobs that are asked for wait for ever: an indexing run is an
administrator's. What is left is compared: status, headers and body.
"""

from __future__ import annotations

import json
import random
import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from kb import indexing
from kb.core.access import Access
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.curation.words import Curation, checked_pin
from kb.http.api.operations import EXTENSION as OPERATIONS
from kb.http.api.operations import Operation
from kb.http.server import make_app
from kb.index import builds, vectors
from kb.lessons.lesson import Evidence, Lesson, LessonStatus
from kb.operations.jobs import Jobs
from kb.state.curation import CurationStore
from kb.state.feedback import FeedbackStore
from kb.state.gaps import GapStore
from kb.state.keys import KeyStore
from kb.state.lessons import LessonStore
from kb.state.removals import Removals
from kb.state.sqlite_repository import STATE_FILE
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

BUILD_ID, CREATED = "20270101T000000000000Z", "2027-01-01T00:00:00+00:00"
SECRET, PINNED = "HR", "sted fremhævet"
OPEN = ("faldrisiko", "mailfordeling", "vandløb", "journalnotater", "ruteplanlægning", "skoleindskrivning")
HIDDEN = ("lønforhandling", "opsigelsesvarsel", "tjenestesag")
# Of every reader: nobody who signed in, and someone with a key of either role who is in another group.
WHO = ("", "reader", "editor")
# What differs from one request to the next, and tells of nothing: times, and the ids that are made of them.
_TIMES = re.compile(
    r"\b[0-9a-f]{32}\b|\d{8}T\d{12}Z|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:\+00:00|Z)?"
    r"|\bkl\. \d\d?[.:]\d\d"
)
_PASSING_HEADERS = frozenset({"date", "x-request-id", "content-length", "expires", "last-modified"})
_MOST_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Request:
    """A request, the same for both bases."""

    who: str
    method: str
    path: str
    json: Any = None
    form: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        sent = self.form if self.json is None else self.json
        return f"{self.who or 'nobody'}: {self.method} {self.path} {sent or ''}"


@dataclass(frozen=True, slots=True)
class Leak:
    """A request whose answers differ, and what of them."""

    request: Request
    what: str


@dataclass(slots=True)
class Twins:
    """The applications of both bases, their keys, and what requests are drawn from."""

    apps: tuple[Flask, Flask]
    keys: Mapping[str, str]
    ids: Sequence[str]
    words: Sequence[str]
    asked: int = 0
    statuses: dict[int, int] = field(default_factory=dict)

    def ask(self, request: Request) -> Leak | None:
        """Ask both; what differs, if anything does."""
        self.asked += 1
        whole, less = (_answer(app.test_client(), request, self.keys, self.asked) for app in self.apps)
        self.statuses[less[0]] = self.statuses.get(less[0], 0) + 1
        if whole == less:
            return None
        return Leak(request, _difference(whole, less))


Answer = tuple[int, list[tuple[str, str]], bytes]
_BEGUN = datetime.now(UTC)


def _answer(client: FlaskClient, request: Request, keys: Mapping[str, str], number: int) -> Answer:
    chance = random.Random(number)  # noqa: S311 -- the same names in both bases, not secrets
    at = _BEGUN + timedelta(seconds=number)
    headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    if request.who:
        headers["Authorization"] = f"Bearer {keys[request.who]}"
    with (
        patch.object(secrets, "token_hex", lambda size=32: chance.randbytes(size).hex()),
        patch.object(secrets, "token_urlsafe", lambda size=32: chance.randbytes(size).hex()),
        patch.object(secrets, "token_bytes", lambda size=32: chance.randbytes(size)),
        patch("kb.operations.editing.token_hex", lambda size=32: chance.randbytes(size).hex()),
        # What is kept is listed by time, to the second: the two are asked at one.
        patch("kb.state.repository.datetime", SimpleNamespace(now=lambda _zone: at)),
    ):
        response = client.open(
            request.path, method=request.method, json=request.json, data=request.form, headers=headers
        )
    with response:
        body = _without_times(response.get_data(), response.mimetype or "")
        # The digest of a body that has times in it is as passing as they are.
        passing = _PASSING_HEADERS if body == response.get_data() else _PASSING_HEADERS | {"etag"}
        told = [
            (name.lower(), _TIMES.sub("TIME", value))
            for name, value in response.headers.items()
            if name.lower() not in passing
        ]
        return response.status_code, sorted(told), body


def _without_times(body: bytes, mimetype: str) -> bytes:
    if mimetype.startswith(("text/", "application/json", "application/problem+json", "application/atom+xml")):
        return _TIMES.sub("TIME", body.decode("utf-8")).encode()
    if "openxmlformats" in mimetype:
        return b""  # a package of files with times; what stands in it is that of the page and of the CSV
    return body


def _difference(whole: Answer, less: Answer) -> str:
    if whole[0] != less[0]:
        return f"status {whole[0]}, without {less[0]}"
    if whole[1] != less[1]:
        return f"headers {sorted(set(whole[1]) ^ set(less[1]))}"[:_MOST_SHOWN]
    place = next((at for at, pair in enumerate(zip(whole[2], less[2], strict=False)) if pair[0] != pair[1]), 0)
    shown = (text[max(0, place - 80) : place + 120].decode("utf-8", "replace") for text in (whole[2], less[2]))
    return "body …{}… without: …{}…".format(*shown)


@contextmanager
def twins(folder: Path, chance: random.Random, *, lists: bool = False) -> Iterator[Twins]:
    """The two bases below a folder, drawn by chance; with ``lists`` their vectors are searched by inverted lists."""
    files, hidden = _reports(chance), _hidden_reports(chance)
    with ExitStack() as stack:
        stack.enter_context(patch.object(Jobs, "_ensure_worker", lambda _self: None))
        made = [
            _base(folder / name, {**files, **more}, lists=lists) for name, more in (("whole", hidden), ("less", {}))
        ]
        keys = _keys(made)
        _write_of_the_hidden(made[0])
        # That the words have a new version tells of no report.
        CurationStore(made[1].state_dir).put(Curation(), PINNED, based_on=0)
        apps = (make_app(made[0], HashEmbedder()), make_app(made[1], HashEmbedder()))
        ids = _ids(apps[0])
        yield Twins(apps, keys, ids, _words(ids))


def _reports(chance: random.Random) -> dict[str, str]:
    subjects = chance.sample(OPEN, chance.randint(4, len(OPEN)))
    files = {
        f"{subject}.md": report_text(
            subject, project=f"Projekt {subject}", paragraphs=chance.randint(1, 3), year=chance.randint(2019, 2024)
        )
        for subject in subjects
    }
    # For a group that the key holders are in, and two versions of one report.
    files["jura.md"] = _for("Jura", report_text("hjemmelsnotat", project="Hjemmel"))
    files["mail/udgave.md"] = files[f"{subjects[0]}.md"].replace("tre kommuner", "fire kommuner")
    return files


def _hidden_reports(chance: random.Random) -> dict[str, str]:
    subject, other = chance.sample(HIDDEN, 2)
    taken = chance.choice(OPEN)
    candidates = {
        # By the folder's rule; its words, authority and theme are nobody else's.
        f"hr/{subject}.md": report_text(subject, project=f"Sag {subject}", paragraphs=chance.randint(1, 4)).replace(
            "temaer: [data]", "temaer: [etik]\nmyndighed: Lønkontoret"
        ),
        # By its own word; of a project that others may see, and begun like an open report.
        f"egen-{other}.md": _for(SECRET, report_text(other, project=f"Projekt {taken}", year=2031)),
        # The very words of an open report, in a folder of its own.
        "hr/kopi.md": report_text(taken, project=f"Projekt {taken}", paragraphs=2),
        # A mention of what open reports are about, which makes their words more common.
        "hr/mere.md": report_text(f"{taken}sprojekter og {taken}", project=""),
        "hr/ulæselig.pdf": "%PDF-1.7\nafbrudt",
    }
    kept = {name: text for name, text in candidates.items() if subject in name or chance.random() < 0.7}
    return {**kept, "hr/.adgang.yaml": f"adgang: [{SECRET}]\n"}


def _for(group: str, text: str) -> str:
    return text.replace("---\n", f"---\nadgang: {group}\n", 1)


def _base(folder: Path, files: Mapping[str, str], *, lists: bool) -> Settings:
    settings = make_settings(
        folder, access="closed", anonymous_reading=True, access_groups=True, rate_limit=1_000_000, metrics_from=""
    )
    write_corpus(settings.corpus, files)
    with ExitStack() as stack:
        if lists:
            values = {"HELD_OUT": 4, "RECALL": 0.0, "FIRST_PROBES": 1 << 12, "MOST_LISTS": 1e6}
            for name, value in values.items():
                stack.enter_context(patch.object(vectors, name, value))
            stack.enter_context(patch.object(vectors.add_lists, "__defaults__", (0,)))
        indexing.run(settings, HashEmbedder())
    _rename_build(settings)
    return settings


def _rename_build(settings: Settings) -> None:
    """Give the build the one id and time; its manifest names the sizes and digests of the other files alone."""
    current = builds.current_id(settings.index_dir)
    folder = (builds.builds_dir(settings.index_dir) / current).rename(builds.builds_dir(settings.index_dir) / BUILD_ID)
    manifest = folder / builds.MANIFEST_FILE
    values = {**json.loads(manifest.read_text(encoding="utf-8")), "id": BUILD_ID, "created": CREATED}
    manifest.write_text(json.dumps(values), encoding="utf-8")
    builds.point_at(settings.index_dir, BUILD_ID)


def _keys(made: Sequence[Settings]) -> dict[str, str]:
    """A key for an editor and one for a reader, the same in both bases."""
    store = KeyStore(made[1].state_dir)
    found = {role.value: store.create(role.value, role, groups=["Jura"])[1] for role in AccessRole if role != "admin"}
    with closing(sqlite3.connect(made[0].state_dir / STATE_FILE)) as database:
        database.execute("ATTACH ? AS other", (str(made[1].state_dir / STATE_FILE),))
        database.execute("INSERT INTO keys SELECT * FROM other.keys")
        database.commit()
    return found


def _write_of_the_hidden(settings: Settings) -> None:
    """What those who see the hidden reports wrote of them."""
    id_ = next(f"hr-{_plain(name.stem)}" for name in sorted((settings.corpus / "hr").glob("*.md")))
    seen = Access(frozenset({SECRET}))
    quote = "Derfor råder deltagerne andre til at begynde"
    LessonStore(settings.state_dir, seen).add(
        Lesson(
            lesson="Tal om løn i god tid.", evidence=(Evidence.of(id_, quote),), owner="hr@kommune.dk",
            review_by="2020-01-01", status=LessonStatus.CONFIRMED,
        )
    )  # fmt: skip
    pin = checked_pin("Hvad er erfaringen med faldrisiko?", id_, quote, (SECRET,))
    CurationStore(settings.state_dir).put(Curation().with_pin(pin), PINNED, based_on=0)
    question = "Hvad koster lønforhandling?"
    GapStore(settings.state_dir, keep_days=365).note_refused(question, BUILD_ID, "intet", groups=[SECRET])
    FeedbackStore(settings.state_dir).add(
        question, BUILD_ID, useful=False, comment="lønforhandling", citations=[f"{id_}.1"], groups=[SECRET]
    )
    Removals(settings.state_dir).mark("egen-tjenestesag")


def _ids(app: Flask) -> list[str]:
    with app.app_context():
        whole = app.extensions["kb"].holder.searcher(Access(everything=True)).snapshot
    return [*whole.records, "findes-ikke"]


def _words(ids: Sequence[str]) -> list[str]:
    seen = [*OPEN, *HIDDEN, *ids]
    wrong = [f"{word[:-2]}{word[-1]}" for word in seen]
    phrases = [f'"erfaringen med {word}"' for word in (*OPEN, *HIDDEN)]
    asked = [f"Hvad er erfaringen med {word}?" for word in (*OPEN, *HIDDEN)]
    compared = ["Hvilke projekter er i drift?", "Hvilke myndigheder har erfaring med data?", "Lønkontoret", "etik"]
    return [*seen, *wrong, *phrases, *asked, *asked, *compared, "tid", "kommuner", "løn"]


# --- Requests ---


def rules(pair: Twins) -> list[tuple[str, Rule]]:
    """Every route of the application with its methods, whoever may take it."""
    return [
        (method, rule)
        for rule in sorted(pair.apps[0].url_map.iter_rules(), key=lambda one: one.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def drawn(pair: Twins, chance: random.Random, route: tuple[str, Rule] | None = None) -> Request:
    """A request, to a route or to any."""
    method, rule = route or chance.choice(rules(pair))
    path = re.sub(r"<(?:(\w+):)?(\w+)>", lambda found: _part(pair, chance, found.group(2)), rule.rule)
    who = (
        chance.choice(("editor", "editor", *WHO)) if path.startswith(("/admin", "/erfaringer")) else chance.choice(WHO)
    )
    operation: Operation | None = pair.apps[0].extensions[OPERATIONS].get(rule.endpoint)
    if method == "GET":
        # The API refuses what it does not know; a page looks past it.
        known = set(operation.query.model_fields) if operation else None
        asked = {name: value for name, value in _query(pair, chance).items() if known is None or name in known}
        return Request(who, method, f"{path}?{urlencode(asked, doseq=True)}")
    if operation is not None:
        body = _varied(pair, chance, dict(operation.body_example)) if operation.body else None
        return Request(who, method, path, json=body)
    return Request(who, method, path, form=_form(pair, chance))


def _part(pair: Twins, chance: random.Random, name: str) -> str:
    if name == "number":
        return str(chance.randint(1, 3))
    if name == "passage_id":
        return f"{chance.choice(pair.ids)}.{chance.randint(1, 4)}"
    if name == "slug":
        return chance.choice([f"sag-{_plain(one)}" for one in HIDDEN] + [f"projekt-{_plain(one)}" for one in OPEN])
    if name == "theme":
        return chance.choice(("data", "etik", "jura"))
    if name in {"name", "token"}:
        return chance.choice(("app.css", "adgang", "intet"))
    return chance.choice(pair.ids)


def _plain(word: str) -> str:
    return word.replace("ø", "oe").replace("æ", "ae")


def _query(pair: Twins, chance: random.Random) -> dict[str, Any]:
    choices: dict[str, Any] = {
        "q": chance.choice(pair.words),
        "soeg": chance.choice(pair.words),
        "projekt": chance.choice(["Projekt faldrisiko", "Sag lønforhandling", "Hjemmel"]),
        "myndighed": chance.choice(["Lønkontoret", "KL"]),
        "tema": chance.choice(["etik", "data"]),
        "temaer": chance.choice(["etik", "data"]),
        "år": chance.choice([2021, 2031]),
        "rolle": "læring",
        "passage": f"{chance.choice(pair.ids)}.{chance.randint(1, 4)}",
        "side": chance.randint(1, 2),
        "top": chance.randint(1, 20),
        "offset": chance.randint(0, 3),
        "projekter": chance.choice(["sag-loenforhandling", "projekt-faldrisiko"]),
        "handling": chance.choice(["fremhaev", "ord"]),
        "id": chance.choice(pair.ids),
    }
    kept = {name: value for name, value in choices.items() if name == "q" or chance.random() < 0.12}
    return kept if chance.random() < 0.95 else {}


def _form(pair: Twins, chance: random.Random) -> dict[str, Any]:
    return {
        "q": chance.choice(pair.words),
        "passage": f"{chance.choice(pair.ids)}.{chance.randint(1, 4)}",
        "plan": f"Vi vil undersøge {chance.choice(pair.words)} i to kommuner og måle {chance.choice(pair.words)}.",
        "handling": chance.choice(["fremhaev", "ord", "fjern", "slaa-fra"]),
        "navne": f"{chance.choice(OPEN)}\n{chance.choice(HIDDEN)}",
        "grund": "ordnet",
        "nyttigt": chance.choice(["ja", "nej"]),
        "indeks": BUILD_ID,
        "lesson": f"Husk {chance.choice(pair.words)}.",
        "owner": "digital@kommune.dk",
        "status": chance.choice(["kladde", "bekræftet"]),
        "review_by": "2030-01-01",
        "behold": ["0"],
        "rapport-0": chance.choice(pair.ids),
        "citat-0": "Derfor råder deltagerne andre til at begynde",
        "titel": chance.choice(pair.words),
        "adgang": chance.choice(["", "", SECRET, "Jura", "alle"]),
        "dage": "30",
        "sti": chance.choice(["hr/ulæselig.pdf", "faldrisiko.md"]),
        "version": chance.choice(["0", "1", "2"]),
    }


def _varied(pair: Twins, chance: random.Random, example: Any) -> Any:
    """A body's example with other words and ids in it."""
    if isinstance(example, dict):
        return {name: _value(pair, chance, name, value) for name, value in example.items()}
    return [_varied(pair, chance, one) for one in example] if isinstance(example, list) else example


def _value(pair: Twins, chance: random.Random, name: str, value: Any) -> Any:
    if name == "document_id":
        return chance.choice(pair.ids)
    if name in {"question", "plan", "q", "project"} and isinstance(value, str):
        return chance.choice(pair.words)
    if name == "citations":
        return [f"{chance.choice(pair.ids)}.1"]
    return _varied(pair, chance, value)
